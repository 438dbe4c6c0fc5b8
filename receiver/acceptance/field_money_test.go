package acceptance

import (
	"fmt"
	"strings"
)

// long is longer than a value may be.
var long = strings.Repeat("x", 2100)

// fields are so many form fields that nobody knows.
func fields(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "f%d=1&", i)
	}
	return b.String()
}

// kept are the first 200 of such fields, as a conversion has them.
func kept(more string) string {
	params := map[string]string{}
	for i := range 200 {
		params[fmt.Sprintf("f%d", i)] = "1"
	}
	return more + ", " + fmt.Sprint(params)
}

const cutOff = "--b0undary\r\nContent-Disposition: form-data; name=a\r\n\r\n"

// clicks is what a tracker sends to the click intake.
func clicks(body string) sent {
	return sent{method: "POST", target: "/clicks", headers: []string{
		"Authorization: Bearer CLICKS",
	}, body: body, came: "200"}
}

// unneeded: what nobody needs kills no conversion.
var unneeded = []line{
	{"a long string in an order's JSON", fresh, []sent{
		post("subid=X&status=sale&payout=10", asJSON, `{"line_items":"`+long+`"}`, "recorded !params_dropped"),
	}, []string{`"": sale 10, map[line_items:2048 bytes]`}, nil, 1},
	{"JSON in single quotes", fresh, []sent{
		post("subid=X&status=sale&payout=10", asJSON, `{'a':1}`, "recorded !body_ignored"),
	}, []string{`"": sale 10`}, nil, 1},
	{"a long COOKIES in a form", fresh, []sent{
		post("", form, "subid=X&status=lead&COOKIES="+long, "recorded !params_dropped"),
	}, []string{`"": lead 0, map[COOKIES:2048 bytes]`}, nil, 1},
	{"a long fbclid for a script", fresh, []sent{{
		method: "GET", target: "/KEY/postback?return=jsonp&sub_id=X&status=sale&fbclid=" + long,
		came: "recorded !params_dropped",
		says: `KTracking.response("Success");`, has: []string{"Content-Type: application/javascript"},
	}}, []string{`"": sale 0, map[fbclid:2048 bytes]`}, nil, 1},
	{"250 form fields", fresh, []sent{
		post("subid=X&status=sale", form, fields(250), "recorded !params_dropped"),
	}, []string{kept(`"": sale 0`)}, nil, 1},

	{"a long user agent", fresh, []sent{p("subid=X&status=sale&ua="+long, "recorded !params_dropped")},
		[]string{`"": sale 0, map[ua:2048 bytes]`}, nil, 1},
	{"a long name", fresh, []sent{
		p("subid=X&status=sale&"+long+"=1", "recorded !params_dropped"),
	}, []string{`"": sale 0`}, nil, 1},
	{"250 members of JSON, and the status behind them", fresh, []sent{
		post("subid=X", asJSON, "{"+strings.NewReplacer("f", `"f`, "=1&", `":1,`).Replace(fields(250))+`"status":"sale"}`,
			"recorded !params_dropped"),
	}, []string{kept(`"": sale 0`)}, nil, 1},
	{"250 fields, and the status behind them", fresh, []sent{
		post("subid=X", form, fields(250)+"status=sale", "recorded !params_dropped"),
	}, []string{kept(`"": sale 0`)}, nil, 1},
	{"a long part of a multipart form", fresh, []sent{
		post("", multipart, multipartBody("subid", "X", "status", "sale", "log", long), "recorded !params_dropped"),
	}, []string{`"": sale 0, map[log:2048 bytes]`}, nil, 1},
	{"a multipart form that is cut off", fresh, []sent{
		post("subid=X&status=sale", multipart, cutOff+"1\r\n"+cutOff+long, "recorded !body_ignored"),
	}, []string{`"": sale 0`}, nil, 1},
	{"a body that is too long", fresh, []sent{
		post("subid=X&status=sale", form, "x="+strings.Repeat("x", 64<<10), "recorded !body_ignored"),
	}, []string{`"": sale 0`}, nil, 1},
	{"a body that is compressed", fresh, []sent{{
		method: "POST", target: "/KEY/postback?subid=X&status=sale", body: "\x1f\x8b\x08",
		came:    "recorded !body_ignored",
		headers: []string{"Content-Encoding: gzip"},
	}}, []string{`"": sale 0`}, nil, 1},
	{"a body of XML", fresh, []sent{
		post("subid=X&status=sale", "text/xml", "<order><status>lead</status></order>", "recorded"),
	}, []string{`"": sale 0`}, nil, 1},
	{"a long keyword counts as missing", fresh, []sent{
		p("subid=X&status=sale&keyword="+long, "recorded !parameter_too_long"),
	}, []string{`"": sale 0`}, nil, 1},
	{"a long payout counts as missing", fresh, []sent{
		p("subid=X&status=sale&payout=1"+long, "recorded !parameter_too_long"),
	}, []string{`"": sale 0`}, nil, 1},
	{"a broken body beside a query without the click", fresh, []sent{
		post("status=sale", asJSON, `{'subid':'X'}`, "refused request_unreadable"),
	}, nil, nil, 0},
	{"a refusal for a script", fresh, []sent{{
		method: "POST", target: "/KEY/postback?return=jsonp&status=sale", headers: typed(asJSON), body: `{'subid':'X'}`,
		came: "refused request_unreadable", says: `KTracking.response("Refused: request_unreadable");`,
	}}, nil, nil, 0},
}

