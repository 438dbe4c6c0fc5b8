package postback_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/postback"
)

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json"
	partType = `multipart/form-data; boundary="b"`
)

// query and body name the expected values by where they stand.
func query(name, value string) postback.Value { return postback.Value{Name: name, Value: value} }

func body(name, value string) postback.Value {
	return postback.Value{Name: name, Value: value, InBody: true}
}

func TestParseQuery(t *testing.T) {
	for _, c := range []struct {
		name, raw string
		want      postback.Values
	}{
		{"nothing", "", nil},
		{"only separators", "&&&", nil},
		{"pairs in their order", "b=2&a=1", postback.Values{query("b", "2"), query("a", "1")}},
		{"the last value counts", "a=1&a=2", postback.Values{query("a", "2")}},
		{"the last value that is not empty counts", "a=1&a=&a=+", postback.Values{query("a", "1")}},
		{"a value may hold equals signs", "a=b=c", postback.Values{query("a", "b=c")}},
		{"a name without a value is absent", "a&b=1", postback.Values{query("b", "1")}},
		{"a value without a name is absent", "=1&b=1", postback.Values{query("b", "1")}},
		{"a plus is a space", "a=b+c", postback.Values{query("a", "b c")}},
		{"an encoded plus is a plus", "a=b%2Bc", postback.Values{query("a", "b+c")}},
		{"a semicolon separates nothing", "a=1;b=2", postback.Values{query("a", "1;b=2")}},
		{"a broken sequence stays", "a=%zz%4&b=%", postback.Values{query("a", "%zz%4"), query("b", "%")}},
		{"a broken sequence before a good one", "a=%%41", postback.Values{query("a", "%A")}},
		{"hex digits in either letter case", "a=%c3%A9", postback.Values{query("a", "é")}},
		{"it is decoded once", "a=%2541", postback.Values{query("a", "%41")}},
		{"names are decoded", "%61=1", postback.Values{query("a", "1")}},
		{"names are case-sensitive", "A=1&a=2", postback.Values{query("A", "1"), query("a", "2")}},
		{"names are not trimmed", "+a=1", postback.Values{query(" a", "1")}},
		{"values are trimmed of any white space", "a=%09%C2%A0x%0A+", postback.Values{query("a", "x")}},
		{"what is not UTF-8 is replaced", "a=x%FFy&b=\xff", postback.Values{query("a", "x\uFFFDy"), query("b", "\uFFFD")}},
		{"NUL is replaced", "a=x%00y", postback.Values{query("a", "x\uFFFDy")}},
		{"an encoded separator is part of the value", "a=1%262", postback.Values{query("a", "1&2")}},
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
		want                         postback.Values
	}{
		{"a form", "", formType, "a=1&b=x+y", postback.Values{body("a", "1"), body("b", "x y")}},
		{"a form with a charset, in capitals", "", "Application/X-WWW-Form-Urlencoded; charset=utf-8", "a=1", postback.Values{body("a", "1")}},
		{"a form that ends with a newline", "", formType, "a=1\n", postback.Values{body("a", "1")}},
		{"the last value of a form counts", "", formType, "a=1&a=2", postback.Values{body("a", "2")}},
		{"the query goes before the body", "a=q", formType, "a=b&c=d", postback.Values{query("a", "q"), body("c", "d")}},
		{"an empty value in the query does not", "a=", formType, "a=b", postback.Values{body("a", "b")}},
		{"a body without a type is a form", "", "", "a=1", postback.Values{body("a", "1")}},
		{"a body without a type that begins with a brace is JSON", "", "", ` {"a":"1"}`, postback.Values{body("a", "1")}},
		{"a body of another type has no parameters", "a=1", "text/xml", "<b>2</b>", postback.Values{query("a", "1")}},
		{"JSON strings, numbers and booleans", "", jsonType, `{"a":"x","b":10.50,"c":true,"d":false}`,
			postback.Values{body("a", "x"), body("b", "10.50"), body("c", "true"), body("d", "false")}},
		{"JSON numbers stay as they are written", "", jsonType, `{"a":12345678901234567890.10,"b":1E2}`,
			postback.Values{body("a", "12345678901234567890.10"), body("b", "1E2")}},
		{"JSON null is absent", "", jsonType, `{"a":null,"b":""}`, nil},
		{"JSON nested values are their text", "", jsonType, `{"a":{"b": [1, "x"]},"c":[]}`,
			postback.Values{body("a", `{"b": [1, "x"]}`), body("c", "[]")}},
		{"a JSON name that comes twice counts with its last value", "", jsonType, `{"a":"1","a":"2","a":null}`, postback.Values{body("a", "2")}},
		{"JSON escapes", "", jsonType, `{"\u0061":"\u00e9\u0000\ud800"}`, postback.Values{body("a", "é\uFFFD\uFFFD")}},
		{"JSON strings are not %-decoded", "", jsonType, `{"a":"%41+b"}`, postback.Values{body("a", "%41+b")}},
		{"JSON with a byte order mark", "", jsonType, "\uFEFF{\"a\":\"1\"}", postback.Values{body("a", "1")}},
		{"JSON of a vendor", "", "application/vnd.x+json; charset=utf-8", `{"a":"1"}`, postback.Values{body("a", "1")}},
		{"JSON that is null", "a=1", jsonType, "null", postback.Values{query("a", "1")}},
		{"JSON that is an array", "a=1", jsonType, `[{"b":"2"}]`, postback.Values{query("a", "1")}},
		{"JSON that is blank", "a=1", jsonType, " \n", postback.Values{query("a", "1")}},
		{"a multipart form", "", partType, part(`name="a"`, "1") + part(`name="b"`, " x+%41 ") + "--b--\r\n",
			postback.Values{body("a", "1"), body("b", "x+%41")}},
		{"a multipart form's files are passed over", "", partType,
			part(`name="f"; filename="x.csv"`, strings.Repeat("z", 4000)) + part(`name="a"`, "1") + "--b--\r\n", postback.Values{body("a", "1")}},
		{"a multipart part without a name", "", partType, part(`x="a"`, "1") + "--b--\r\n", nil},
	} {
		t.Run(c.name, func(t *testing.T) { checkParse(t, c.raw, c.contentType, c.body, c.want) })
	}
}

