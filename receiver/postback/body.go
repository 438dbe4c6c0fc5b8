package postback

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"strings"
)

func (p *parser) body(contentType string, body []byte) error {
	mediaType, _, _ := strings.Cut(contentType, ";")
	mediaType = strings.ToLower(strings.TrimSpace(mediaType))
	switch {
	case mediaType == "application/x-www-form-urlencoded":
		return p.form(string(body))
	case mediaType == "multipart/form-data":
		return p.multipart(contentType, body)
	case mediaType == "application/json", mediaType == "text/json", strings.HasSuffix(mediaType, "+json"):
		return p.json(body)
	case mediaType == "" && bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")):
		return p.json(body)
	case mediaType == "":
		return p.form(string(body))
	}
	return nil
}

func (p *parser) multipart(contentType string, body []byte) error {
	broken := unreadable("the body is not the multipart form that its Content-Type announces")
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil || params["boundary"] == "" || !bytes.Contains(body, []byte("--"+params["boundary"])) {
		return broken
	}
	for r := multipart.NewReader(bytes.NewReader(body), params["boundary"]); ; {
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
		value, err := io.ReadAll(io.LimitReader(part, MaxValueBytes+1))
		if err != nil {
			return broken
		}
		if err := p.add(storable(part.FormName()), storable(string(value))); err != nil {
			return err
		}
	}
}

// json reads an object's members: strings decoded, numbers and booleans as they are written, null as absent, and nested
// objects and arrays as their JSON text. Any other JSON than an object has no parameters: senders with everything in the
// query post `null` or `[]`.
func (p *parser) json(body []byte) error {
	body = bytes.TrimPrefix(body, []byte("\uFEFF"))
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	broken := unreadable("the body is not the JSON that its Content-Type announces")
	if !json.Valid(body) {
		return broken
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return err
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return broken
		}
		var member json.RawMessage
		if err := decoder.Decode(&member); err != nil {
			return broken
		}
		if err := p.add(storable(name.(string)), storable(memberText(member))); err != nil {
			return err
		}
	}
	return nil
}

// memberText returns the parameter value of a valid JSON value.
func memberText(member json.RawMessage) string {
	switch member[0] {
	case 'n':
		return ""
	case '"':
		var text string
		_ = json.Unmarshal(member, &text) // it was found valid before
		return text
	}
	return string(member)
}
