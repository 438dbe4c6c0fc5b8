package acceptance

// The visitor of the link goes on to the offer with the new click.
const (
	on       = "302 https://offer.example/?s=SUBID"
	onByPost = "303 https://offer.example/?s=SUBID"
)

// paths are read as nginx reads them in front of Keitaro.
var paths = []line{
	{"two slashes in front", fresh, []sent{
		to("GET //KEY/postback?subid=X&status=sale", "recorded"),
	}, []string{`"": sale 0`}, nil, 1},
	{"two slashes between", fresh, []sent{
		to("GET /KEY//postback?subid=X&status=sale", "recorded"),
	}, []string{`"": sale 0`}, nil, 1},
	{"a slash behind", fresh, []sent{
		to("GET /KEY/postback/?subid=X&status=sale", "recorded"),
	}, []string{`"": sale 0`}, nil, 1},
	{"a link with a slash behind", fresh, []sent{to("GET /spring/", on)}, nil, []string{"spring"}, 0},
	{"the root of old PHP clients", fresh, []sent{
		{method: "POST", target: "//", headers: typed(form), body: "token=TOKEN&version=3&keyword=a", came: "200"},
		{method: "POST", target: "//api.php", headers: typed(form), body: "token=TOKEN&version=3&keyword=b", came: "200"},
		{method: "POST", target: "//api.php?", headers: typed(form), body: "token=TOKEN&version=3&keyword=c", came: "200"},
		{method: "POST", target: "//", headers: typed(form), body: "token=wrong&version=3", came: "404"},
	}, nil, []string{"spring, map[keyword:a]", "spring, map[keyword:b]", "spring, map[keyword:c]"}, 0},
	{"the query behind an ampersand", fresh, []sent{
		to("GET /KEY/postback&subid=X&status=sale", "recorded !request_repaired"),
	}, []string{`"": sale 0`}, nil, 1},
	{"an encoded slash is none", fresh, []sent{to("GET /KEY%2Fpostback?subid=X&status=sale", "404")}, nil, nil, 0},

	{"slashes everywhere", fresh, []sent{
		to("GET ///KEY////postback//?subid=X&status=sale", "recorded"),
	}, []string{`"": sale 0`}, nil, 1},
	{"an image with a slash behind", fresh, []sent{{
		method: "GET", target: "/KEY/postback.gif/?subid=X&status=sale", came: "recorded", says: gif,
		has: []string{"Content-Type: image/gif"},
	}}, []string{`"": sale 0`}, nil, 1},
	{"a link with slashes in front", fresh, []sent{
		to("GET ///spring?keyword=a", on),
	}, nil, []string{"spring, map[keyword:a]"}, 0},
	{"an encoded letter", fresh, []sent{
		to("GET /KEY/%70ostback?subid=X&status=sale", "recorded"),
	}, []string{`"": sale 0`}, nil, 1},
	{"an encoded slash behind", fresh, []sent{to("GET /KEY/postback%2F?subid=X&status=sale", "404")}, nil, nil, 0},
	{"an encoded slash in front", fresh, []sent{to("GET /%2FKEY/postback?subid=X&status=sale", "404")}, nil, nil, 0},
	{"a link with an encoded slash", fresh, []sent{to("GET /spring%2f", "404")}, nil, nil, 0},
	{"an encoded slash in a name", fresh, []sent{p("subid=X&status=sale&a%2Fb=1", "recorded")},
		[]string{`"": sale 0, map[a/b:1]`}, nil, 1},
	{"the query behind an ampersand, with a slash in it", fresh, []sent{
		to("GET /KEY/postback&subid=X&status=sale&page=a/b", "recorded !request_repaired"),
	}, []string{`"": sale 0, map[page:a/b]`}, nil, 1},
	{"the query behind an ampersand, and a query", fresh, []sent{
		to("GET //KEY/postback&subid=X?status=sale", "recorded !request_repaired"),
	}, []string{`"": sale 0`}, nil, 1},
	{"a query without a value", fresh, []sent{
		to("GET /KEY/postback?&&subid=X&&status=sale&", "recorded"),
	}, []string{`"": sale 0`}, nil, 1},
	{"the campaign's name for the pixel", owned, []sent{{
		method: "GET", target: "/PAGE/spring.gif?subid=X&status=sale", headers: []string{shopper}, came: "recorded",
		says: gif,
		has:  []string{"Content-Type: image/gif"},
	}, {
		method: "GET", target: "/PAGE/spring?return=jsonp&subid=X&status=sale&tid=2", headers: []string{shopper},
		came: "recorded",
		says: `KTracking.response("Success");`,
	}, {
		method: "OPTIONS", target: "/PAGE/spring", headers: []string{shopper}, came: "204",
	}}, []string{`"": sale 0`, `"2": sale 0`}, nil, 0},
	{"the campaign's name for the script", owned, []sent{{
		method: "GET", target: "/spring.js", came: "200", has: []string{"Content-Type: text/javascript; charset=utf-8"},
	}}, nil, nil, 0},
	{"the campaign's name with another key", owned, []sent{
		to("GET /KEY/spring?subid=X&status=sale", "404"), to("GET /wrong/spring.gif?subid=X", "404"),
		to("GET /PAGE/other.gif?subid=X&status=sale", "404"), to("GET /other.js", "404"),
	}, nil, nil, 0},
	{"another path", fresh, []sent{
		to("GET /KEY/postback/x?subid=X&status=sale", "404"), to("GET /KEY", "404"),
	}, nil, nil, 0},
	{"the address as proxies send it", fresh, []sent{
		to("GET http://receiver.example//KEY/postback?subid=X&status=sale", "recorded"),
	}, []string{`"": sale 0`}, nil, 1},
}

