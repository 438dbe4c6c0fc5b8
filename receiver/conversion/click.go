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

// With returns the click with the click fields among params laid over it, which are sorted by name; nil when they say
// nothing new. Other params are passed over.
func (c *Click) With(params Params) *Click {
	var fields Params
	for _, param := range params {
		if IsClickField(param.Name) {
			fields = append(fields, param)
		}
	}
	if c.Params.contain(fields) {
		return nil
	}
	updated := *c
	updated.Params = c.Params.merge(fields)
	return &updated
}