// amounts: money keeps its value and its currency.
var amounts = []line{
	{"rubles by their sign", fresh, []sent{p("subid=X&status=sale&payout=500+₽", "recorded")},
		[]string{`"": sale 6.25 = 500 RUB × 0.0125`}, nil, 1},
	{"grouped rupiah", fresh, []sent{p("subid=X&status=sale&payout=Rp+1.500.000", "recorded !currency_unknown")},
		[]string{`"": sale ? = 1500000 IDR × ?`}, nil, 1},
	{"a code that the parameter contradicts", fresh, []sent{
		p("subid=X&status=sale&payout=1500+RUB&currency=usd", "recorded !currency_conflict"),
	}, []string{`"": sale 1500`}, nil, 1},
	{"an exponent", fresh, []sent{
		p("subid=X&status=sale&payout=1.5E7", "recorded"),
	}, []string{`"": sale 15000000`}, nil, 1},
	{"an amount that a duplicate drops", fresh, []sent{
		p("subid=X&status=sale&payout=10", "recorded"),
		p("subid=X&status=sale&payout=x1", "duplicate !payout_unreadable"),
	}, []string{`"": sale 10`}, nil, 1},
	{"HTML's currency sign, raw", fresh, []sent{
		p("subid=X&status=sale&payout=10¤cy=eur", "recorded !request_repaired"),
	}, []string{`"": sale 11 = 10 EUR × 1.1`}, nil, 1},
	{"HTML's currency sign, encoded", fresh, []sent{
		p("subid=X&status=sale&payout=10%C2%A4cy=eur", "recorded !request_repaired"),
	}, []string{`"": sale 11 = 10 EUR × 1.1`}, nil, 1},
	{"HTML's currency sign in one byte", fresh, []sent{
		p("subid=X&status=sale&payout=10%A4cy=eur", "recorded !request_repaired"),
	}, []string{`"": sale 11 = 10 EUR × 1.1`}, nil, 1},
	{"HTML's currency sign on a link", fresh, []sent{to("GET /spring?cost=100¤cy=eur", on)},
		nil, []string{"spring, cost 100 EUR"}, 0},
	{"HTML's ampersands", fresh, []sent{
		p("subid=X&amp;status=sale&amp;payout=10&amp;currency=eur", "recorded !request_repaired"),
	}, []string{`"": sale 11 = 10 EUR × 1.1`}, nil, 1},

	{"the sign's entity spelled out", fresh, []sent{
		p("subid=X&status=sale&payout=10&curren;cy=eur", "recorded !request_repaired"),
	}, []string{`"": sale 11 = 10 EUR × 1.1`}, nil, 1},
	{"the sign's entity by its number", fresh, []sent{
		p("subid=X&status=sale&payout=10&%23164;cy=eur", "recorded !request_repaired"),
	}, []string{`"": sale 11 = 10 EUR × 1.1`}, nil, 1},
	{"the sign's entity with the semicolon encoded", fresh, []sent{
		p("subid=X&status=sale&payout=10&amp;curren%3Bcy=eur", "recorded !request_repaired"),
	}, []string{`"": sale 11 = 10 EUR × 1.1`}, nil, 1},
	{"the sign in mixed letters", fresh, []sent{
		p("subid=X&status=sale&payout=10%c2%A4Cy=eur", "recorded !request_repaired"),
	}, []string{`"": sale 11 = 10 EUR × 1.1`}, nil, 1},
	{"the sign in a form", fresh, []sent{
		post("", form, "subid=X&status=sale&payout=10\xa4cy=eur", "recorded !request_repaired"),
	}, []string{`"": sale 11 = 10 EUR × 1.1`}, nil, 1},
	{"the sign behind an address that names what is given", fresh, []sent{
		p("subid=X&status=sale&payout=10&url=https://a.example/?subid=Y¤cy=eur", "recorded !request_repaired"),
	}, []string{`"": sale 11 = 10 EUR × 1.1, map[url:https://a.example/?subid=Y]`}, nil, 1},
	{"the entity spelled out on a link", fresh, []sent{
		to("GET /spring?cost=100&curren;cy=eur", on),
	}, nil, []string{"spring, cost 100 EUR"}, 0},
	{"HTML's ampersands on a link", fresh, []sent{
		to("GET /spring?keyword=a&amp;cost=1&amp;Currency=eur", on),
	}, nil, []string{"spring, cost 1 EUR, map[keyword:a]"}, 0},
	{"rubles of a link", fresh, []sent{to("GET /spring?cost=500+%E2%82%BD", on)},
		nil, []string{"spring, cost 500 RUB"}, 0},
	{"macros of a link's cost", fresh, []sent{
		to("GET /spring?cost={cost}&currency={currency}", on),
		to("GET /spring?cost=2&currency={currency}", on),
	}, nil, []string{"spring", "spring, cost 2 USD"}, 0},

	{"macros of a tracker's clicks", fresh, []sent{
		clicks(`{"subid":"a","cost":5,"currency":"{currency}"}`),
		clicks(`{"subid":"b","cost":"{cost}","keyword":"{keyword}"}`),
		clicks(`{"subid":"c","cost":"5","currency":"$","source":"__SOURCE__"}`),
	}, nil, []string{"", "cost 5 USD", "cost 5 USD"}, 0},

	{"euro in front", fresh, []sent{p("subid=X&status=sale&payout=€12,50", "recorded")},
		[]string{`"": sale 13.75 = 12.5 EUR × 1.1`}, nil, 1},
	{"a sign and its code", fresh, []sent{p("subid=X&status=sale&payout=%E2%82%AC10.00+EUR", "recorded")},
		[]string{`"": sale 11 = 10 EUR × 1.1`}, nil, 1},
	{"euro behind, without a space", fresh, []sent{p("subid=X&status=sale&payout=10EUR", "recorded")},
		[]string{`"": sale 11 = 10 EUR × 1.1`}, nil, 1},
	{"rubles in words", fresh, []sent{p("subid=X&status=sale&payout=500+%D1%80%D1%83%D0%B1.", "recorded")},
		[]string{`"": sale 6.25 = 500 RUB × 0.0125`}, nil, 1},
	{"grouped rubles with a comma", fresh, []sent{p("subid=X&status=sale&payout=1%C2%A0500,00+%E2%82%BD", "recorded")},
		[]string{`"": sale 18.75 = 1500 RUB × 0.0125`}, nil, 1},
	{"the dollar of a dollar endpoint", fresh, []sent{p("subid=X&status=sale&payout=$1,234.56", "recorded")},
		[]string{`"": sale 1234.56`}, nil, 1},
	{"the real is no dollar", fresh, []sent{p("subid=X&status=sale&payout=R$+10", "recorded !currency_unknown")},
		[]string{`"": sale ? = 10 BRL × ?`}, nil, 1},
	{"crowns are nobody knows whose", fresh, []sent{
		p("subid=X&status=sale&payout=kr+100", "recorded !currency_unknown"),
	}, []string{`"": sale ? = 100 KR × ?`}, nil, 1},
	{"złoty", fresh, []sent{p("subid=X&status=sale&payout=10+z%C5%82", "recorded !currency_unknown")},
		[]string{`"": sale ? = 10 PLN × ?`}, nil, 1},
	{"a sign that the parameter confirms", fresh, []sent{p("subid=X&status=sale&payout=10+€&currency=EUR", "recorded")},
		[]string{`"": sale 11 = 10 EUR × 1.1`}, nil, 1},
	{"a sign for the currency", fresh, []sent{p("subid=X&status=sale&payout=10&currency=€", "recorded")},
		[]string{`"": sale 11 = 10 EUR × 1.1`}, nil, 1},
	{"a dollar sign for the currency is no macro", fresh, []sent{
		p("subid=X&status=sale&payout=10&currency=$", "recorded"),
	}, []string{`"": sale 10`}, nil, 1},
	{"the ruble's former code", fresh, []sent{p("subid=X&status=sale&payout=500&currency=rur", "recorded")},
		[]string{`"": sale 6.25 = 500 RUB × 0.0125`}, nil, 1},
	{"an unfilled currency", fresh, []sent{
		p("subid=X&status=sale&payout=10&currency={currency}", "recorded !currency_unresolved_macro"),
	}, []string{`"": sale 10`}, nil, 1},
	{"a currency nobody has a rate for", fresh, []sent{
		p("subid=X&status=sale&payout=10&currency=XAU", "recorded !currency_unknown"),
	}, []string{`"": sale ? = 10 XAU × ?`}, nil, 1},
	{"other exponents", fresh, []sent{
		p("subid=X&status=sale&tid=a&payout=1e2", "recorded"), p("subid=X&status=sale&tid=b&payout=5e-05", "recorded"),
		p("subid=X&status=sale&tid=c&payout=1e16", "recorded !payout_unreadable"),
	}, []string{`"a": sale 100`, `"b": sale 0.00005`, `"c": sale 0`}, nil, 3},
	{"what is no number", fresh, []sent{
		p("subid=X&status=sale&tid=a&payout=0x1F", "recorded !payout_unreadable"),
		p("subid=X&status=sale&tid=b&payout=NaN", "recorded !payout_unreadable"),
		p("subid=X&status=sale&tid=c&payout=%5Bobject+Object%5D", "recorded !payout_unreadable"),
		p("subid=X&status=sale&tid=d&payout=10+20", "recorded !payout_unreadable"),
		p("subid=X&status=sale&tid=e&payout=1.23,45", "recorded !payout_unreadable"),
	}, []string{`"a": sale 0`, `"b": sale 0`, `"c": sale 0`, `"d": sale 0`, `"e": sale 0`}, nil, 5},
	{"other amounts that a duplicate drops", fresh, []sent{
		p("subid=X&status=sale&payout=10", "recorded"),
		p("subid=X&status=sale&payout={payout}", "duplicate !payout_unreadable"),
		p("subid=X&status=sale&payout=1+2", "duplicate !payout_unreadable"),
		p("subid=X&status=sale&revenue=Infinity", "duplicate !payout_unreadable"),
		post("", asJSON, `{"subid":"X","status":"sale","payout":"undefined"}`, "duplicate !payout_unreadable"),
		p("subid=X&status=sale&payout=10&cost=free", "duplicate !cost_unreadable"),
	}, []string{`"": sale 10`}, nil, 1},
	{"a lone comma", fresh, []sent{
		p("subid=X&status=sale&tid=a&payout=1,234", "recorded !payout_ambiguous"),
		p("subid=X&status=sale&tid=b&payout=1,23", "recorded"),
		p("subid=X&status=sale&tid=c&payout=1,234,567", "recorded"),
		p("subid=X&status=sale&tid=d&payout=12.5,", "recorded"),
	}, []string{`"a": sale 1234`, `"b": sale 1.23`, `"c": sale 1234567`, `"d": sale 12.5`}, nil, 4},
	{"numbers of JSON", fresh, []sent{
		post("", asJSON, `{"subid":"X","status":"sale","payout":1.5e1,"currency":"eur"}`, "recorded"),
	}, []string{`"": sale 16.5 = 15 EUR × 1.1`}, nil, 1},
	{"a cost keeps its currency", fresh, []sent{p("subid=X&status=lead&cost=500+RUB", "recorded")},
		[]string{`"": lead 0, cost 6.25`}, nil, 1},
}
