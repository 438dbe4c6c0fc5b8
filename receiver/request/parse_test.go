package request_test

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/request"
)

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json"
	partType = `multipart/form-data; boundary="b"`
)

// query and body name the expected values by where they stand.
func query(name, value string) request.Value { return request.Value{Name: name, Value: value} }

func body(name, value string) request.Value {
	return request.Value{Name: name, Value: value, InBody: true}
}

func TestParseQuery(t *testing.T) {
	for _, c := range []struct {
		name, raw string
		want      request.Values
	}{
		{"nothing", "", nil},
		{"only separators", "&&&", nil},
		{"pairs in their order", "b=2&a=1", request.Values{query("b", "2"), query("a", "1")}},
		{"the last value counts", "a=1&a=2", request.Values{query("a", "2")}},
		{"the last value that is not empty counts", "a=1&a=&a=+", request.Values{query("a", "1")}},
		{"a value may hold equals signs", "a=b=c", request.Values{query("a", "b=c")}},
		{"a name without a value is absent", "a&b=1", request.Values{query("b", "1")}},
		{"a value without a name is absent", "=1&b=1", request.Values{query("b", "1")}},
		{"a plus is a space", "a=b+c", request.Values{query("a", "b c")}},
		{"an encoded plus is a plus", "a=b%2Bc", request.Values{query("a", "b+c")}},
		{"a semicolon separates nothing", "a=1;b=2", request.Values{query("a", "1;b=2")}},
		{"a broken sequence stays", "a=%zz%4&b=%", request.Values{query("a", "%zz%4"), query("b", "%")}},
		{"a broken sequence before a good one", "a=%%41", request.Values{query("a", "%A")}},
		{"hex digits in either letter case", "a=%c3%A9", request.Values{query("a", "é")}},
		{"it is decoded once", "a=%2541", request.Values{query("a", "%41")}},
		{"names are decoded", "%61=1", request.Values{query("a", "1")}},
		{"names are case-sensitive", "A=1&a=2", request.Values{query("A", "1"), query("a", "2")}},
		{"names are not trimmed", "+a=1", request.Values{query(" a", "1")}},
		{"values are trimmed of any white space", "a=%09%C2%A0x%0A+", request.Values{query("a", "x")}},
		{"what is not UTF-8 is windows-1251", "a=%CF%F0&b=\xff", request.Values{query("a", "Пр"), query("b", "я")}},
		{"a macro gives way to a value before it", "a=1&a={a}&b={b}&b=2", request.Values{query("a", "1"), query("b", "2")}},
		{"of macros the last one counts", "a={a}&a=__A__", request.Values{query("a", "__A__")}},
		{"values are trimmed of marks and zero-width spaces", "a=%EF%BB%BF%E2%80%8Bx%E2%80%8B",
			request.Values{query("a", "x")}},
		{"bracket names are paths", "payment[amount]=5&a[b][c]=1&l[]=2",
			request.Values{query("payment.amount", "5"), query("a.b.c", "1"), query("l[]", "2")}},
		{"NUL is replaced", "a=x%00y", request.Values{query("a", "x\uFFFDy")}},
		{"an encoded separator is part of the value", "a=1%262", request.Values{query("a", "1&2")}},
	} {
		t.Run(c.name, func(t *testing.T) { checkParse(t, c.raw, "", "", c.want) })
	}
}

