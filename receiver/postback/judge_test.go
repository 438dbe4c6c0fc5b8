package postback_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/postback"
)

type judgeCase struct {
	name  string
	edit  func(*config.Endpoint)
	query string
	want  string
}

func runJudge(t *testing.T, cases []judgeCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := judge(t, compile(t, c.edit), c.query, "", ""); got != c.want {
				t.Errorf("%s\n got %s\nwant %s", c.query, got, c.want)
			}
		})
	}
}

func aliases(param string, names ...string) func(*config.Endpoint) {
	return func(e *config.Endpoint) { e.Aliases = map[string][]string{param: names} }
}

func training(rules ...config.TrainingRule) func(*config.Endpoint) {
	return func(e *config.Endpoint) { e.Training = rules }
}

func rule(conversionType string, words ...string) config.TrainingRule {
	return config.TrainingRule{Type: conversionType, Statuses: words}
}

func firstBet(e *config.Endpoint) {
	e.ConversionTypes = []config.ConversionType{
		{Name: "first_bet", Parameter: "bet", CountsAs: config.CountsAsNone},
		{Name: "upsell", Parameter: "up", CountsAs: config.CountsAsConfirmed},
	}
}

func TestJudgeSemanticsExamples(t *testing.T) {
	runJudge(t, []judgeCase{
		{"row 1: a lead", nil, "subid=c1&status=lead&payout=10", "c1/ lead<lead> payout=10 USD"},
		{"row 3: a sale", nil, "subid=c1&status=sale&payout=10", "c1/ sale<sale> payout=10 USD"},
		{"row 4: a sale with a tid and no payout", nil, "subid=c1&status=sale&tid=2", "c1/2 sale<sale>"},
		{"row 5: training in the URL", nil,
			"subid=c1&status=new&registration_status=new,registered&sale_status=billed&rejected_status=canceled,fake&tid=3",
			"c1/3 registration<new>"},
		{"row 6: training beats a built-in word", nil,
			"subid=c1&status=trash&lead_status=hold&sale_status=approved&rejected_status=rejected,trash&tid=4",
			"c1/4 rejected<trash>"},
		{"row 7: no status", nil, "subid=c1", "ignored status_missing"},
		{"row 8: a status that nobody knows", nil, "subid=c1&status=foo", "ignored status_unknown"},
		{"row 9: a subid that is a macro", nil, "subid={subacc4}&status=sale", "ignored subid_unresolved_macro"},
		{"row 10: own aliases and a built-in one",
			func(e *config.Endpoint) {
				e.Aliases = map[string][]string{"subid": {"clickid"}, "status": {"type"}}
			},
			"clickid=c1&type=sale&profit=5", "c1/ sale<sale> payout=5 USD"},
		{"row 11: another currency", nil, "subid=c1&status=sale&payout=10&currency=eur&tid=9",
			"c1/9 sale<sale> payout=10 EUR is 11"},
		{"row 12: the tracking script", nil,
			"return=jsonp&status=lead&utm_x=1&revenue=7&sub_id=c1&status=sale&tid=55",
			"c1/55 sale<sale> payout=7 USD utm_x=1 return=jsonp"},
		{"row 13: the WordPress plugin sends no status", nil, "revenue=100&currency=usd&subid=c1", "ignored status_missing"},
		{"row 13: the same where a missing status is a sale",
			func(e *config.Endpoint) { e.Policies.MissingStatus = "sale" },
			"revenue=100&currency=usd&subid=c1", "c1/ sale<> payout=100 USD"},
		{"row 14: training is decoded once", nil, "subid=c1&status=2&lead_status=2%2C5&sale_status=1&tid=6", "c1/6 lead<2>"},
		{"row 15: lists where one value should be", nil, "subid=c1&status=sale&payout=12.5,&currency=rub,usd,eur&tid=7",
			"c1/7 sale<sale> payout=12.5 RUB,USD,EUR pending !currency_unknown"},
		{"row 16: a rejection", nil, "subid=c1&status=rejected", "c1/ rejected<rejected>"},
		{"row 17: a negative payout", nil, "subid=c1&status=sale&payout=-3&tid=adj1", "c1/adj1 sale<sale> payout=-3 USD"},
		{"row 18: updates of the click, and an extra parameter", nil,
			"subid=c1&status=sale&sub_id_3=abc&keyword=kw&sub_id_31=z&tid=8",
			"c1/8 sale<sale> keyword=kw sub_id_3=abc sub_id_31=z"},
	})
}

