package request

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"strconv"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"

	"github.com/postback-dev/postback-operator/receiver/conversion"
)

// body reads a body by what it is: multipart shows by its boundary, JSON begins with `{` or `[`, everything else is a
// form. Senders announce one and send the other.
func (p *parser) body(contentType string, body []byte) *Error {
	p.declared = charsetOf(contentType)
	if boundary := boundaryOf(contentType, body); boundary != "" {
		return p.multipart(boundary, body)
	}
	body = p.withoutMark(body)
	switch text := bytes.TrimLeft(body, " \t\r\n"); {
	case len(text) == 0:
		return nil
	case text[0] == '{', text[0] == '[':
		return p.json(text)
	}
	p.form(strings.TrimRight(string(body), "\r\n"))
	return nil
}

// charsetOf returns the charset that a Content-Type names; nil for none, for one that is not known or cannot be
// decoded, and for Unicode: text is looked at as UTF-8 anyway, and UTF-16 shows by its bytes.
func charsetOf(contentType string) encoding.Encoding {
	_, label, _ := strings.Cut(strings.ToLower(contentType), "charset=")
	if end := strings.IndexAny(label, ";,"); end >= 0 {
		label = label[:end]
	}
	label = strings.Trim(label, ` "'`)
	charset, err := htmlindex.Get(label)
	if err != nil || charset == encoding.Replacement {
		return nil
	}
	if name, err := htmlindex.Name(charset); err != nil || strings.HasPrefix(name, "utf-") {
		return nil
	}
	return charset
}

// withoutMark drops a byte order mark, and decodes UTF-16: its mark tells it, or that every second byte of an ASCII
// character is zero.
func (p *parser) withoutMark(body []byte) []byte {
	if text, found := bytes.CutPrefix(body, []byte("\xef\xbb\xbf")); found {
		p.declared = nil
		return text
	}
	order := unicode.LittleEndian
	switch {
	case len(body) < 2:
		return body
	case bytes.HasPrefix(body, []byte("\xff\xfe")), bytes.HasPrefix(body, []byte("\xfe\xff")):
	case body[0] != 0 && body[1] == 0:
	case body[0] == 0 && body[1] != 0:
		order = unicode.BigEndian
	default:
		return body
	}
	decoded, err := unicode.UTF16(order, unicode.UseBOM).NewDecoder().Bytes(body)
	if err != nil {
		return body
	}
	p.declared = nil
	return decoded
}

// boundaryOf returns what separates the parts of a multipart body, "" if it is none: what the Content-Type names, or
// else, since programs that set that header themselves forget it, the body's first line.
func boundaryOf(contentType string, body []byte) string {
	if mediaType, params, err := mime.ParseMediaType(contentType); err == nil && mediaType == "multipart/form-data" {
		if boundary := params["boundary"]; boundary != "" && bytes.Contains(body, []byte("--"+boundary)) {
			return boundary
		}
	}
	const headerName, maxBoundary = "content-disposition:", 72
	line, rest, _ := bytes.Cut(bytes.TrimLeft(body, "\r\n"), []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	boundary, dashes := bytes.CutPrefix(line, []byte("--"))
	header := rest[:min(len(rest), len(headerName))]
	if !dashes || len(boundary) == 0 || len(boundary) > maxBoundary || !strings.EqualFold(string(header), headerName) {
		return ""
	}
	return string(boundary)
}

func (p *parser) multipart(boundary string, body []byte) *Error {
	broken := unreadable("the body is a multipart form that is broken")
	for r := multipart.NewReader(bytes.NewReader(body), boundary); ; {
		part, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return broken
		}
		if part.FileName() != "" {
			continue
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return broken
		}
		p.guessed = false
		name := p.path(p.decode(part.FormName()))
		p.add(name, p.decode(string(value)), "", isClean(name))
	}
}

// maxDepth bounds how deep the objects of a JSON body may be nested to be read.
const maxDepth = 16

// json reads the members of an object by their paths: strings decoded, numbers and booleans as they are written, null
// as absent. A list that holds nothing but one object is that object.
func (p *parser) json(body []byte) *Error {
	p.guessed = false
	if decoded := []byte(p.decode(string(body))); json.Valid(decoded) {
		body = decoded // Else the charset is not the one that is declared.
	}
	if !json.Valid(body) {
		return unreadable("the body begins like JSON and is none")
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if body[0] == '[' && isLoneObject(body) {
		_, _ = decoder.Token()
	}
	p.jsonValue(decoder, "", 0)
	return nil
}

// isLoneObject reports whether a valid JSON list has one member, an object.
func isLoneObject(list []byte) bool {
	var members []json.RawMessage
	return json.Unmarshal(list, &members) == nil && len(members) == 1 && members[0][0] == '{'
}

// jsonValue reads the next value of valid JSON.
func (p *parser) jsonValue(d *json.Decoder, path string, depth int) {
	token, err := d.Token()
	if err != nil {
		return
	}
	switch t := token.(type) {
	case string:
		p.member(path, t, depth)
	case json.Number:
		p.member(path, t.String(), depth)
	case bool:
		p.member(path, strconv.FormatBool(t), depth)
	case json.Delim:
		for i := 0; d.More(); i++ {
			step := strconv.Itoa(i)
			if t == '{' {
				name, _ := d.Token()
				step, _ = name.(string)
			}
			p.jsonValue(d, join(path, step, depth), depth+1)
		}
		_, _ = d.Token() // the closing bracket
	}
}

func (p *parser) member(path, value string, depth int) {
	if depth > maxDepth {
		p.warn(conversion.ParamsDropped)
		return
	}
	name := p.path(storable(path))
	p.add(name, storable(value), "", isClean(name))
}

// join does not let the paths of a deep nest grow: they are not read.
func join(path, step string, depth int) string {
	switch {
	case depth == 0:
		return step
	case depth > maxDepth || len(path) > MaxValueBytes:
		return path
	}
	return path + "." + step
}
