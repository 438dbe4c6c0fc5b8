// Command sender sends postbacks at a constant rate from inside a cluster, as networks would, and keeps account of
// every answer. The end-to-end suite and the soak drive it over HTTP, through the API server's proxy:
//
//	POST /start    {"url","subids","per_second","run"}: begin; 409 while another run is under way
//	POST /target   {"url"}: send the run's further postbacks there
//	GET  /account  what has become of the run so far
//	POST /stop     end the run, wait for the last answers, and give the whole account with every acknowledged number
//	POST /fetch    {"method","url","header","body"}: send one request and show the answer
//	POST /flood    {"url","visitors","held","seconds"}: visit a link over and over, and hold requests, for so long
//	ANY  /source/… a traffic source, which keeps what comes and answers 200; /source/slow/… a second later
//	POST /received {"path"}: the latest that came to /source/path
//
// Postback N of a run has the transaction id RUN-N. Every second postback goes over a connection of its own, the others
// over connections that are kept.
package main

import (
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"strings"
	"time"
)

func main() {
	s, traffic := &sender{}, &source{}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /start", handle(s.start))
	mux.HandleFunc("POST /target", handle(s.retarget))
	mux.HandleFunc("GET /account", handle(s.account))
	mux.HandleFunc("POST /stop", handle(s.stop))
	mux.HandleFunc("POST /fetch", handle(fetch))
	mux.HandleFunc("POST /flood", handle(inundate))
	mux.Handle("/source/", traffic)
	mux.HandleFunc("POST /received", handle(traffic.list))
	server := &http.Server{Addr: ":8080", Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(server.ListenAndServe())
}

var errConflict = errors.New("another run is under way, or none")

// handle decodes the request's JSON, if it has any, and answers with JSON.
func handle[In, Out any](do func(In) (Out, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in In
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil && !errors.Is(err, io.EOF) {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		out, err := do(in)
		switch {
		case errors.Is(err, errConflict):
			http.Error(w, err.Error(), http.StatusConflict)
		case err != nil:
			http.Error(w, err.Error(), http.StatusBadRequest)
		default:
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(out) // fails only when the asker has gone
		}
	}
}

type nothing struct{}

// Request is one request to send.
type Request struct {
	Method string            `json:"method"`
	URL    string            `json:"url"`
	Header map[string]string `json:"header"`
	Body   string            `json:"body"`
}

// Answer is what came back.
type Answer struct {
	Status int         `json:"status"`
	Header http.Header `json:"header"`
	Body   string      `json:"body"`
	Error  string      `json:"error,omitempty"`
}

// once sends over a connection of its own and follows no redirect.
var once = &http.Client{
	Timeout:       30 * time.Second,
	Transport:     &http.Transport{DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func fetch(want Request) (Answer, error) {
	request, err := http.NewRequest(want.Method, want.URL, strings.NewReader(want.Body))
	if err != nil {
		return Answer{}, err
	}
	for name, value := range want.Header {
		request.Header.Set(name, value)
	}
	response, err := once.Do(request)
	if err != nil {
		return Answer{Error: cause(err)}, nil
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	answer := Answer{Status: response.StatusCode, Header: response.Header, Body: string(body)}
	if err != nil {
		answer.Error = cause(err)
	}
	return answer, nil
}
