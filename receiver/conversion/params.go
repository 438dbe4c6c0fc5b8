package conversion

import (
	"cmp"
	"slices"
	"strconv"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
)

// clickFields are the parameters that update the click besides standing in the conversion (docs/semantics.md §2),
// sorted.
var clickFields = listClickFields()

func listClickFields() []string {
	fields := []string{
		config.ParamKeyword, config.ParamExternalID, config.ParamCreativeID, config.ParamAdCampaignID, config.ParamSource,
	}
	for n := range config.SubIDs {
		fields = append(fields, config.ParamSubIDPrefix+strconv.Itoa(n+1))
	}
	slices.Sort(fields)
	return fields
}

// ClickFields returns the fields that stay with a click, sorted. The caller must not change the slice.
func ClickFields() []string { return clickFields }

// IsClickField reports whether the parameter updates the click: keyword, external_id, creative_id, ad_campaign_id,
// source and sub_id_1 to sub_id_30.
func IsClickField(name string) bool {
	_, ok := slices.BinarySearch(clickFields, name)
	return ok
}

// Get returns the value of a parameter, "" if there is none.
func (p Params) Get(name string) string {
	if i, ok := p.find(name); ok {
		return p[i].Value
	}
	return ""
}

func (p Params) find(name string) (int, bool) {
	return slices.BinarySearchFunc(p, name, func(param Param, name string) int { return cmp.Compare(param.Name, name) })
}

// contain reports whether every non-empty parameter of other is in p with the same value.
func (p Params) contain(other Params) bool {
	for _, param := range other {
		if param.Value != "" && p.Get(param.Name) != param.Value {
			return false
		}
	}
	return true
}

// merge returns p with the non-empty parameters of other laid over it; p itself when that changes nothing.
func (p Params) merge(other Params) Params {
	if p.contain(other) {
		return p
	}
	merged := append(make(Params, 0, len(p)+len(other)), p...)
	for _, param := range other {
		i, ok := merged.find(param.Name)
		switch {
		case param.Value == "":
		case ok:
			merged[i].Value = param.Value
		default:
			merged = slices.Insert(merged, i, param)
		}
	}
	return merged
}