// gif is the pixel.
const gif = "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00" +
	"\x01\x00\x01\x00\x00\x02\x01D\x00;"

// at is a sale of the transaction with a date.
func at(tid, date string) sent { return p("subid=X&status=sale&tid="+tid+"&date="+date, "recorded") }

// texts are dates, texts of old charsets, and forms that are sent to a link.
var texts = []line{
	{"an offset without a colon", fresh, []sent{at("", "2026-11-27T10:00:00+0300")},
		[]string{`"": sale 0, at 2026-11-27T07:00:00Z`}, nil, 1},
	{"a fraction and an offset", fresh, []sent{at("", "2026-11-27%2010:00:00.123%2B0000")},
		[]string{`"": sale 0, at 2026-11-27T10:00:00.123Z`}, nil, 1},
	{"windows-1251 keeps two transactions apart", fresh, []sent{
		p("subid=X&status=sale&tid=%CF%F0", "recorded !charset_guessed"),
		p("subid=X&status=sale&tid=%E2%E5", "recorded !charset_guessed"),
	}, []string{`"Пр": sale 0`, `"ве": sale 0`}, nil, 2},
	{"a pre-lander's form", fresh, []sent{{
		method: "POST", target: "/spring?keyword=a", headers: typed(form), body: "sub_id_1=b&keyword=c&email=d",
		came: onByPost,
	}}, nil, []string{"spring, map[keyword:a sub_id_1:b]"}, 0},

	{"dates with a zone", fresh, []sent{
		at("a", "2026-11-27T10:00:00%2B03:00"), at("b", "2026-11-27T10:00:00Z"), at("c", "2026-11-27+10:00:00+%2B03"),
		at("d", "2026-11-27+10:00:00.000+0000"), at("e", "Fri,+27+Nov+2026+10:00:00+GMT"),
		at("f", "Fri,+27+Nov+2026+10:00:00+%2B0300"),
	}, []string{
		`"a": sale 0, at 2026-11-27T07:00:00Z`, `"b": sale 0, at 2026-11-27T10:00:00Z`,
		`"c": sale 0, at 2026-11-27T07:00:00Z`,
		`"d": sale 0, at 2026-11-27T10:00:00Z`, `"e": sale 0, at 2026-11-27T10:00:00Z`,
		`"f": sale 0, at 2026-11-27T07:00:00Z`,
	}, nil, 6},
	{"dates without a zone", `{"timeZone":"Europe/Kyiv"}`, []sent{
		at("a", "2026-11-27+10:00:00"), at("b", "2026-11-27T10:00"), at("c", "2026-11-27"),
		at("d", "2026-11-27T10:00:00.5"),
	}, []string{
		`"a": sale 0, at 2026-11-27T08:00:00Z`, `"b": sale 0, at 2026-11-27T08:00:00Z`,
		`"c": sale 0, at 2026-11-26T22:00:00Z`,
		`"d": sale 0, at 2026-11-27T08:00:00.5Z`,
	}, nil, 0},
	{"unix times", fresh, []sent{at("a", "1795773600"), at("b", "1795773600500"), at("c", "1795773600.25")}, []string{
		`"a": sale 0, at 2026-11-27T10:00:00Z`, `"b": sale 0, at 2026-11-27T10:00:00.5Z`,
		`"c": sale 0, at 2026-11-27T10:00:00.25Z`,
	}, nil, 3},
	{"no dates", fresh, []sent{
		p("subid=X&status=sale&tid=a&date=yesterday", "recorded !date_unreadable"),
		p("subid=X&status=sale&tid=b&date={date}", "recorded !date_unreadable"),
		p("subid=X&status=sale&tid=c&date=2027-01-01", "recorded !date_in_future"),
	}, []string{`"a": sale 0`, `"b": sale 0`, `"c": sale 0`}, nil, 3},
	{"the same text in UTF-8 and in windows-1251", fresh, []sent{
		p("subid=X&status=sale&tid=%D0%9F%D1%80", "recorded"),
		p("subid=X&status=sale&tid=%CF%F0", "duplicate !charset_guessed"),
	}, []string{`"Пр": sale 0`}, nil, 1},
	{"windows-1251 raw", fresh, []sent{p("subid=X&status=sale&keyword=\xcf\xf0", "recorded !charset_guessed")},
		[]string{`"": sale 0, map[keyword:Пр]`}, nil, 1},
	{"windows-1251 in a form", fresh, []sent{
		post("", form, "subid=X&status=sale&keyword=%CF%F0", "recorded !charset_guessed"),
	}, []string{`"": sale 0, map[keyword:Пр]`}, nil, 1},
	{"windows-1251 in JSON", fresh, []sent{
		post("", asJSON, "{\"subid\":\"X\",\"status\":\"sale\",\"keyword\":\"\xcf\xf0\"}", "recorded !charset_guessed"),
	}, []string{`"": sale 0, map[keyword:Пр]`}, nil, 1},
	{"windows-1251 on a link", fresh, []sent{
		to("GET /spring?keyword=%CF%F0", on),
	}, nil, []string{"spring, map[keyword:Пр]"}, 0},
	{"broken escapes stay", fresh, []sent{p("subid=X&status=sale&a=100%&b=%zz", "recorded")},
		[]string{`"": sale 0, map[a:100% b:%zz]`}, nil, 1},
	{"a multipart form to a link", fresh, []sent{{
		method: "POST", target: "/spring", headers: typed(multipart), body: multipartBody("keyword", "a"),
		came: onByPost,
	}}, nil, []string{"spring, map[keyword:a]"}, 0},
	{"JSON to a link", fresh, []sent{{
		method: "POST", target: "/spring", headers: typed("text/plain"), body: `{"keyword":"a"}`, came: onByPost,
	}}, nil, []string{"spring, map[keyword:a]"}, 0},
	{"an empty form to a link", fresh, []sent{{method: "POST", target: "/spring", came: onByPost}},
		nil, []string{"spring"}, 0},
	{"a form to a link that cannot be read", fresh, []sent{{
		method: "POST", target: "/spring?keyword=a", headers: typed(asJSON), body: "{'b':1}", came: onByPost,
	}}, nil, []string{"spring, map[keyword:a]"}, 0},
	{"a form to a link with a slash", fresh, []sent{{
		method: "POST", target: "//spring/", headers: typed(form), body: "Keyword=a", came: onByPost,
	}}, nil, []string{"spring, map[keyword:a]"}, 0},
	{"other methods to a link", fresh, []sent{to("PUT /spring", "405"), to("DELETE /spring", "405")}, nil, nil, 0},
}