func TestJudgeSubID(t *testing.T) {
	runJudge(t, []judgeCase{
		{"no subid", nil, "status=sale", "ignored subid_missing"},
		{"a subid of spaces", nil, "subid=+%20&status=sale", "ignored subid_missing"},
		{"a subid comes before a status", nil, "", "ignored subid_missing"},
		{"a macro in percent signs", nil, "subid=%CLICK_ID%&status=sale", "ignored subid_unresolved_macro"},
		{"a macro in brackets", nil, "subid=[click]&status=sale", "ignored subid_unresolved_macro"},
		{"a macro with a hash sign", nil, "subid=%23s1%23&status=sale", "ignored subid_unresolved_macro"},
		{"a macro with a dollar sign", nil, "subid=${SUBID}&status=sale", "ignored subid_unresolved_macro"},
		{"the word replace in any letter case", nil, "subid=Replace&status=sale", "ignored subid_unresolved_macro"},
		{"the word undefined", nil, "subid=undefined&status=sale", "ignored subid_unresolved_macro"},
		{"the word null", nil, "subid=NULL&status=sale", "ignored subid_unresolved_macro"},
		{"the word no_subid", nil, "subid=no_subid&status=sale", "ignored subid_unresolved_macro"},
		{"a subid that only begins like such a word", nil, "subid=nullify&status=lead", "nullify/ lead<lead>"},
		{"all the characters that a subid may have", nil, "subid=aZ09_.:-&status=lead", "aZ09_.:-/ lead<lead>"},
		{"a slash is none of them", nil, "subid=a/b&status=lead", "ignored subid_malformed"},
		{"letters outside ASCII are none of them", nil, "subid=%D0%B0&status=lead", "ignored subid_malformed"},
		{"a letter that folds to ASCII is none of them", nil, "subid=%E2%84%AA&status=lead", "ignored subid_malformed"},
		{"128 characters are allowed", nil, "subid=" + strings.Repeat("a", 128) + "&status=lead",
			strings.Repeat("a", 128) + "/ lead<lead>"},
		{"129 are not", nil, "subid=" + strings.Repeat("a", 129) + "&status=lead", "ignored subid_malformed"},
		{"one character is enough", nil, "subid=1&status=lead", "1/ lead<lead>"},
	})
}

func TestJudgeStatus(t *testing.T) {
	policy := func(missing, unknown string) func(*config.Endpoint) {
		return func(e *config.Endpoint) { e.Policies.MissingStatus, e.Policies.UnknownStatus = missing, unknown }
	}
	runJudge(t, []judgeCase{
		{"a built-in word in any letter case", nil, "subid=c1&status=SaLe", "c1/ sale<SaLe>"},
		{"an empty status is a missing one", nil, "subid=c1&status=", "ignored status_missing"},
		{"a status that is a macro", nil, "subid=c1&status={status}", "ignored status_unresolved_macro"},
		{"unknown words become the policy's type", policy("Ignore", "lead"), "subid=c1&status=foo", "c1/ lead<foo>"},
		{"so do macros", policy("Ignore", "lead"), "subid=c1&status={status}", "c1/ lead<{status}>"},
		{"the policy for unknown words is not for missing ones", policy("Ignore", "lead"), "subid=c1",
			"ignored status_missing"},
		{"the policy for missing words is not for unknown ones", policy("sale", "Ignore"), "subid=c1&status=foo",
			"ignored status_unknown"},
		{"a listed word is ignored", nil, "subid=c1&status=test&ignore_status=test", "ignored status_ignored"},
		{"a listed word is compared trimmed and folded", nil, "subid=c1&status=TEST&ignore_status=a,+test+,b",
			"ignored status_ignored"},
		{"ignoring goes before training", nil, "subid=c1&status=sale&ignore_status=sale&sale_status=sale",
			"ignored status_ignored"},
		{"a word that only contains a listed one is not ignored", nil, "subid=c1&status=sale&ignore_status=sal,ale",
			"c1/ sale<sale>"},
		{"the old name of the ignore list", nil, "subid=c1&status=sale&ignore=sale", "ignored status_ignored"},
		{"the ignore list does not touch a missing status", policy("sale", "Ignore"), "subid=c1&ignore_status=,sale",
			"c1/ sale<>"},
	})
}

