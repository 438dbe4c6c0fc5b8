package conversion

// updateClick returns the click with what the postback says about it; nil when it says nothing new, or there is no click.
func updateClick(in *Intent, click *Click) *Click {
	if click == nil {
		return nil
	}
	var fields Params
	for _, param := range in.Params {
		if IsClickField(param.Name) && param.Value != "" && click.Params.Get(param.Name) != param.Value {
			fields = append(fields, param)
		}
	}
	newCost := in.Cost != nil && (click.Cost == nil || !in.Cost.Same(*click.Cost))
	if fields == nil && !newCost {
		return nil
	}
	updated := *click
	updated.Params = click.Params.merge(fields)
	if newCost {
		updated.Cost = in.Cost
	}
	return &updated
}
