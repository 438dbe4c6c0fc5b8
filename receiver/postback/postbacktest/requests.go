// Package postbacktest has the requests from which fuzzers of everything that judges postbacks begin.
package postbacktest

// Request is one request.
type Request struct{ Query, ContentType, Body string }

// The content types of bodies.
const (
	Form = "application/x-www-form-urlencoded"
	JSON = "application/json"
	Part = `multipart/form-data; boundary="b"`
)

// Requests are the seeds of all fuzzers that read a request.
var Requests = []Request{
	{"", "", ""},
	{"subid=c1&status=sale&payout=10&currency=eur&tid=9", "", ""},
	{"return=jsonp&status=lead&utm_x=1&revenue=7&sub_id=c1&status=sale&tid=55", "", ""},
	{"subid=c1&status=%D0%BB%D0%B8%D0%B4&lead_status=%d0%9b%d0%98%d0%94,x&bet_status=x&ignore=%zz&date=1767225600", "",
		""},
	{"subid={macro}&sub_id=%C3%28%00&clickid=\xff;a=1&&=&a", "", ""},
	{"subid=c1&status=", Form, "status=lead&payout=1,234&cost=-1&date=2026-01-01+10:00:00&subid=c2\n"},
	{"subid=c1", JSON, `{"status":"sale","payout":12.5,"tid":null,"x":{"y":[1,true]},"\u0061":"\u0000\ud800"}`},
	{"a=1", JSON, "[]"},
	{"", "", `{"subid":"c1","status":"first_bet"}`},
	{"sig=00", Part, "--b\r\nContent-Disposition: form-data; name=\"subid\"\r\n\r\nc1\r\n--b\r\n" +
		"Content-Disposition: form-data; name=f; filename=f\r\n\r\nzz\r\n--b--\r\n"},
}