func checkParse(t *testing.T, raw, contentType, body string, want postback.Values) {
	t.Helper()
	got, err := postback.Parse(raw, contentType, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) == 0 {
		got = nil
	}
	if diff := cmp.Diff(want, got); diff != "" {
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

func TestParseBounds(t *testing.T) {
	value := strings.Repeat("v", postback.MaxValueBytes)
	for _, c := range []struct {
		name, raw, contentType, body string
		status                       int
		reason                       conversion.Reason
	}{
		{"200 parameters", pairs(200), "", "", 0, ""},
		{"201 parameters", pairs(201), "", "", 400, conversion.RequestTooLarge},
		{"201 parameters in query and body", pairs(101), formType, pairs(100), 400, conversion.RequestTooLarge},
		{"201 times the same parameter", strings.Repeat("a=1&", 201), "", "", 400, conversion.RequestTooLarge},
		{"201 parameters without a value", strings.Repeat("a&", 201), "", "", 400, conversion.RequestTooLarge},
		{"separators are no parameters", strings.Repeat("&", 1000), "", "", 0, ""},
		{"a value of 2 KiB", "a=" + value, "", "", 0, ""},
		{"a longer value", "a=" + value + "v", "", "", 400, conversion.RequestTooLarge},
		{"a value is measured decoded", "a=" + strings.Repeat("%41", postback.MaxValueBytes), "", "", 0, ""},
		{"a name of 2 KiB", value + "=1", "", "", 0, ""},
		{"a longer name", value + "v=1", "", "", 400, conversion.RequestTooLarge},
		{"a longer value in JSON", "", jsonType, `{"a":"` + value + `v"}`, 400, conversion.RequestTooLarge},
		{"a longer value in a part", "", partType, "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n" + value + "v\r\n--b--", 400, conversion.RequestTooLarge},
		{"a query of 16 KiB", strings.Repeat("&", postback.MaxURLBytes), "", "", 0, ""},
		{"a longer query", strings.Repeat("&", postback.MaxURLBytes+1), "", "", 414, conversion.RequestTooLarge},
		{"a body of 64 KiB", "", "text/plain", strings.Repeat("x", postback.MaxBodyBytes), 0, ""},
		{"a longer body, whatever its type", "", "text/plain", strings.Repeat("x", postback.MaxBodyBytes+1), 413, conversion.RequestTooLarge},
		{"broken JSON", "", jsonType, `{"a":`, 400, conversion.RequestUnreadable},
		{"JSON with more behind it", "", jsonType, `{"a":"1"}{`, 400, conversion.RequestUnreadable},
		{"a multipart form without a boundary", "", "multipart/form-data", "x", 400, conversion.RequestUnreadable},
		{"a multipart form that is cut off", "", partType, "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1", 400, conversion.RequestUnreadable},
		{"a multipart form that is none", "", partType, "a=1", 400, conversion.RequestUnreadable},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := postback.Parse(c.raw, c.contentType, []byte(c.body))
			var got postback.RequestError
			if broken, ok := errors.AsType[*postback.RequestError](err); ok {
				got = *broken
			}
			if got.Status != c.status || got.Reason != c.reason || (err == nil) != (c.status == 0) {
				t.Errorf("got %v (%d, %s), want %d, %s", err, got.Status, got.Reason, c.status, c.reason)
			}
		})
	}
}