func TestJudgeTraining(t *testing.T) {
	both := func(edits ...func(*config.Endpoint)) func(*config.Endpoint) {
		return func(e *config.Endpoint) {
			for _, edit := range edits {
				edit(e)
			}
		}
	}
	runJudge(t, []judgeCase{
		{"the endpoint's training", training(rule("sale", "approved")), "subid=c1&status=approved", "c1/ sale<approved>"},
		{"the endpoint's training beats a built-in word", training(rule("rejected", "trash")), "subid=c1&status=trash",
			"c1/ rejected<trash>"},
		{"the URL beats the endpoint", training(rule("sale", "ok")), "subid=c1&status=ok&lead_status=ok", "c1/ lead<ok>"},
		{"the URL without the word leaves it to the endpoint", training(rule("sale", "ok")),
			"subid=c1&status=ok&lead_status=no", "c1/ sale<ok>"},
		{"words are trimmed and folded", training(rule("sale", " ОДОБРЕН ")), "subid=c1&status=одобрен", "c1/ sale<одобрен>"},
		{"words in the URL are trimmed and folded", nil, "subid=c1&status=ЛИД&lead_status=x,+лид+", "c1/ lead<ЛИД>"},
		{"the old name of the rejections' training", nil, "subid=c1&status=x&reject_status=x", "c1/ rejected<x>"},
		{"in the URL the first type wins, with a warning", nil, "subid=c1&status=x&sale_status=x&lead_status=x",
			"c1/ lead<x> !ambiguous_training"},
		{"in the URL a type that lists its own name wins", nil, "subid=c1&status=sale&lead_status=sale&sale_status=sale",
			"c1/ sale<sale> !ambiguous_training"},
		{"its own name wins between two others", nil,
			"subid=c1&status=deposit&lead_status=deposit&deposit_status=deposit&trash_status=deposit",
			"c1/ deposit<deposit> !ambiguous_training"},
		{"in the endpoint the first type wins, with a warning", training(rule("sale", "x"), rule("lead", "x")),
			"subid=c1&status=x", "c1/ lead<x> !ambiguous_training"},
		{"in the endpoint a type that lists its own name wins", training(rule("lead", "Sale"), rule("sale", "sale")),
			"subid=c1&status=sale", "c1/ sale<sale> !ambiguous_training"},
		{"a word twice in one list is not ambiguous", training(rule("sale", "x", "X")), "subid=c1&status=x", "c1/ sale<x>"},
		{"a word in both levels is not ambiguous", training(rule("sale", "x")), "subid=c1&status=x&sale_status=x",
			"c1/ sale<x>"},
		{"the endpoint's ambiguity does not matter when the URL decides", training(rule("sale", "x"), rule("lead", "x")),
			"subid=c1&status=x&trash_status=x", "c1/ trash<x>"},
		{"a custom type's name", firstBet, "subid=c1&status=First_Bet", "c1/ first_bet<First_Bet>"},
		{"a custom type's parameter", firstBet, "subid=c1&status=up", "c1/ upsell<up>"},
		{"a custom type's training in the URL", firstBet, "subid=c1&status=7&bet_status=7", "c1/ first_bet<7>"},
		{"a custom type comes after the built-in ones", firstBet, "subid=c1&status=7&bet_status=7&trash_status=7",
			"c1/ trash<7> !ambiguous_training"},
		{"custom types come in declared order", firstBet, "subid=c1&status=7&up_status=7&bet_status=7",
			"c1/ first_bet<7> !ambiguous_training"},
		{"the endpoint's training of a custom type", both(firstBet, training(rule("upsell", "rebill"))),
			"subid=c1&status=rebill", "c1/ upsell<rebill>"},
		{"another endpoint's custom training is an extra parameter", nil, "subid=c1&status=lead&bet_status=7",
			"c1/ lead<lead> bet_status=7"},
		{"the last of many custom types",
			func(e *config.Endpoint) {
				for i := range config.MaxTypes {
					name := "t" + strconv.Itoa(i)
					e.ConversionTypes = append(e.ConversionTypes,
						config.ConversionType{Name: name, Parameter: name, CountsAs: config.CountsAsNone})
				}
			},
			"subid=c1&status=7&t31_status=7", "c1/ t31<7>"},
		{"empty words train nothing", training(rule("sale", " ")), "subid=c1&status=x&lead_status=,,",
			"ignored status_unknown"},
	})
}

