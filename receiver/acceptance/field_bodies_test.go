package acceptance

// sold is what must become of a sale of five.
var sold = []string{`"": sale 5`}

const (
	asForm  = "subid=X&status=sale&payout=5"
	asOrder = `{"subid":"X","status":"sale","payout":5}`
	shopper = "Origin: https://shop.example"
)

// bodies that real senders send are read.
var bodies = []line{
	{"a form as text", fresh, []sent{post("", "text/plain", asForm, "recorded")}, sold, nil, 1},
	{"JSON as text", fresh, []sent{post("", "text/plain;charset=UTF-8", asOrder, "recorded")}, sold, nil, 1},
	{"JSON as a form", fresh, []sent{post("", form, asOrder, "recorded")}, sold, nil, 1},
	{"a form with a byte order mark", fresh, []sent{post("", form, "\uFEFF"+asForm, "recorded")}, sold, nil, 1},
	{"JSON with a byte order mark", fresh, []sent{post("", asJSON, "\uFEFF"+asOrder, "recorded")}, sold, nil, 1},
	{"a type that is there twice", fresh, []sent{
		post("", "application/json, application/json", asOrder, "recorded"),
	}, sold, nil, 1},
	{"a form as JSON", fresh, []sent{post("", asJSON, asForm, "recorded")}, sold, nil, 1},
	{"nested JSON", fresh, []sent{
		post("status=sale", asJSON, `{"data":{"subid":"X"},"payment":{"amount":5}}`, "recorded"),
	}, sold, nil, 1},
	{"bracket names", fresh, []sent{
		post("status=sale", form, "data[subid]=X&payment[amount]=5", "recorded"),
	}, sold, nil, 1},
	{"windows-1251", fresh, []sent{post("", form+"; charset=windows-1251", asForm+"&tid=%CF%F0", "recorded")},
		[]string{`"Пр": sale 5`}, nil, 1},
	{"a preflight", paged, []sent{{
		method: "OPTIONS", target: "/KEY/postback", headers: []string{shopper, "Access-Control-Request-Method: POST"},
		came: "204",
		has: []string{
			"Access-Control-Allow-Origin: https://shop.example", "Access-Control-Allow-Headers: Content-Type",
		},
	}, {
		method: "POST", target: "/KEY/postback", headers: append(typed(asJSON), shopper), body: asOrder,
		came: "recorded",
		has:  []string{"Access-Control-Allow-Origin: https://shop.example"},
	}}, sold, nil, 0},

	{"no type", fresh, []sent{post("", "", asForm, "recorded")}, sold, nil, 1},
	{"JSON without a type", fresh, []sent{post("", "", " \n"+asOrder, "recorded")}, sold, nil, 1},
	{"a form as HTML", fresh, []sent{post("", "text/html; charset=utf-8", asForm, "recorded")}, sold, nil, 1},
	{"a type that is none", fresh, []sent{post("", "json", asOrder, "recorded")}, sold, nil, 1},
	{"a type in capitals", fresh, []sent{
		post("", "APPLICATION/JSON; CHARSET=UTF-8", asOrder, "recorded"),
	}, sold, nil, 1},
	{"two header lines", fresh, []sent{{
		method: "POST", target: "/KEY/postback", headers: append(typed(asJSON), typed(form)...), body: asForm,
		came: "recorded",
	}}, sold, nil, 1},
	{"a list of one object", fresh, []sent{post("", asJSON, "["+asOrder+"]", "recorded")}, sold, nil, 1},
	{"JSON's numbers, null and lists", fresh, []sent{
		post(
			"", asJSON, `{"subid":"X","status":"sale","payout":5.00,"tid":77,"cost":null,"tags":["a","b"]}`, "recorded",
		),
	}, []string{`"77": sale 5, map[tags.0:a tags.1:b]`}, nil, 1},
	{"UTF-16 with its mark", fresh, []sent{post("", asJSON, utf16le("\uFEFF"+asOrder), "recorded")}, sold, nil, 1},
	{"UTF-16 without its mark", fresh, []sent{
		post("", asJSON+"; charset=utf-16", utf16le(asOrder), "recorded"),
	}, sold, nil, 1},
	{"UTF-8 that is announced as UTF-16", fresh, []sent{
		post("", asJSON+"; charset=utf-16", asOrder, "recorded"),
	}, sold, nil, 1},
	{"a charset that nobody can decode", fresh, []sent{
		post("", asJSON+"; charset=iso-2022-kr", asOrder, "recorded"),
		post("", form+"; charset=hz-gb-2312", asForm, "duplicate"),
	}, sold, nil, 1},
	{"a charset that is none", fresh, []sent{post("", form+"; charset=klingon", asForm+"&tid=%D0%9F", "recorded")},
		[]string{`"П": sale 5`}, nil, 1},
	{"KOI8-R in quotes", fresh, []sent{post("", form+`; charset="KOI8-R"`, asForm+"&tid=%F0%D2", "recorded")},
		[]string{`"Пр": sale 5`}, nil, 1},
	{"JSON in windows-1251", fresh, []sent{
		post(
			"", asJSON+"; charset=cp1251", "{\"subid\":\"X\",\"status\":\"sale\",\"payout\":5,\"tid\":\"\xcf\xf0\"}",
			"recorded",
		),
	}, []string{`"Пр": sale 5`}, nil, 1},
	{"a multipart form with odd names", fresh, []sent{
		post("status=sale", multipart, multipartBody("data[subid]", "X", "payment[amount]", "5"), "recorded"),
	}, sold, nil, 1},
	{"a multipart form whose header lacks the boundary", fresh, []sent{
		post("", "multipart/form-data", multipartBody("subid", "X", "status", "sale", "payout", "5"), "recorded"),
	}, sold, nil, 1},
	{"a form and JSON that are announced as multipart", fresh, []sent{
		post("", "multipart/form-data", asForm, "recorded"), post("", multipart, asOrder, "duplicate"),
	}, sold, nil, 1},
	{"line ends behind a form", fresh, []sent{post("", form, asForm+"\r\n", "recorded")}, sold, nil, 1},
	{"a body of a GET", fresh, []sent{{
		method: "GET", target: "/KEY/postback?subid=X&status=sale&payout=5", headers: typed(asJSON),
		body: `{"payout":9}`, came: "recorded",
	}}, sold, nil, 1},
	{"the query goes first", fresh, []sent{
		post("subid=X&payout=5", asJSON, `{"subid":"Y","status":"sale","payout":9}`, "recorded"),
	}, sold, nil, 1},
	{"a preflight of a page below a domain", paged, []sent{{
		method: "OPTIONS", target: "/PAGE/postback", headers: []string{"Origin: https://a.b.shop.test"}, came: "204",
		has: []string{"Access-Control-Allow-Origin: https://a.b.shop.test", "Access-Control-Allow-Methods: GET, POST"},
	}, {
		method: "POST", target: "/PAGE/postback", headers: append(typed(asJSON), "Origin: https://a.b.shop.test"),
		body: asOrder,
		came: "recorded", has: []string{"Access-Control-Allow-Origin: https://a.b.shop.test", "Vary: Origin"},
	}}, sold, nil, 0},
	{"a beacon of a page", paged, []sent{{
		method: "POST", target: "/PAGE/postback", headers: append(typed("text/plain;charset=UTF-8"), shopper),
		body: asForm,
		came: "recorded", has: []string{"Access-Control-Allow-Origin: https://shop.example"},
	}}, sold, nil, 0},
	{"a preflight of a foreign page", paged, []sent{{
		method: "OPTIONS", target: "/KEY/postback?subid=X", headers: []string{"Origin: https://evil.example"},
		came: "refused method_not_allowed", has: []string{"Access-Control-Allow-Origin: "},
	}}, nil, nil, 0},
	{"a preflight where no page may report", fresh, []sent{{
		method: "OPTIONS", target: "/KEY/postback?subid=X", headers: []string{shopper},
		came: "refused method_not_allowed",
	}}, nil, nil, 0},
}

