package v1alpha1

import (
	"maps"
	"slices"
	"strconv"
)

// Built-in conversion types (docs/semantics.md §1).
const (
	TypeLead         = "lead"
	TypeSale         = "sale"
	TypeRejected     = "rejected"
	TypeRegistration = "registration"
	TypeDeposit      = "deposit"
	TypeTrash        = "trash"
)

// Canonical parameters of a postback (docs/semantics.md §2). Besides these there are `sub_id_1` … `sub_id_30`, see
// [ParamSubIDPrefix], and a training parameter for every conversion type, see [ParamStatusSuffix].
const (
	ParamSubid        = "subid"
	ParamStatus       = "status"
	ParamTid          = "tid"
	ParamPayout       = "payout"
	ParamCost         = "cost"
	ParamCurrency     = "currency"
	ParamDate         = "date"
	ParamKeyword      = "keyword"
	ParamExternalID   = "external_id"
	ParamCreativeID   = "creative_id"
	ParamAdCampaignID = "ad_campaign_id"
	ParamSource       = "source"
	ParamReturn       = "return"
	ParamFrom         = "from"
	ParamIgnoreStatus = "ignore_status"

	// ParamSubIDPrefix and a number from 1 to [SubIDs] name a sub id: `sub_id_3`.
	ParamSubIDPrefix = "sub_id_"
	// ParamStatusSuffix after a type's parameter names the type's training in the URL: `lead_status`. The parameter of a
	// built-in type is its name.
	ParamStatusSuffix = "_status"
)

// SubIDs is how many sub ids a click and a conversion have. Higher numbers are mere extra parameters.
const SubIDs = 30

var (
	builtinTypes = [...]string{TypeLead, TypeSale, TypeRejected, TypeRegistration, TypeDeposit, TypeTrash}

	builtinAliases = map[string][]string{
		ParamSubid:                       {"sub_id"},
		ParamPayout:                      {"revenue", "profit"},
		ParamIgnoreStatus:                {"ignore"},
		TypeRejected + ParamStatusSuffix: {"reject_status"},
	}

	canonicalParameters = listCanonicalParameters()

	builtinAliasOwners = ownersOf(builtinAliases)
)

func listCanonicalParameters() []string {
	params := []string{
		ParamSubid, ParamStatus, ParamTid, ParamPayout, ParamCost, ParamCurrency, ParamDate,
		ParamKeyword, ParamExternalID, ParamCreativeID, ParamAdCampaignID, ParamSource,
		ParamReturn, ParamFrom, ParamIgnoreStatus,
	}
	for _, name := range builtinTypes {
		params = append(params, name+ParamStatusSuffix)
	}
	return append(params, listSubIDs()...)
}

func listSubIDs() []string {
	names := make([]string, SubIDs)
	for i := range names {
		names[i] = ParamSubIDPrefix + strconv.Itoa(i+1)
	}
	return names
}

func ownersOf(aliases map[string][]string) map[string]string {
	owners := map[string]string{}
	for param, names := range aliases {
		for _, name := range names {
			owners[name] = param
		}
	}
	return owners
}

// BuiltinTypes returns the built-in conversion types in the order in which training looks at them (docs/semantics.md
// §3.7).
func BuiltinTypes() []string { return slices.Clone(builtinTypes[:]) }

// IsBuiltinType reports whether name is a built-in conversion type, in its own lower-case spelling.
func IsBuiltinType(name string) bool { return slices.Contains(builtinTypes[:], name) }

// CanonicalParameters returns the names under which a receiver knows the parameters of a postback, in a fixed order.
// These, and no others, may have aliases. The training parameters of custom types are not among them.
func CanonicalParameters() []string { return slices.Clone(canonicalParameters) }

// IsCanonicalParameter reports whether name is one of [CanonicalParameters].
func IsCanonicalParameter(name string) bool { return slices.Contains(canonicalParameters, name) }

// BuiltinAliases returns, by canonical parameter, the names that old trackers and their official clients send instead,
// in the order in which they are looked at: after the canonical name and before an endpoint's own aliases
// (docs/semantics.md §2).
func BuiltinAliases() map[string][]string {
	aliases := maps.Clone(builtinAliases)
	for param, names := range aliases {
		aliases[param] = slices.Clone(names)
	}
	return aliases
}

// BuiltinAliasOf returns the canonical parameter of a built-in alias, "" when name is none.
func BuiltinAliasOf(name string) string { return builtinAliasOwners[name] }