func TestParseBody(t *testing.T) {
	part := func(disposition, value string) string {
		return "--b\r\nContent-Disposition: form-data; " + disposition + "\r\n\r\n" + value + "\r\n"
	}
	for _, c := range []struct {
		name, raw, contentType, body string
		want                         request.Values
	}{
		{"a form", "", formType, "a=1&b=x+y", request.Values{body("a", "1"), body("b", "x y")}},
		{"a form with a charset, in capitals", "", "Application/X-WWW-Form-Urlencoded; charset=utf-8", "a=1",
			request.Values{body("a", "1")}},
		{"a form that ends with a newline", "", formType, "a=1\n", request.Values{body("a", "1")}},
		{"the last value of a form counts", "", formType, "a=1&a=2", request.Values{body("a", "2")}},
		{"the query goes before the body", "a=q", formType, "a=b&c=d", request.Values{query("a", "q"), body("c", "d")}},
		{"a macro in the query does not", "a={a}", formType, "a=b", request.Values{query("a", "{a}"), body("a", "b")}},
		{"an empty value in the query is none", "a=", formType, "a=b", request.Values{body("a", "b")}},
		{"a body without a type is a form", "", "", "a=1", request.Values{body("a", "1")}},
		{"a body without a type that begins with a brace is JSON", "", "", ` {"a":"1"}`, request.Values{body("a", "1")}},
		{"a body of another type has no parameters", "a=1", "text/xml", "<b>2</b>", request.Values{query("a", "1")}},
		{"a form as text", "", "text/plain", "a=1&b=2", request.Values{body("a", "1"), body("b", "2")}},
		{"JSON as text", "", "text/plain;charset=UTF-8", `{"a":1}`, request.Values{body("a", "1")}},
		{"JSON announced as a form", "", formType, "\n\t{\"a\":1}", request.Values{body("a", "1")}},
		{"a form announced as JSON", "", jsonType, "a=1", request.Values{body("a", "1")}},
		{"a type that was sent twice", "", "application/json, application/json", `{"a":1}`, request.Values{body("a", "1")}},
		{"a form with a byte order mark", "", formType, "\uFEFFa=1", request.Values{body("a", "1")}},
		{"a form in windows-1251", "", formType + "; charset=windows-1251", "a=%CF%F0", request.Values{body("a", "Пр")}},
		{"a form in quoted KOI8-R", "", formType + `; charset="KOI8-R"`, "a=%F0%D2", request.Values{body("a", "Пр")}},
		{"JSON in windows-1251", "", jsonType + "; charset=cp1251", "{\"a\":\"\xcf\xf0\"}", request.Values{body("a", "Пр")}},
		{"JSON in UTF-16", "", jsonType, "\xff\xfe{\x00\"\x00a\x00\"\x00:\x001\x00}\x00", request.Values{body("a", "1")}},
		{"a charset without a name is none", "", formType + "; charset=", "a=1", request.Values{body("a", "1")}},
		{"a charset that ends at once is none", "", formType + "; charset=;x", "a=1", request.Values{body("a", "1")}},
		{"a charset without a decoder is none", "", jsonType + "; charset=iso-2022-kr", `{"a":"1"}`,
			request.Values{body("a", "1")}},
		{"JSON in another charset than declared", "", jsonType + "; charset=utf-16", `{"a":"1"}`,
			request.Values{body("a", "1")}},
		{"JSON in UTF-16 without a mark", "", jsonType, "{\x00\"\x00a\x00\"\x00:\x001\x00}\x00",
			request.Values{body("a", "1")}},
		{"JSON in UTF-16 the other way round", "", jsonType, "\x00{\x00\"\x00a\x00\"\x00:\x001\x00}",
			request.Values{body("a", "1")}},
		{"an unknown charset is none", "", formType + "; charset=klingon", "a=%D0%9F", request.Values{body("a", "П")}},
		{"JSON strings, numbers and booleans", "", jsonType, `{"a":"x","b":10.50,"c":true,"d":false}`,
			request.Values{body("a", "x"), body("b", "10.50"), body("c", "true"), body("d", "false")}},
		{"JSON numbers stay as they are written", "", jsonType, `{"a":12345678901234567890.10,"b":1E2}`,
			request.Values{body("a", "12345678901234567890.10"), body("b", "1E2")}},
		{"JSON null is absent", "", jsonType, `{"a":null,"b":""}`, nil},
		{"JSON nested values have paths", "", jsonType, `{"data":{"order":{"id":7},"l":[1,"x"]},"c":[],"d":{}}`,
			request.Values{body("data.order.id", "7"), body("data.l.0", "1"), body("data.l.1", "x")}},
		{"JSON nested too deep is absent", "", jsonType, strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40), nil},
		{"a JSON list of one object is the object", "", jsonType, `[{"b":"2"}]`, request.Values{body("b", "2")}},
		{"a JSON list of more is numbered", "", jsonType, `[{"b":"2"},{"b":"3"}]`,
			request.Values{body("0.b", "2"), body("1.b", "3")}},
		{"a JSON name that comes twice counts with its last value", "", jsonType, `{"a":"1","a":"2","a":null}`,
			request.Values{body("a", "2")}},
		{"JSON escapes", "", jsonType, `{"\u0061":"\u00e9\u0000\ud800"}`, request.Values{body("a", "é\uFFFD\uFFFD")}},
		{"JSON strings are not %-decoded", "", jsonType, `{"a":"%41+b"}`, request.Values{body("a", "%41+b")}},
		{"JSON with a byte order mark", "", jsonType, "\uFEFF{\"a\":\"1\"}", request.Values{body("a", "1")}},
		{"JSON of a vendor", "", "application/vnd.x+json; charset=utf-8", `{"a":"1"}`, request.Values{body("a", "1")}},
		{"JSON that is null", "a=1", jsonType, "null", request.Values{query("a", "1")}},
		{"JSON that is an empty list", "a=1", jsonType, `[]`, request.Values{query("a", "1")}},
		{"JSON that is blank", "a=1", jsonType, " \n", request.Values{query("a", "1")}},
		{"a multipart form", "", partType, part(`name="a"`, "1") + part(`name="b"`, " x+%41 ") + "--b--\r\n",
			request.Values{body("a", "1"), body("b", "x+%41")}},
		{"a multipart form's files are left out", "", partType,
			part(`name="f"; filename="x.csv"`, strings.Repeat("z", 4000)) + part(`name="a"`, "1") + "--b--\r\n",
			request.Values{body("a", "1")}},
		{"a multipart form whose header names no boundary", "", "multipart/form-data", part(`name="a"`, "1") + "--b--\r\n",
			request.Values{body("a", "1")}},
		{"a multipart form without a header", "", "", part(`name="a"`, "1") + "--b--\r\n", request.Values{body("a", "1")}},
		{"a multipart form whose header names another boundary", "", "multipart/form-data; boundary=c",
			part(`name="a"`, "1") + "--b--\r\n", request.Values{body("a", "1")}},
		{"a form that is announced as multipart", "", partType, "a=1", request.Values{body("a", "1")}},
		{"JSON that is announced as multipart", "", "multipart/form-data", `{"a":1}`, request.Values{body("a", "1")}},
		{"a form that begins with dashes", "", formType, "--a=1\nb", request.Values{body("--a", "1\nb")}},
		{"a multipart part without a name", "", partType, part(`x="a"`, "1") + "--b--\r\n", nil},
	} {
		t.Run(c.name, func(t *testing.T) { checkParse(t, c.raw, c.contentType, c.body, c.want) })
	}
}

