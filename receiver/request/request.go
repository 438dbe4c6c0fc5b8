// Package request owns what an HTTP request says, to postbacks and to clicks: who sends it, from which page, and the
// parameters of its query and body, with the repairs of what senders break on the way (docs/semantics.md §2). Package
// incoming reads it from the connection; who may send it is package access's business, and what the parameters mean
// that of postback and click. It is pure: no clock, no store, no network, and it must not import net/http.
package request

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/macro"
)

// Bounds of a request. The listener enforces the first two as well, before it reads on.
const (
	MaxURLBytes  = 16 << 10
	MaxBodyBytes = 64 << 10
	// MaxUnknown bounds the parameters that the endpoint does not know. Further ones are dropped.
	MaxUnknown = 200
	// MaxValueBytes bounds one decoded name and one decoded value.
	MaxValueBytes = 2 << 10
)

// Value is one parameter: decoded and trimmed, its value not empty.
type Value struct {
	// Name is a known one where the sender's was repaired.
	Name string
	// Value of a known parameter that is longer than MaxValueBytes is cut to a few bytes more, and so still too long.
	Value string
	// raw is the number, in the parser's list, of a pair of a form that hides other parameters; 0 for none.
	raw int32
	// InBody tells a body's parameter from the query's.
	InBody bool
	// InCookie: it is not of the request's parameters, but of the browser's cookie of that name.
	InCookie bool
	// guessed: the charset of the pair was not known.
	guessed bool
}

// Values are the parameters of a request, each name once: a name of the body is there besides the query's only where
// that one's value is an unresolved macro or was repaired.
type Values []Value

// Get returns the value of that name, the query's before the body's; "" if there is none.
func (v Values) Get(name string) string {
	for i := range v {
		if v[i].Name == name {
			return v[i].Value
		}
	}
	return ""
}

// Without returns the values but for those of a name.
func (v Values) Without(name string) Values {
	named := func(value Value) bool { return value.Name == name }
	if !slices.ContainsFunc(v, named) {
		return v
	}
	return slices.DeleteFunc(slices.Clone(v), named)
}

// Parsed is what a request says.
type Parsed struct {
	Values Values
	// Warnings, each once: request_repaired, charset_guessed, params_dropped.
	Warnings []conversion.Warning
	// InPath: the query stood in the path.
	InPath bool
	// BodyError says why the body has no part in Values; nil if it has.
	BodyError *Error
}

// Error is why a request, or its body, cannot be read. Its text may be shown to the sender: it holds nothing of the
// request.
type Error struct {
	// Reason is conversion.RequestTooLarge or conversion.RequestUnreadable.
	Reason  conversion.Reason
	Message string
}

// Error implements error.
func (e *Error) Error() string { return e.Message }

func tooLarge(what string, limit int) *Error {
	return &Error{Reason: conversion.RequestTooLarge, Message: fmt.Sprintf("the %s is longer than %d bytes", what, limit)}
}

func unreadable(message string) *Error {
	return &Error{Reason: conversion.RequestUnreadable, Message: message}
}

// Parse reads the parameters of a request (docs/semantics.md §2). names are those that the endpoint knows.
//
// A name that comes several times has its last value that is neither empty nor an unresolved macro; if all are macros,
// the last one. `+` is a space, `;` is no separator, a broken `%` sequence stays as it is. A parameter without a value
// is absent.
//
// Text that is no UTF-8 is of that charset; nil: it is guessed.
//
// The error is a [*Error]: the URL is too long. A body that cannot be read is not an error: see [Parsed].
func Parse(r *Request, names *Names, charset encoding.Encoding) (Parsed, error) {
	if len(r.RawQuery) > MaxURLBytes {
		return Parsed{}, tooLarge("URL", MaxURLBytes)
	}
	p := parser{names: names, charset: charset}
	if r.Repaired {
		p.InPath = true
		p.warn(conversion.RequestRepaired)
	}
	p.Values = make(Values, 0, min(strings.Count(r.RawQuery, "&")+1, MaxUnknown))
	p.form(r.RawQuery)
	p.BodyError = r.BodyError
	switch {
	case p.BodyError != nil:
	case len(r.Body) > MaxBodyBytes:
		p.BodyError = tooLarge("body", MaxBodyBytes)
	case len(r.Body) > 0:
		query := p
		p.inBody, p.index, p.Warnings = true, nil, slices.Clone(p.Warnings)
		if p.BodyError = p.body(r.ContentType, r.Body); p.BodyError != nil {
			query.BodyError = p.BodyError
			p = query // Nothing of the body counts, not even that some of it was dropped.
		}
	}
	if p.suspect {
		p.repair()
	}
	for i := range p.Values {
		if p.Values[i].guessed {
			p.warn(conversion.CharsetGuessed)
			break
		}
	}
	return p.Parsed, nil
}

