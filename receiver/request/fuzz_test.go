package request_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/charmap"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/request"
)

// plainly reads a request as everybody would who has never seen a broken one: pairs between `&`, `+` and `%XX`, of a
// name that comes twice its last good value, the query before the body. It shares no code with the parser. ok is false
// for what only the parser's bounds settle.
func plainly(query, body string) (values map[string]string, ok bool) {
	inQuery, ok := plainForm(query)
	inBody, readable := plainBody(body)
	values = maps.Clone(inQuery)
	for name, value := range inBody {
		if there, given := inQuery[name]; !given || isPlainMacro(there) {
			values["~"+name] = value
		}
	}
	return values, ok && readable && len(values) < request.MaxUnknown
}

// plainBody reads JSON of one flat object, and forms. It leaves other bodies to the parser's own tests.
func plainBody(body string) (values map[string]string, ok bool) {
	text := strings.TrimPrefix(body, "\uFEFF")
	begin := strings.TrimLeft(text, " \t\r\n")
	switch {
	case begin == "":
		return nil, true
	case len(body) > 1 && (body[0] == 0 || body[1] == 0 || body[0] >= 0xfe && body[1] >= 0xfe):
		return nil, false // UTF-16
	case begin[0] != '{' && begin[0] != '[':
		return plainForm(strings.TrimRight(text, "\r\n"))
	}
	return plainObject(begin)
}

func plainObject(text string) (values map[string]string, ok bool) {
	var object map[string]any
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if !utf8.ValidString(text) || decoder.Decode(&object) != nil || decoder.More() {
		return nil, false
	}
	pairs := 0
	for again := json.NewDecoder(strings.NewReader(text)); ; pairs++ {
		if _, err := again.Token(); err != nil {
			break
		}
	}
	if pairs != 2*len(object)+2 { // Some member is there twice, or is no plain value.
		return nil, false
	}
	values = map[string]string{}
	for name, value := range object {
		var written string
		switch value := value.(type) {
		case string:
			written = value
		case json.Number:
			written = value.String()
		case bool:
			written = strconv.FormatBool(value)
		}
		if written = plainTrim(stored(written)); written != "" && name != "" {
			if _, twice := values[plainPath(stored(name))]; twice || len(written) > request.MaxValueBytes {
				return nil, false
			}
			values[plainPath(stored(name))] = written
		}
	}
	return values, true
}

func plainForm(raw string) (values map[string]string, ok bool) {
	values, ok = map[string]string{}, true
	for _, pair := range strings.Split(raw, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, value = plainPath(plainText(name)), plainTrim(plainText(value))
		ok = ok && len(name) <= request.MaxValueBytes && len(value) <= request.MaxValueBytes
		if before, there := values[name]; name == "" || value == "" || there && isPlainMacro(value) && !isPlainMacro(before) {
			continue
		}
		values[name] = value
	}
	return values, ok
}

var escape = regexp.MustCompile(`%[0-9a-fA-F]{2}`)

func plainText(text string) string {
	text = escape.ReplaceAllStringFunc(strings.ReplaceAll(text, "+", " "), func(code string) string {
		n, _ := strconv.ParseUint(code[1:], 16, 8)
		return string([]byte{byte(n)})
	})
	if !utf8.ValidString(text) {
		text, _ = charmap.Windows1251.NewDecoder().String(text)
	}
	return stored(text)
}