// utf16le writes ASCII and a byte order mark in UTF-16.
func utf16le(text string) string {
	var encoded []byte
	for _, char := range text {
		encoded = append(encoded, byte(char), byte(char>>8))
	}
	return string(encoded)
}

// macros that nobody filled in hide no good value.
var macros = []line{
	{"of the click", fresh, []sent{
		p("subid={subid}&clickid=X&status=sale", "recorded"),
	}, []string{`"": sale 0`}, nil, 1},
	{"of the payout", fresh, []sent{
		p("subid=X&status=sale&payout={payout}&amount=7", "recorded"),
	}, []string{`"": sale 7`}, nil, 1},
	{"of the transaction", fresh, []sent{
		p("subid=X&status=sale&tid={tid}&order_id=56", "recorded"),
	}, []string{`"56": sale 0`}, nil, 1},
	{"of the status", fresh, []sent{
		p("subid=X&status={status}&event=sale", "recorded"),
	}, []string{`"": sale 0`}, nil, 1},
	{"behind the good value", fresh, []sent{
		p("subid=X&status=sale&subid=undefined", "recorded"),
	}, []string{`"": sale 0`}, nil, 1},

	{"encoded", fresh, []sent{
		p("subid=%7Bsubid%7D&clickid=X&status=sale", "recorded"),
	}, []string{`"": sale 0`}, nil, 1},
	{"of other trackers", fresh, []sent{
		p("subid=__CLICKID__&clickid=X&status=sale&tid=1", "recorded"),
		p("subid=[clickid]&sub_id=X&status=sale&tid=2", "recorded"),
		p("subid=${SUBID}&clickid=X&status=sale&tid=3", "recorded"),
		p("subid=REPLACE&clickid=X&status=sale&tid=4", "recorded"),
		p("subid=%25subid%25&clickid=X&status=sale&tid=5", "recorded"),
		p("subid=null&clickid=X&status=sale&tid=6", "recorded"),
	}, []string{`"1": sale 0`, `"2": sale 0`, `"3": sale 0`, `"4": sale 0`, `"5": sale 0`, `"6": sale 0`}, nil, 6},
	{"before the good value", fresh, []sent{
		p("subid={subid}&status=sale&subid=X", "recorded"),
	}, []string{`"": sale 0`}, nil, 1},
	{"in the query, the good value in the body", fresh, []sent{
		post("subid={subid}&status=sale", form, "subid=X", "recorded"),
	}, []string{`"": sale 0`}, nil, 1},
	{"in the body, under a better name", fresh, []sent{
		post("clickid=X&status=sale", asJSON, `{"subid":"{subid}"}`, "recorded"),
	}, []string{`"": sale 0`}, nil, 1},
	{"an amount that is no number", fresh, []sent{p("subid=X&status=sale&payout=none&amount=7", "recorded")},
		[]string{`"": sale 7`}, nil, 1},
	{"in a dirty name's place", fresh, []sent{p("subid=X&status={status}&STATUS=sale", "recorded !request_repaired")},
		[]string{`"": sale 0`}, nil, 1},
	{"nothing but macros", fresh, []sent{
		p("subid={subid}&clickid=[cid]&status=sale", "ignored subid_unresolved_macro !conflicting_aliases"),
	}, nil, nil, 0},
	{"of the transaction alone", fresh, []sent{p("subid=X&status=sale&tid={tid}", "recorded !tid_unresolved_macro")},
		[]string{`"": sale 0`}, nil, 1},
	{"of the status alone", fresh, []sent{
		p("subid=X&status={status}", "ignored status_unresolved_macro"),
	}, nil, nil, 0},
	{"two good values", fresh, []sent{
		p("subid=X&clickid=Y&status=sale", "recorded !conflicting_aliases"),
	}, []string{`"": sale 0`}, nil, 1},
	{"of fields of the click", fresh, []sent{p("subid=X&status=sale&keyword=${KW}&sub_id_3={x}", "recorded")},
		[]string{`"": sale 0`}, nil, 1},
	{"on a link", fresh, []sent{
		to("GET /spring?visitor_id=${SUBID}&keyword={keyword}&sub_id_1=__ZONE__", on),
		to("GET /spring?external_id={id}&visitor_id=v1&keyword=50%25+off", on),
	}, nil, []string{"spring", "spring, map[external_id:v1 keyword:50% off]"}, 0},
}