func checkParse(t *testing.T, raw, contentType, body string, want request.Values) {
	t.Helper()
	parsed, err := request.Parse(&request.Request{RawQuery: raw, ContentType: contentType, Body: []byte(body)}, nil, nil)
	if err != nil || parsed.BodyError != nil {
		t.Fatal(err, parsed.BodyError)
	}
	got := parsed.Values
	if len(got) == 0 {
		got = nil
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(request.Value{})); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}

// pairs returns n different parameters.
func pairs(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("p" + strconv.Itoa(i) + "=1&")
	}
	return b.String()
}

func TestWhatIsTooLongOrTooMuch(t *testing.T) {
	names := request.NewNames(nil, map[string]int{"subid": 0, "status": 1, "keyword": 2})
	long := strings.Repeat("v", request.MaxValueBytes)
	for _, c := range []struct {
		name, raw, contentType, body string
		values                       int
		dropped                      bool
	}{
		{"200 unknown parameters", pairs(200), "", "", 200, false},
		{"201 unknown parameters", pairs(201), "", "", 200, true},
		{"250 in a body beside a whole query", "subid=c1&status=sale", formType, pairs(250), 202, true},
		{"known ones behind 250 others", pairs(250) + "subid=c1&STATUS=sale", "", "", 202, true},
		{"a known one that hides behind 250 others", pairs(250) + "x=1?subid=c1", "", "", 201, true},
		{"201 times the same parameter", strings.Repeat("a=1&", 201), "", "", 1, false},
		{"parameters without a value", strings.Repeat("a&", 1000), "", "", 0, false},
		{"an unknown value of 2 KiB", "a=" + long, "", "", 1, false},
		{"a longer unknown value", "a=" + long + "v", "", "", 1, true},
		{"a value is measured decoded", "a=" + strings.Repeat("%41", request.MaxValueBytes), "", "", 1, false},
		{"an unknown name of more than 2 KiB", long + "v=1", "", "", 0, true},
		{"a long string in JSON", "", jsonType, `{"line_items":"` + long + `v"}`, 1, true},
		{"a long part", "", partType, "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n" + long + "v\r\n--b--", 1, true},
		{"a long known value", "keyword=" + long + "v", "", "", 1, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := request.Parse(&request.Request{RawQuery: c.raw, ContentType: c.contentType, Body: []byte(c.body)}, names,
				nil)
			if err != nil || got.BodyError != nil {
				t.Fatal(err, got.BodyError)
			}
			if dropped := slices.Contains(got.Warnings, conversion.ParamsDropped); len(got.Values) != c.values ||
				dropped != c.dropped {
				t.Errorf("%d values, warnings %v; want %d, dropped %v", len(got.Values), got.Warnings, c.values, c.dropped)
			}
		})
	}
}

