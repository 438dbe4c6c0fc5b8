package conversion

import "github.com/postback-dev/postback-operator/receiver/macro"

// Field returns what S2S postbacks say of a click field: the click's value, else the conversion's; nil stands for no
// click. A value that is an unresolved macro counts as empty (docs/semantics.md §6).
func (c *Conversion) Field(click *Click, name string) string {
	if click != nil {
		if value := click.Params.Get(name); value != "" && !macro.IsBare(value) {
			return value
		}
	}
	if value := c.Params.Get(name); !macro.IsBare(value) {
		return value
	}
	return ""
}