func stored(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

func plainTrim(text string) string {
	return strings.TrimFunc(text, func(r rune) bool { return unicode.IsSpace(r) || r == '\uFEFF' || r == '\u200B' })
}

var brackets = regexp.MustCompile(`^([^\[]+)((?:\[[^\]]+\])+)(\[\])?$`)

// plainPath writes a name with brackets as a path.
func plainPath(name string) string {
	parts := brackets.FindStringSubmatch(name)
	if parts == nil {
		return name
	}
	return parts[1] + "." + strings.ReplaceAll(strings.TrimSuffix(parts[2][1:], "]"), "][", ".") + parts[3]
}

var macroWord = regexp.MustCompile(`(?i)[{}\[\]#<>$%]|^__(?s:.+)__$|^(replace|undefined|null|no_subid)$`)

func isPlainMacro(value string) bool { return macroWord.MatchString(value) }

// names of [shopNames] with the fields that they stand for.
var shopFields = map[string]int{
	"subid": 0, "sub_id": 0, "status": 1, "payout": 2, "revenue": 2, "currency": 3, "tid": 4, "from": 5,
	"registration_status": 6,
	"sub_id_3":            7, "clickid": 0, "amount": 2, "data.subid": 0, "payment.amount": 2, "OrderID": 4, "copy_id": 5,
}

// resembles reports whether a text may hold a name that is known, somehow: for a text that does not, nothing may be
// repaired.
func resembles(text string) bool {
	text = strings.ToLower(plainText(text))
	for name := range shopFields {
		name = strings.ToLower(name)
		for cut := range len(name) { // HTML takes the name's beginning away.
			if cut <= len("curren") && strings.Contains(text, name[cut:]) {
				return true
			}
		}
	}
	return false
}

// needsNone reports whether nothing in a request can be meant for a known name but what is written as one.
func needsNone(query, body string) bool {
	for _, pair := range strings.Split(query+"&"+strings.TrimRight(body, "\r\n"), "&") {
		name, value, _ := strings.Cut(pair, "=")
		if _, known := shopFields[name]; !known && resembles(name) || resembles(value) {
			return false
		}
	}
	return true
}

// FuzzRepair holds every reading against a plain one: a request that needs no repair is read plainly, one that is not
// said to be repaired is read plainly, too, and in one that is, what is written by an exact name still means what it
// says.
func FuzzRepair(f *testing.F) {
	for _, seed := range []string{
		"subid=X&status=lead", "SUBID=X&amp;status=sale?payout=1", "payout=10¤cy=eur", "a=1&a={x}&b[]=%A4cy=1",
		`{"a":{"b":1}}`, "?????=",
		"subid=X&url=https://a/?subid=Y&curren;cy=eur", `{"SubId":"X","status":1e2,"n":null}`,
		"payment[amount]=5&a[b][c]=1&a[b][]=2&[x]=3",
		"\uFEFFsubid=%CF%F0&x=%zz&=1&&y", "subid={subid}&SUBID=X&status=__S__&status=null",
	} {
		f.Add(seed, "")
		f.Add("", seed)
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, query, body string) {
		got, err := request.Parse(&request.Request{RawQuery: query, Body: []byte(body)}, shopNames, nil)
		if err != nil {
			return
		}
		checkValues(t, got.Values)
		want, ok := plainly(query, body)
		if !ok || got.BodyError != nil {
			return
		}
		read := map[string]string{}
		for _, v := range got.Values {
			read[map[bool]string{true: "~"}[v.InBody]+v.Name] = v.Value
		}
		repaired := slices.Contains(got.Warnings, conversion.RequestRepaired)
		if repaired && needsNone(query, body) {
			t.Fatalf("%q and %q need no repair: %q", query, body, read)
		}
		if !repaired {
			if diff := cmp.Diff(want, read); diff != "" {
				t.Fatalf("(-plain +got):\n%s", diff)
			}
		}
		for name := range shopFields {
			value := want[name]
			good := value != "" && !isPlainMacro(value) && !resembles(value) // A part of it may be meant for others.
			if good && read[name] != value {
				t.Fatalf("%s is %q, want %q", name, read[name], value)
			}
		}
	})
}

