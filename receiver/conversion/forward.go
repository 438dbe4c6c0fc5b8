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
		if rules[i].misses(prev, next, click) == "" {
			names = append(names, rules[i].Name)
		}
	}
	return names
}

// misses returns why the rule does not forward the change: its field that leaves it out, "" if it forwards it. A rule
// for certain sources or campaigns never forwards an orphan, of which neither is known.
func (r *ForwardRule) misses(prev, next *Conversion, click *Click) string {
	switch {
	case len(r.Types) > 0 && !slices.Contains(r.Types, next.Type):
		return "types"
	case r.Resend == config.ResendOnStatusChange && prev != nil && prev.Type == next.Type:
		return "resend"
	case next.Test && !r.SendTests:
		return "sendTests"
	case !next.has(r.Require, click):
		return "require"
	case len(r.Sources) > 0 && (click == nil || !containsFold(r.Sources, next.Field(click, config.ParamSource))):
		return "sources"
	case len(r.Campaigns) > 0 && (click == nil || !slices.Contains(r.Campaigns, click.Campaign)):
		return "campaigns"
	}
	return ""
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
	return slices.ContainsFunc(words, func(w string) bool {
		return strings.EqualFold(strings.TrimSpace(w),
			strings.TrimSpace(word))
	})
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