func TestJudgeAliases(t *testing.T) {
	runJudge(t, []judgeCase{
		{"the canonical name goes before the built-in alias", nil, "sub_id=c2&subid=c1&status=lead",
			"c1/ lead<lead> !conflicting_aliases"},
		{"an empty canonical name leaves it to the alias", nil, "subid=&sub_id=c2&status=lead", "c2/ lead<lead>"},
		{"names that agree are no conflict", nil, "sub_id=c1&subid=c1&status=lead", "c1/ lead<lead>"},
		{"revenue goes before profit", nil, "subid=c1&status=lead&profit=1&revenue=2",
			"c1/ lead<lead> payout=2 USD !conflicting_aliases"},
		{"built-in aliases go before own ones", aliases("payout", "sum"), "subid=c1&status=lead&sum=1&profit=2",
			"c1/ lead<lead> payout=2 USD !conflicting_aliases"},
		{"own aliases go in their listed order", aliases("payout", "sum", "amount"), "subid=c1&status=lead&amount=2&sum=1",
			"c1/ lead<lead> payout=1 USD !conflicting_aliases"},
		{"an alias of a sub id is kept under the canonical name", aliases("sub_id_2", "aff_sub"),
			"subid=c1&status=lead&aff_sub=x", "c1/ lead<lead> sub_id_2=x"},
		{"an alias of a training parameter", aliases("sale_status", "won"), "subid=c1&status=x&won=x", "c1/ sale<x>"},
		{"an alias that repeats a built-in one changes nothing", aliases("payout", "profit"),
			"subid=c1&status=lead&profit=2", "c1/ lead<lead> payout=2 USD"},
		{"a name in another letter case", nil, "subid=c1&status=lead&Payout=5",
			"c1/ lead<lead> payout=5 USD !request_repaired"},
		{"a macro gives way to an alias", aliases("subid", "clickid"), "subid={subid}&clickid=c1&status=lead",
			"c1/ lead<lead>"},
		{"a macro gives way to a weaker alias", aliases("tid", "a", "b"), "subid=c1&status=lead&a=__TID__&b=7",
			"c1/7 lead<lead>"},
		{"a macro in the query gives way to a value with the same name", nil, "subid=c1&subid=undefined&status=lead",
			"c1/ lead<lead>"},
		{"an amount that is no number gives way", aliases("payout", "sum"), "subid=c1&status=lead&payout=none&sum=7",
			"c1/ lead<lead> payout=7 USD"},
		{"of two macros the better name's counts", nil, "subid={a}&sub_id={b}&status=lead",
			"ignored subid_unresolved_macro !conflicting_aliases"},
		{"the signature is nobody's extra parameter",
			func(e *config.Endpoint) {
				e.Access.HMAC = &config.HMAC{Parameter: "sig", Secrets: []config.Secret{{ID: "a", Value: "s"}}}
			},
			"subid=c1&status=lead&sig=abc", "c1/ lead<lead>"},
	})
}

