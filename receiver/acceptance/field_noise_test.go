package acceptance

// sale is a sale of ten with something more in its query.
func sale(more, came string) sent { return p("subid=X&status=sale&payout=10&"+more, came) }

// noise is no news.
var noise = []line{
	{"a counter", fresh, []sent{
		sale("ts=1", "recorded"), sale("ts=2", "duplicate"), sale("ts=3", "duplicate"), sale("ts=4", "duplicate"),
		sale("ts=5", "duplicate"), sale("ts=6", "duplicate"),
	}, []string{`"": sale 10, map[ts:1]`}, nil, 1},
	{"another note is kept, and nobody is told", fresh, []sent{sale("note=a", "recorded"), sale("note=b", "recorded")},
		[]string{`"": sale 10, was sale, map[note:b]`}, nil, 1},

	{"other counters", fresh, []sent{
		sale("_=1", "recorded"), sale("_=2&cb=1", "duplicate"), sale("cachebuster=7", "duplicate"),
		sale("nocache=8", "duplicate"),
		sale("rnd=9&rand=1", "duplicate"), sale("gtmcb=1&retry=2&attempt=3", "duplicate"),
	}, []string{`"": sale 10, map[_:1]`}, nil, 1},
	{"another wish for the reply", fresh, []sent{
		sale("", "recorded"),
		{method: "GET", target: "/KEY/postback?subid=X&status=sale&payout=10&return=OK", came: "duplicate", says: "OK"},
	}, []string{`"": sale 10`}, nil, 1},
	{"another sender", fresh, []sent{sale("from=a", "recorded"), sale("from=b", "duplicate")},
		[]string{`"": sale 10, map[from:a]`}, nil, 1},
	{"other names", fresh, []sent{sale("", "recorded"), p("clickid=X&event=sale&revenue=10.00", "duplicate")},
		[]string{`"": sale 10`}, nil, 1},
	{"other letters", fresh, []sent{
		sale("", "recorded"), p("subid=X&status=SALE&payout=%2410&currency=usd", "duplicate"),
	}, []string{`"": sale 10`}, nil, 1},
	{"another training for the same word", fresh, []sent{
		sale("sale_status=sale", "recorded"), sale("sale_status=sale,ok", "duplicate"),
	}, []string{`"": sale 10`}, nil, 1},
	{"another method", fresh, []sent{
		sale("", "recorded"), post("", form, "status=sale&payout=10&subid=X", "duplicate"),
	}, []string{`"": sale 10`}, nil, 1},
	{"a repair", fresh, []sent{
		sale("", "recorded"), p("SUBID=X&amp;status=sale&amp;payout=10", "duplicate !request_repaired"),
	}, []string{`"": sale 10`}, nil, 1},
	{"a parameter less", fresh, []sent{
		sale("note=a&keyword=k&tid=7", "recorded"), p("subid=X&status=sale&tid=7", "duplicate"),
	}, []string{`"7": sale 10, map[keyword:k note:a]`}, nil, 1},
	{"a note more", fresh, []sent{sale("", "recorded"), sale("note=a", "recorded"), sale("note=a", "duplicate")},
		[]string{`"": sale 10, was sale, map[note:a]`}, nil, 1},

	{"another amount is news", fresh, []sent{sale("", "recorded"), p("subid=X&status=sale&payout=11", "recorded")},
		[]string{`"": sale 11, was sale`}, nil, 2},
	{"another currency is news", fresh, []sent{sale("", "recorded"), sale("currency=eur", "recorded")},
		[]string{`"": sale 11 = 10 EUR × 1.1, was sale`}, nil, 2},
	{"another field of the click is news", fresh, []sent{sale("keyword=a", "recorded"), sale("keyword=b", "recorded")},
		[]string{`"": sale 10, was sale, map[keyword:b]`}, nil, 2},
	{"another type is news", fresh, []sent{
		sale("", "recorded"), p("subid=X&status=rejected", "recorded !overwrote_other_type"),
	}, []string{`"": rejected 10, was sale`}, nil, 2},
}

