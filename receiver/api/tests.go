package api

import (
	"errors"
	"net/http"
	"strings"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	work "github.com/postback-dev/postback-operator/receiver/operation"
)

// tests is the resource by which a person tries an endpoint out.
func (a *api) tests() operation {
	test := answering[read.Postback]("tests", "Records a postback for a test click, which is in no sum", noFilters,
		a.changes(a.sendTest))
	test.method, test.body, test.headers = http.MethodPost, bodyOf[read.NewTest](), []string{actorHeader}
	return test
}

func (a *api) sendTest(w http.ResponseWriter, r *http.Request) error {
	var body read.NewTest
	if err := readBody(w, r, &body); err != nil {
		return err
	}
	endpoint, err := only(grantOf(r), body.Endpoint)
	if err != nil {
		return err
	}
	actor, err := actorOf(r)
	if err != nil {
		return err
	}
	note := strings.TrimSpace(body.Note)
	if !storable(note) {
		return badRequest("note: must be UTF-8 without NUL")
	}
	row, err := a.Operator.SendTest(r.Context(), work.Test{
		Endpoint:    endpoint,
		Method:      body.Method,
		ContentType: body.ContentType,
		Query:       strings.TrimPrefix(body.Query, "?"),
		Body:        body.Body,
		Actor:       actor,
		Note:        note,
	})
	var wrong work.Invalid
	if errors.As(err, &wrong) {
		return badRequest(wrong)
	}
	if err == nil {
		WriteJSON(w, http.StatusOK, viewPostback(row))
	}
	return err
}
