package conversion

import (
	"slices"
	"strings"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
)

// due returns the names of the rules by which the change from prev to next is forwarded (docs/semantics.md §6). The
// click is the updated one.
func due(rules []ForwardRule, prev, next *Conversion, click *Click) []string {
	var names []string
	for i := range rules {
		if rules[i].matches(prev, next, click) {
			names = append(names, rules[i].Name)
		}
	}
	return names
}

// matches reports whether the rule forwards the change. A rule for certain sources or campaigns never matches an orphan,
// of which neither is known.
func (r *ForwardRule) matches(prev, next *Conversion, click *Click) bool {
	switch {
	case len(r.Types) > 0 && !slices.Contains(r.Types, next.Type),
		r.Resend == config.ResendOnStatusChange && prev != nil && prev.Type == next.Type,
		next.IsTest() && !r.SendTests,
		!next.has(r.Require, click):
		return false
	case len(r.Sources) == 0 && len(r.Campaigns) == 0:
		return true
	case click == nil:
		return false
	}
	return (len(r.Sources) == 0 || containsFold(r.Sources, next.Field(click, config.ParamSource))) &&
		(len(r.Campaigns) == 0 || slices.Contains(r.Campaigns, click.Campaign))
}

// has reports whether the conversion has all of the fields, see [config.RequirableFields].
func (c *Conversion) has(fields []string, click *Click) bool {
	for _, field := range fields {
		var missing bool
		switch field {
		case config.ParamTid:
			missing = c.Slot.TID == ""
		case config.ParamPayout:
			missing = c.Payout.Pending()
		case config.MacroCampaign:
			missing = click == nil || click.Campaign == ""
		default:
			missing = c.Field(click, field) == ""
		}
		if missing {
			return false
		}
	}
	return true
}

// containsFold compares without letter case and surrounding space: sources are typed by hand in links.
func containsFold(words []string, word string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(strings.TrimSpace(w), strings.TrimSpace(word)) })
}

// ForwardHost returns where the rule of that name sends to, "" if there is none.
func (r *Rules) ForwardHost(name string) string {
	for i := range r.Forwards {
		if r.Forwards[i].Name == name {
			return r.Forwards[i].Host
		}
	}
	return ""
}
