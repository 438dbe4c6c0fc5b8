package explain

import "github.com/postback-dev/postback-operator/receiver/conversion"

// Sentence says what a reason or a warning means, empty for what is neither.
func Sentence(word string) string { return words[word] }

// words say in a sentence what reasons and warnings mean, and what to do about them.
var words = map[string]string{
	// Fields of an S2S rule that keep it from sending.
	"types":     "The rule does not list this type.",
	"resend":    "The rule sends only when the type changes, and it stays the same.",
	"sendTests": "The conversion is a test, and the rule sends no tests.",
	"require":   "The conversion lacks a field that the rule requires.",
	"sources":   "The rule does not list the source of the click.",
	"campaigns": "The rule does not list the campaign of the click.",

	wrongKey: "No endpoint has this key, or the key is retired or revoked.",

	string(conversion.MethodNotAllowed):  "A postback is sent by GET or POST.",
	string(conversion.RequestTooLarge):   "The URL has more than 16 KiB, or the body more than 64 KiB.",
	string(conversion.RequestUnreadable): "The body cannot be read, and the query has no subid.",
	string(conversion.IPNotAllowed):      "The sender's address is not among access.allowedCIDRs.",
	string(conversion.SignatureInvalid):  "The signature is missing, or none of the endpoint's secrets has made it.",
	string(conversion.SignatureExpired):  "The signature is older than access allows, or its time is missing.",
	string(conversion.RateLimited):       "The source sends more than browser.ratePerMinute allows.",
	string(conversion.OriginNotAllowed):  "The page's origin is not among browser.origins.",
	string(conversion.TypeNotAllowed):    "Pages may not report this type: browser.types does not list it.",
	string(conversion.SubIDMissing):      "Nothing names the click: the subid is empty under all of its names.",
	string(conversion.SubIDUnresolvedMacro): "The network has not filled in its macro: check how it spells the macro " +
		"of the click id.",
	string(conversion.SubIDMalformed): "A subid has 1 to 128 of the characters A-Z a-z 0-9 _ . : -",
	string(conversion.StatusMissing):  "There is no status, and policies.missingStatus names no type.",
	string(conversion.StatusIgnored):  "The parameter ignore_status lists this word.",
	string(conversion.StatusUnresolvedMacro): "The network has not filled in its macro: check how it spells the macro " +
		"of the status.",
	string(conversion.StatusUnknown): "The word is no conversion type, and no training knows it: add it to " +
		"training.",
	string(conversion.TIDMalformed):    "A transaction id has at most 256 bytes.",
	string(conversion.ClickNotFound):   "The endpoint has no click with this subid.",
	string(conversion.ClickExpired):    "The click is older than policies.clickLookback.",
	string(conversion.PayoutOverLimit): "The converted payout is above payout.max.",
	string(conversion.PayoutNotAddable): "Payouts add up here, and these two have no sum: their currencies differ " +
		"and a rate is missing.",
	string(conversion.StatusRegression): "The status would go back, and policies.transitions is ForwardOnly.",
	string(conversion.AlreadyRecorded):  "The conversion is recorded, and policies.repeat is Ignore.",
	string(conversion.PageMayNotChange): "A page may change only what pages have written.",
	string(conversion.CorrectedByHand):  "A person has corrected the conversion: postbacks leave it as it is.",

	string(conversion.RequestRepaired): "A broken name or separator was repaired.",
	string(conversion.CharsetGuessed):  "A value is no UTF-8 and was read as windows-1251.",
	string(conversion.ParamsDropped): "Unknown parameters were cut or dropped: there were too many, or too " +
		"long ones.",
	string(conversion.BodyIgnored):        "The body could not be read: only the query counts.",
	string(conversion.ParameterTooLong):   "A value above 2 KiB counts as missing.",
	string(conversion.ConflictingAliases): "Several names of one parameter have different values.",
	string(conversion.AmbiguousTraining):  "The word is trained for several types.",
	string(conversion.TIDUnresolvedMacro): "The transaction id is a macro that was not filled in, and counts as none.",
	string(conversion.PayoutAmbiguous):    "The comma may part thousands or decimals: it was read as thousands.",
	string(conversion.PayoutUnreadable):   "The payout is no number, and counts as missing.",
	string(conversion.CostAmbiguous):      "The comma may part thousands or decimals: it was read as thousands.",
	string(conversion.CostUnreadable):     "The cost is no number, and counts as missing.",
	string(conversion.CurrencyConflict):   "The amount names another currency than the parameter, which counts.",
	string(conversion.CurrencyUnresolved): "The currency is a macro that was not filled in, and counts as missing.",
	string(conversion.CurrencyUnknown):    "No rate is known for this currency.",
	string(conversion.DateUnreadable):     "The date cannot be read: the time of receipt counts.",
	string(conversion.DateInFuture):       "The date is in the future: the time of receipt counts.",
	string(conversion.OverwroteOtherType): "Another type was recorded without a transaction id: consider policies.slot " +
		"TidAndType.",
}
