package v1alpha1

import (
	"maps"
	"slices"
)

// Sentence says in English what a reason or a warning means, empty for what is neither.
func Sentence(word string) string { return sentences[word] }

// Sentences returns the words that have one.
func Sentences() []string { return slices.Sorted(maps.Keys(sentences)) }

// sentences say what reasons and warnings mean, and what to do about them. Translations of the console follow them.
var sentences = map[string]string{
	// Fields of an S2S rule that keep it from sending.
	"types":     "The rule does not list this type.",
	"resend":    "The rule sends only when the type changes, and it stays the same.",
	"sendTests": "The conversion is a test, and the rule sends no tests.",
	"require":   "The conversion lacks a field that the rule requires.",
	"sources":   "The rule does not list the source of the click.",
	"campaigns": "The rule does not list the campaign of the click.",

	"wrong_key": "No endpoint has this key, or the key is retired or revoked.",

	"method_not_allowed": "A postback is sent by GET or POST.",
	"request_too_large":  "The URL has more than 16 KiB, or the body more than 64 KiB.",
	"request_unreadable": "The body cannot be read, and the query has no subid.",
	"ip_not_allowed":     "The sender's address is not among access.allowedCIDRs.",
	"signature_invalid":  "The signature is missing, or none of the endpoint's secrets has made it.",
	"signature_expired":  "The signature is older than access allows, or its time is missing.",
	"rate_limited":       "The source sends more than browser.ratePerMinute allows.",
	"origin_not_allowed": "The page's origin is not among browser.origins.",
	"type_not_allowed":   "Pages may not report this type: browser.types does not list it.",
	"subid_missing":      "Nothing names the click: the subid is empty under all of its names.",
	"subid_unresolved_macro": "The network has not filled in its macro: check how it spells the macro " +
		"of the click id.",
	"subid_malformed": "A subid has 1 to 128 of the characters A-Z a-z 0-9 _ . : -",
	"status_missing":  "There is no status, and policies.missingStatus names no type.",
	"status_ignored":  "The parameter ignore_status lists this word.",
	"status_unresolved_macro": "The network has not filled in its macro: check how it spells the macro " +
		"of the status.",
	"status_unknown": "The word is no conversion type, and no training knows it: add it to " +
		"training.",
	"tid_malformed":     "A transaction id has at most 256 bytes.",
	"click_not_found":   "The endpoint has no click with this subid.",
	"click_expired":     "The click is older than policies.clickLookback.",
	"payout_over_limit": "The converted payout is above payout.max.",
	"payout_not_addable": "Payouts add up here, and these two have no sum: their currencies differ " +
		"and a rate is missing.",
	"status_regression":   "The status would go back, and policies.transitions is ForwardOnly.",
	"already_recorded":    "The conversion is recorded, and policies.repeat is Ignore.",
	"page_may_not_change": "A page may change only what pages have written.",
	"corrected_by_hand":   "A person has corrected the conversion: postbacks leave it as it is.",

	"request_repaired": "A broken name or separator was repaired.",
	"charset_guessed":  "A value is no UTF-8 and was read as windows-1251.",
	"params_dropped": "Unknown parameters were cut or dropped: there were too many, or too " +
		"long ones.",
	"body_ignored":              "The body could not be read: only the query counts.",
	"parameter_too_long":        "A value above 2 KiB counts as missing.",
	"conflicting_aliases":       "Several names of one parameter have different values.",
	"ambiguous_training":        "The word is trained for several types.",
	"tid_unresolved_macro":      "The transaction id is a macro that was not filled in, and counts as none.",
	"payout_ambiguous":          "The comma may part thousands or decimals: it was read as thousands.",
	"payout_unreadable":         "The payout is no number, and counts as missing.",
	"cost_ambiguous":            "The comma may part thousands or decimals: it was read as thousands.",
	"cost_unreadable":           "The cost is no number, and counts as missing.",
	"currency_conflict":         "The amount names another currency than the parameter, which counts.",
	"currency_unresolved_macro": "The currency is a macro that was not filled in, and counts as missing.",
	"currency_unknown":          "No rate is known for this currency.",
	"date_unreadable":           "The date cannot be read: the time of receipt counts.",
	"date_in_future":            "The date is in the future: the time of receipt counts.",
	"overwrote_other_type": "Another type was recorded without a transaction id: consider policies.slot " +
		"TidAndType.",
}