// checkValues holds what was read to what stores and callers rely on.
func checkValues(t *testing.T, values request.Values) {
	t.Helper()
	type key struct {
		name   string
		inBody bool
	}
	seen, unknown := map[key]bool{}, 0
	for _, v := range values {
		if v.Name == "" || v.Value == "" || seen[key{v.Name, v.InBody}] || len(v.Value) > request.MaxValueBytes+4 ||
			!utf8.ValidString(v.Name+v.Value) || strings.Contains(v.Name+v.Value, "\x00") || plainTrim(v.Value) == "" {
			t.Fatalf("%+v is no value", v)
		}
		seen[key{v.Name, v.InBody}] = true
		if _, known := shopFields[v.Name]; !known {
			unknown++
		}
	}
	if unknown > 2*request.MaxUnknown {
		t.Fatalf("%d unknown parameters", unknown)
	}
}

// FuzzParse reads everything under every Content-Type: nothing panics, and what was read can be stored.
func FuzzParse(f *testing.F) {
	for _, contentType := range []string{
		"", jsonType, formType + "; charset=windows-1251", partType, jsonType + "; charset=utf-16",
		formType + "; charset=iso-2022-kr",
		`multipart/form-data; boundary="a b"`, "text/plain; charset=x-user-defined", jsonType + "; charset=gb18030",
	} {
		f.Add("a=1?subid=2", contentType, []byte("subid=%CF&a=\xff"))
		f.Add("", contentType, []byte(`[{"a":{"b":[1,{"c":"\u0000"}]}}]`))
		f.Add("x", contentType, []byte("--b\r\nContent-Disposition: form-data; name=SUBID\r\n\r\nX\r\n--b--"))
		f.Add("", contentType, []byte("\xff\xfe{\x00}\x00"))
	}
	f.Fuzz(func(t *testing.T, query, contentType string, body []byte) {
		sent := bytes.Clone(body)
		got, err := request.Parse(&request.Request{RawQuery: query, ContentType: contentType, Body: body}, shopNames, nil)
		if err == nil {
			checkValues(t, got.Values)
		}
		if !bytes.Equal(sent, body) {
			t.Fatal("the body was changed")
		}
		request.ParseVisit(&request.Request{RawQuery: query, ContentType: contentType, Body: body}, nil)
	})
}

// TestNothingHangsOrGrowsWithoutBound reads the worst of what fits into a request.
func TestNothingHangsOrGrowsWithoutBound(t *testing.T) {
	fill := func(unit string, n int) string { return strings.Repeat(unit, n/len(unit)) }
	for _, unit := range []string{
		"?", "?=", "?subid=", "?x=", "??a[]=", "&", "=&", "a&", "a=1&", "%C2%A4", "%C2%A4cy=", "¤cy=", "¤", "\xa4cy=", "%",
		"<>\"", "amp;",
		"&amp;", "&amp;amp;status=1", "curren;", "&curren;cy=1", "[", "a[", "a[b]", "&a[b][c]=1", "+", "%00", "\x00", "\xff",
		"&\u200b=1",
		"{", `{"a":`, "[", `[{"a":1},`, `{"a":"`, "?status", "\uFEFF",
	} {
		for _, contentType := range []string{formType, jsonType + "; charset=windows-1251", partType} {
			r := request.Request{
				RawQuery: fill(unit, request.MaxURLBytes), ContentType: contentType, Body: []byte(fill(unit, request.MaxBodyBytes)),
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			begin := time.Now()
			_, _ = request.Parse(&r, shopNames, nil)
			took := time.Since(begin)
			runtime.ReadMemStats(&after)
			if allocated := after.TotalAlloc - before.TotalAlloc; took > time.Second || allocated > 16<<20 {
				t.Errorf("%q as %s: %s, %d bytes", unit, contentType, took, allocated)
			}
		}
	}
	parts := "--b\r\n" + fill("Content-Disposition: form-data; name=a\r\n\r\nv\r\n--b\r\n", request.MaxBodyBytes-100) +
		"Content-Disposition: form-data; name=z\r\n\r\nv\r\n--b--"
	if got, _ := request.Parse(&request.Request{ContentType: partType, Body: []byte(parts)}, shopNames,
		nil); len(got.Values) != 2 {
		t.Errorf("%d values of a form of many parts", len(got.Values))
	}
}