type parser struct {
	Parsed
	names *Names
	// charset of text that is no UTF-8; nil if it has to be guessed.
	charset encoding.Encoding
	// declared is the charset of the body; nil if its Content-Type names none.
	declared encoding.Encoding

	inBody bool
	// guessed: the charset of the pair that is read was not known.
	guessed bool
	// raws are pairs as they were sent, of those that hide others.
	raws []string
	// unknown is how many of the first counted Values are unknown.
	unknown, counted int
	// seen has the traces of the names of Values.
	seen uint64
	// index finds the values of a long list by name.
	index map[key]int
	// suspect: some pair may need a repair.
	suspect bool
}

type key struct {
	name   string
	inBody bool
}

func (p *parser) warn(w conversion.Warning) {
	if !slices.Contains(p.Warnings, w) {
		p.Warnings = append(p.Warnings, w)
	}
}

// add takes in a decoded pair. raw is the pair as it was sent, if it is of a form and may hide other parameters.
// Whether a name is known is looked up only where it matters: it does not for what is clean and short.
func (p *parser) add(name, value, raw string, clean bool) {
	value = Trim(value)
	if value == "" || name == "" {
		return
	}
	broken, number := p.names.isBroken(name, clean), p.hiding(raw)
	p.suspect = p.suspect || broken || number != 0
	if p.inBody {
		if i, ok := p.find(name, false); ok && !macro.IsUnresolved(p.Values[i].Value) {
			return // The query goes first.
		}
	}
	if i, ok := p.find(name, p.inBody); ok {
		if before := &p.Values[i]; !macro.IsUnresolved(value) || macro.IsUnresolved(before.Value) {
			before.Value, before.raw, before.guessed = p.bounded(name, value), number, p.guessed
		}
		return
	}
	// What is, or hides, a known name that the sender broke always has room.
	if len(name) > MaxValueBytes || len(p.Values) >= MaxUnknown && !broken && number == 0 && !p.hasRoom(name) {
		p.warn(conversion.ParamsDropped)
		return
	}
	p.seen |= trace(name)
	p.Values = append(p.Values, Value{
		Name:    name,
		Value:   p.bounded(name, value),
		raw:     number,
		InBody:  p.inBody,
		guessed: p.guessed,
	})
	if p.index != nil {
		p.index[key{name, p.inBody}] = len(p.Values) - 1
	}
}

// hiding keeps a raw pair that hides other parameters, and returns its number; 0 for one that does not.
func (p *parser) hiding(raw string) int32 {
	if raw == "" || !p.names.hides(raw) {
		return 0
	}
	p.raws = append(p.raws, raw)
	return int32(len(p.raws)) //nolint:gosec // A request has a few thousand pairs at most.
}

// hasRoom reports whether one more name can be kept: it is known, or few others are unknown.
func (p *parser) hasRoom(name string) bool {
	if _, known := p.names.field(name); known {
		return true
	}
	for ; p.counted < len(p.Values); p.counted++ {
		if _, known := p.names.field(p.Values[p.counted].Name); !known {
			p.unknown++
		}
	}
	return p.unknown < MaxUnknown
}

// bounded cuts a value that is too long.
func (p *parser) bounded(name, value string) string {
	if len(value) <= MaxValueBytes {
		return value
	}
	if _, known := p.names.field(name); known {
		return Storable(value, MaxValueBytes+utf8.UTFMax)
	}
	p.warn(conversion.ParamsDropped)
	return Storable(value, MaxValueBytes)
}

// trace is one bit that a name leaves in seen. Most names of a request leave different ones, and need not be compared.
func trace(name string) uint64 {
	return 1 << ((uint(len(name))*7 + uint(name[0]) + uint(name[len(name)-1])*3) % 64)
}

// longList is from how many values on a map finds them.
const longList = 24

func (p *parser) find(name string, inBody bool) (int, bool) {
	if p.seen&trace(name) == 0 {
		return 0, false
	}
	if len(p.Values) < longList {
		for i := range p.Values {
			if p.Values[i].InBody == inBody && p.Values[i].Name == name {
				return i, true
			}
		}
		return 0, false
	}
	if p.index == nil {
		p.index = make(map[key]int, 2*len(p.Values))
		for i, v := range p.Values {
			p.index[key{v.Name, v.InBody}] = i
		}
	}
	i, ok := p.index[key{name, inBody}]
	return i, ok
}