func TestWhatCannotBeRead(t *testing.T) {
	for _, c := range []struct {
		name, raw, contentType, body string
		reason                       conversion.Reason
	}{
		{"a longer query", strings.Repeat("&", request.MaxURLBytes+1), "", "", conversion.RequestTooLarge},
		{"a longer body, whatever its type", "", "text/plain", strings.Repeat("x", request.MaxBodyBytes+1),
			conversion.RequestTooLarge},
		{"JSON in single quotes", "", jsonType, "{'a':1}", conversion.RequestUnreadable},
		{"broken JSON", "", jsonType, `{"a":`, conversion.RequestUnreadable},
		{"JSON with more behind it", "", jsonType, `{"a":"1"}{`, conversion.RequestUnreadable},
		{"a multipart form that is cut off", "", partType, "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1",
			conversion.RequestUnreadable},
	} {
		t.Run(c.name, func(t *testing.T) {
			parsed, err := request.Parse(&request.Request{RawQuery: c.raw, ContentType: c.contentType, Body: []byte(c.body)},
				nil, nil)
			got := parsed.BodyError
			if broken, ok := errors.AsType[*request.Error](err); ok {
				got = broken
			}
			if got == nil || got.Reason != c.reason || len(parsed.Values) > 0 {
				t.Errorf("got %+v and %v, want %s", got, parsed.Values, c.reason)
			}
		})
	}
}

// TestNothingIsLeftOfABodyThatCannotBeRead has a part that is dropped before the body breaks off.
func TestNothingIsLeftOfABodyThatCannotBeRead(t *testing.T) {
	broken := "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n" + strings.Repeat("v", 3000) + "\r\n--b\r\nContent-"
	got, err := request.Parse(&request.Request{RawQuery: pairs(30), ContentType: partType, Body: []byte(broken)}, nil, nil)
	if err != nil || got.BodyError == nil || len(got.Values) != 30 || len(got.Warnings) > 0 {
		t.Errorf("%d values, warnings %v, errors %v, %v", len(got.Values), got.Warnings, got.BodyError, err)
	}
}