func TestJudgeSlotAndRest(t *testing.T) {
	byType := func(e *config.Endpoint) { e.Policies.Slot = config.SlotTidAndType }
	long := strings.Repeat("t", 257)
	runJudge(t, []judgeCase{
		{"an empty tid is no tid", nil, "subid=c1&status=lead&tid=", "c1/ lead<lead>"},
		{"a tid that is a macro is no tid", nil, "subid=c1&status=lead&tid={tid}", "c1/ lead<lead> !tid_unresolved_macro"},
		{"a long macro is still only a macro", nil, "subid=c1&status=lead&tid={" + long,
			"c1/ lead<lead> !tid_unresolved_macro"},
		{"256 bytes of tid are allowed", nil, "subid=c1&status=lead&tid=" + long[:256], "c1/" + long[:256] + " lead<lead>"},
		{"257 are not", nil, "subid=c1&status=lead&tid=" + long, "ignored tid_malformed"},
		{"a slot by type", byType, "subid=c1&status=lead&tid=1", "c1/1 lead<lead> slot-type=lead"},
		{"the sender's label", nil, "subid=c1&status=lead&from=net", "c1/ lead<lead> from=net"},
		{"click fields without a value are as good as absent", nil, "subid=c1&status=lead&keyword=&source=+&x=",
			"c1/ lead<lead>"},
		{"all click fields are kept under their names", nil,
			"subid=c1&status=lead&source=e&ad_campaign_id=d&creative_id=c&external_id=b&keyword=a",
			"c1/ lead<lead> ad_campaign_id=d creative_id=c external_id=b keyword=a source=e"},
		{"sub ids from 1 to 30 are kept, 0 and 01 are extra parameters", nil,
			"subid=c1&status=lead&sub_id_1=a&sub_id_30=b&sub_id_0=c&sub_id_01=d",
			"c1/ lead<lead> sub_id_0=c sub_id_01=d sub_id_1=a sub_id_30=b"},
		{"a reply text", nil, "subid=c1&status=lead&return=OK", "c1/ lead<lead> return=OK"},
		{"a reply text also where the postback is ignored", nil, "return=OK", "ignored subid_missing return=OK"},
		{"an image", nil, "return=gif", "ignored subid_missing return=gif"},
		{"jsonp is a lower-case word", nil, "return=JSONP", "ignored subid_missing return=JSONP"},
	})
}

func TestJudgeAmounts(t *testing.T) {
	runJudge(t, []judgeCase{
		{"no payout", nil, "subid=c1&status=lead&currency=xyz", "c1/ lead<lead>"},
		{"a payout that can be read in two ways", nil, "subid=c1&status=lead&payout=1,234",
			"c1/ lead<lead> payout=1234 USD !payout_ambiguous"},
		{"a payout that cannot be read is missing", nil, "subid=c1&status=lead&payout=NaN",
			"c1/ lead<lead> !payout_unreadable"},
		{"a payout that is a macro is missing", nil, "subid=c1&status=lead&payout={payout}",
			"c1/ lead<lead> !payout_unreadable"},
		{"a cost is converted like a payout", nil, "subid=c1&status=lead&cost=2&payout=1&currency=EUR",
			"c1/ lead<lead> payout=1 EUR is 1.1 cost=2 EUR is 2.2"},
		{"a cost that can be read in two ways", nil, "subid=c1&status=lead&cost=1,234",
			"c1/ lead<lead> cost=1234 USD !cost_ambiguous"},
		{"a cost that cannot be read", nil, "subid=c1&status=lead&cost=x1y", "c1/ lead<lead> !cost_unreadable"},
		{"a known currency without a rate to the endpoint's", nil, "subid=c1&status=lead&payout=5&currency=sek",
			"c1/ lead<lead> payout=5 SEK pending"},
		{"a currency that nobody knows is warned about once", nil, "subid=c1&status=lead&payout=5&cost=1&currency=zzz",
			"c1/ lead<lead> payout=5 ZZZ pending cost=1 ZZZ pending !currency_unknown"},
		{"a currency that is a macro counts as missing", nil, "subid=c1&status=lead&payout=5&currency={currency}",
			"c1/ lead<lead> payout=5 USD !currency_unresolved_macro"},
		{"a macro with a dollar sign", nil, "subid=c1&status=lead&payout=5&currency=${cur}",
			"c1/ lead<lead> payout=5 USD !currency_unresolved_macro"},
		{"the amount's own sign", nil, "subid=c1&status=lead&payout=€12,50", "c1/ lead<lead> payout=12.5 EUR is 13.75"},
		{"the amount's own sign beside a macro", nil, "subid=c1&status=lead&payout=€10&currency={c}",
			"c1/ lead<lead> payout=10 EUR is 11 !currency_unresolved_macro"},
		{"a sign without a rate is never one to one", nil, "subid=c1&status=lead&payout=500+₽",
			"c1/ lead<lead> payout=500 RUB pending !currency_unknown"},
		{"the parameter goes before the sign", nil, "subid=c1&status=lead&payout=1500+RUB&currency=usd",
			"c1/ lead<lead> payout=1500 USD !currency_conflict"},
		{"a sign that agrees with the parameter", nil, "subid=c1&status=lead&payout=€10&currency=eur",
			"c1/ lead<lead> payout=10 EUR is 11"},
		{"a currency parameter that is a sign", nil, "subid=c1&status=lead&payout=10&currency=€",
			"c1/ lead<lead> payout=10 EUR is 11"},
		{"a dollar sign is the endpoint's dollar", nil, "subid=c1&status=lead&payout=$10", "c1/ lead<lead> payout=10 USD"},
		{"an unknown sign is never one to one", nil, "subid=c1&status=lead&payout=10¤",
			"c1/ lead<lead> payout=10 ¤ pending !currency_unknown"},
		{"an exponent", nil, "subid=c1&status=lead&payout=1.5E7", "c1/ lead<lead> payout=15000000 USD"},
		{"zero is a payout", nil, "subid=c1&status=lead&payout=0", "c1/ lead<lead> payout=0 USD"},
		{"warnings come in the order of processing", nil,
			"subid=c1&sub_id=c2&status=x&lead_status=x&sale_status=x&tid={t}&payout=x1y&cost=x1y&date=never",
			"c1/ lead<x> !conflicting_aliases !ambiguous_training !tid_unresolved_macro !payout_unreadable !cost_unreadable " +
				"!date_unreadable"},
	})
}

