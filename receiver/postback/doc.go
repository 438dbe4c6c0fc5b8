// Package postback owns what one postback means: who may send it, what it asks for under an endpoint's configuration, and
// how it is answered (docs/semantics.md §3 steps 2-11, §7). What a request says is package request's business, and what
// becomes of a slot package conversion's. It is pure: no clock, no store, no network, and it must not import net/http.
package postback