// rejected is what must become of a rejection, however its name is written.
var rejected = []string{`"": rejected 0`}

// dirtyNames do not turn a rejection into a sale.
var dirtyNames = []line{
	{"capitals", old, []sent{p("subid=X&STATUS=rejected", "recorded !request_repaired")}, rejected, nil, 0},
	{"a space behind", old, []sent{p("subid=X&status%20=rejected", "recorded !request_repaired")}, rejected, nil, 0},
	{"a second question mark", old, []sent{p("from=net?subid=X&status=rejected", "recorded !request_repaired")},
		[]string{`"": rejected 0, map[from:net]`}, nil, 0},
	{"a byte order mark", old, []sent{
		p("%EF%BB%BFsubid=X&status=rejected", "recorded !request_repaired"),
	}, rejected, nil, 0},

	{"an alias in capitals", old, []sent{
		p("ClickID=X&EVENT=rejected", "recorded !request_repaired"),
	}, rejected, nil, 0},
	{"a tab before", old, []sent{p("subid=X&%09status=rejected", "recorded !request_repaired")}, rejected, nil, 0},
	{"a plus before", old, []sent{p("subid=X&+status=rejected", "recorded !request_repaired")}, rejected, nil, 0},
	{"a no-break space behind", old, []sent{
		p("subid=X&status%C2%A0=rejected", "recorded !request_repaired"),
	}, rejected, nil, 0},
	{"a zero-width space before", old, []sent{
		p("subid=X&%E2%80%8Bstatus=rejected", "recorded !request_repaired"),
	}, rejected, nil, 0},
	{"brackets", old, []sent{p("subid[]=X&status%5B%5D=rejected", "recorded !request_repaired")}, rejected, nil, 0},
	{"an ampersand of HTML", old, []sent{
		p("subid=X&amp;status=rejected", "recorded !request_repaired"),
	}, rejected, nil, 0},
	{"an ampersand of HTML, encoded", old, []sent{
		p("subid=X&amp%3Bstatus=rejected", "recorded !request_repaired"),
	}, rejected, nil, 0},
	{"an ampersand of HTML, twice", old, []sent{
		p("subid=X&amp;amp;status=rejected", "recorded !request_repaired"),
	}, rejected, nil, 0},
	{"an ampersand by its number", old, []sent{
		p("subid=X&%23038;status=rejected", "recorded !request_repaired"),
	}, rejected, nil, 0},
	{"all of it", old, []sent{
		p("subid=X&amp;+Status[]%C2%A0=rejected", "recorded !request_repaired"),
	}, rejected, nil, 0},
	{"two question marks at the start", old, []sent{
		p("?subid=X&status=rejected", "recorded !request_repaired"),
	}, rejected, nil, 0},
	{"question marks for ampersands", old, []sent{p("subid=X?status=rejected?payout=1", "recorded !request_repaired")},
		[]string{`"": rejected 1`}, nil, 0},
	{"a question mark before a dirty name", old, []sent{
		p("from=net?SubID=X&Status=rejected", "recorded !request_repaired"),
	}, []string{`"": rejected 0, map[from:net]`}, nil, 0},
	{"a question mark behind one that is given", old, []sent{
		p("subid=X&from=n?subid=Y?status=rejected", "recorded !request_repaired"),
	}, []string{`"": rejected 0, map[from:n?subid=Y]`}, nil, 0},
	{"a form", old, []sent{
		post("", form, "\uFEFFsubid=X&Status=rejected", "recorded !request_repaired"),
	}, rejected, nil, 0},
	{"JSON", old, []sent{
		post("", asJSON, `{"SubId":"X"," STATUS ":"rejected"}`, "recorded !request_repaired"),
	}, rejected, nil, 0},
	{"nested JSON", old, []sent{
		post("", asJSON, `{"Data":{"SubId":"X"},"status":"rejected"}`, "recorded !request_repaired"),
	}, rejected, nil, 0},
	{"a multipart form", old, []sent{
		post("", multipart, multipartBody(" Status[] ", "rejected", "SUBID", "X"), "recorded !request_repaired"),
	}, rejected, nil, 0},
	{"training in capitals", fresh, []sent{
		p("subid=X&status=no&Rejected_Status=no,never", "recorded !request_repaired"),
	}, []string{`"": rejected 0, from no`}, nil, 1},

	{"the exact name goes first", old, []sent{p("subid=X&STATUS=rejected&status=lead", "recorded")},
		[]string{`"": lead 0, map[STATUS:rejected]`}, nil, 0},
	{"an unknown name stays", old, []sent{p("subid=X&stat=rejected", "recorded")},
		[]string{`"": sale 0, from nothing, map[stat:rejected]`}, nil, 0},
	{"an address keeps its query", fresh, []sent{
		p("subid=X&status=sale&url=https://a.example/?status=lead", "recorded"),
	}, []string{`"": sale 0, map[url:https://a.example/?status=lead]`}, nil, 1},
	{"an encoded question mark is a value's", fresh, []sent{p("subid=X&status=sale&url=a%3Ftid=7", "recorded")},
		[]string{`"": sale 0, map[url:a?tid=7]`}, nil, 1},

	{"§ion", entities, []sent{
		p("subid=X&status=sale§ion=7", "recorded !request_repaired"),
	}, []string{`"7": sale 0`}, nil, 0},
	{"&sect;ion", entities, []sent{
		p("subid=X&status=sale&sect;ion=7", "recorded !request_repaired"),
	}, []string{`"7": sale 0`}, nil, 0},
	{"§ion in one byte", entities, []sent{
		p("subid=X&status=sale%A7ion=7", "recorded !request_repaired"),
	}, []string{`"7": sale 0`}, nil, 0},
	{"©_id", entities, []sent{
		p("subid=X&status=sale%C2%A9_id=7", "recorded !request_repaired"),
	}, []string{`"7": sale 0`}, nil, 0},
	{"&copy;_id", entities, []sent{
		p("subid=X&status=sale&copy;_id=7", "recorded !request_repaired"),
	}, []string{`"7": sale 0`}, nil, 0},
	{"¶m1", entities, []sent{
		p("subid=X&status=sale\xb6m1=7", "recorded !request_repaired"),
	}, []string{`"7": sale 0`}, nil, 0},
	{"×tamp", entities, []sent{
		p("subid=X&status=sale\xd7tamp=7", "recorded !request_repaired"),
	}, []string{`"7": sale 0`}, nil, 0},
	{"¬ify_id", entities, []sent{
		p("subid=X&status=sale%c2%acify_id=7", "recorded !request_repaired"),
	}, []string{`"7": sale 0`}, nil, 0},
	{"¢er", entities, []sent{
		p("subid=X&status=sale¢er=7", "recorded !request_repaired"),
	}, []string{`"": sale 7`}, nil, 0},
	{">m_sum", entities, []sent{
		p("subid=X&status=sale>m_sum=7", "recorded !request_repaired"),
	}, []string{`"": sale 7`}, nil, 0},
	{"®istration_status", fresh, []sent{
		p("subid=X&status=new®istration_status=new&sale_status=paid", "recorded !request_repaired"),
	}, []string{`"": registration 0, from new`}, nil, 1},
	{"&reg;istration_status", fresh, []sent{
		p("subid=X&status=new&reg;istration_status=new", "recorded !request_repaired"),
	}, []string{`"": registration 0, from new`}, nil, 1},
	{"a sign in a value stays", entities, []sent{p("subid=X&status=sale&note=a§b&text=%C2%A9ion=7", "recorded")},
		[]string{`"": sale 0, map[note:a§b text:©ion=7]`}, nil, 0},
}