func TestJudgeDate(t *testing.T) {
	for _, c := range []struct{ name, date, want string }{
		{"unix seconds", "1767225600", "date=2026-01-01T00:00:00Z"},
		{"unix milliseconds", "1767225600123", "date=2026-01-01T00:00:00.123Z"},
		{"RFC 3339 in UTC", "2026-01-01T10:00:00Z", "date=2026-01-01T10:00:00Z"},
		{"RFC 3339 in lower case", "2026-01-01t10:00:00z", "date=2026-01-01T10:00:00Z"},
		{"RFC 3339 with an encoded offset", "2026-01-01T10:00:00%2B02:00", "date=2026-01-01T08:00:00Z"},
		{"RFC 3339 with an offset whose plus became a space", "2026-01-01T10:00:00+02:00", "date=2026-01-01T08:00:00Z"},
		{"RFC 3339 with a negative offset", "2026-01-01T10:00:00-02:00", "date=2026-01-01T12:00:00Z"},
		{"RFC 3339 with nanoseconds is cut to microseconds", "2026-01-01T10:00:00.123456789Z",
			"date=2026-01-01T10:00:00.123456Z"},
		{"date and time with a plus between", "2026-01-01+10:00:00", "date=2026-01-01T10:00:00Z"},
		{"date and time with an encoded space", "2026-01-01%2010:00:00", "date=2026-01-01T10:00:00Z"},
		{"exactly five minutes ahead", "2026-03-04T12:05:00Z", "date=2026-03-04T12:05:00Z"},
		{"more than five minutes ahead", "2026-03-04T12:05:01Z", "!date_in_future"},
		{"a number beyond all times", "99999999999999999999999", "!date_unreadable"},
		{"the largest number", "9223372036854775807", "!date_in_future"},
		{"the first moment of 2000", "946684800", "date=2000-01-01T00:00:00Z"},
		{"a day written as a number is no unix time", "20260131", "!date_unreadable"},
		{"a zero date", "0000-00-00+00:00:00", "!date_unreadable"},
		{"a negative number", "-1", "!date_unreadable"},
		{"a day alone", "2026-01-01", "date=2026-01-01T00:00:00Z"},
		{"unix seconds with a fraction", "1767225600.25", "date=2026-01-01T00:00:00.25Z"},
		{"an offset without a colon, whose plus became a space", "2026-01-01T10:00:00+0300", "date=2026-01-01T07:00:00Z"},
		{"an offset without a colon, encoded", "2026-01-01T10:00:00%2B0300", "date=2026-01-01T07:00:00Z"},
		{"an offset of hours", "2026-01-01T10:00:00-03", "date=2026-01-01T13:00:00Z"},
		{"a space before the clock, a fraction and an offset", "2026-01-01%2010:00:00.123%2B0000",
			"date=2026-01-01T10:00:00.123Z"},
		{"a space before the offset", "2026-01-01%2010:00:00%20%2B0300", "date=2026-01-01T07:00:00Z"},
		{"a space before a plus that became one", "2026-01-01+10:00:00+%2B0300", "date=2026-01-01T07:00:00Z"},
		{"a zone in letters", "2026-01-01+10:00:00+UTC", "date=2026-01-01T10:00:00Z"},
		{"no zone", "2026-01-01T10:00:00", "date=2026-01-01T10:00:00Z"},
		{"no seconds", "2026-01-01T10:00", "date=2026-01-01T10:00:00Z"},
		{"RFC 1123", "Thu,+01+Jan+2026+10:00:00+GMT", "date=2026-01-01T10:00:00Z"},
		{"RFC 1123 with an offset", "Thu,+01+Jan+2026+10:00:00+%2B0300", "date=2026-01-01T07:00:00Z"},
		{"RFC 1123 with an offset whose plus became a space", "Thu,+1+Jan+2026+10:00:00++0300", "date=2026-01-01T07:00:00Z"},
		{"a day that does not exist", "2026-02-30+10:00:00", "!date_unreadable"},
		{"a macro", "{date}", "!date_unreadable"},
		{"nothing", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := strings.TrimSpace("c1/ lead<lead> " + c.want)
			if got := judge(t, compile(t, nil), "subid=c1&status=lead&date="+c.date, "", ""); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestJudgeBodyNeverOverridesTheQuery(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	for _, c := range []struct{ name, query, body, want string }{
		{"the same name", "subid=c1&status=lead", "subid=c2", "c1/ lead<lead>"},
		{"an alias in the query goes before the canonical name in the body", "sub_id=c1&status=lead", "subid=c2",
			"c1/ lead<lead> !conflicting_aliases"},
		{"what the query lacks comes from the body", "subid=c1&status=", "status=lead&payout=3",
			"c1/ lead<lead> payout=3 USD"},
		{"everything from the body", "", "subid=c1&status=sale&payout=3", "c1/ sale<sale> payout=3 USD"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := judge(t, compile(t, nil), c.query, form, c.body); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestJudgeSaysWhereTheIntentComesFrom(t *testing.T) {
	ep := compile(t, nil)
	said := read(t, ep, "subid=c1&status=Hold&lead_status=hold&tid=7&payout=x1y", "", "")
	at := arrival()
	v := postback.Judge(ep, said, at, rates())
	want := &conversion.Intent{
		Endpoint: "ads/shop", SubID: "c1", Slot: conversion.SlotKey{TID: "7"}, Type: "lead", Status: "Hold",
		Warnings: []conversion.Warning{conversion.PayoutUnreadable},
		Received: at.At, ReceivedIP: at.IP, RequestID: at.RequestID, Stamp: at.Stamp, Rules: ep.Rules,
	}
	if diff := cmp.Diff(want, v.Intent); diff != "" {
		t.Errorf("intent (-want +got):\n%s", diff)
	}
	if v.SubID != "c1" || v.TID != "7" || v.Type != "lead" {
		t.Errorf("understood subid %q, tid %q, type %q", v.SubID, v.TID, v.Type)
	}
}

func TestJudgeKeepsWhatItUnderstoodOfAnIgnoredPostback(t *testing.T) {
	for _, c := range []struct{ name, query, subid, tid, conversionType string }{
		{"a malformed subid is not kept", "subid=a/b&status=sale&tid=1", "", "", ""},
		{"a subid without a status is kept", "subid=c1", "c1", "", ""},
		{"a malformed tid is not kept", "subid=c1&status=sale&tid=" + strings.Repeat("x", 300), "c1", "", "sale"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ep := compile(t, nil)
			v := postback.Judge(ep, read(t, ep, c.query, "", ""), arrival(), rates())
			if v.Intent != nil || v.SubID != c.subid || v.TID != c.tid || v.Type != c.conversionType {
				t.Errorf("intent %v, subid %q, tid %q, type %q", v.Intent, v.SubID, v.TID, v.Type)
			}
		})
	}
}
