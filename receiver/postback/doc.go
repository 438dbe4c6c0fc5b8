// Package postback owns what one postback means: what it asks for under an endpoint's configuration (docs/semantics.md
// §3 steps 4-11). Who may send it is package access's business, what a request says package request's, what becomes of
// a slot package conversion's, and how it is answered package server's. It is pure: no clock, no store, no network, and
// it must not import net/http.
package postback
