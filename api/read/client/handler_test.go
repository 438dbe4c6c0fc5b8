package client

import (
	"bufio"
	"io"
	"net/http"
	"testing"
)

func ask(t *testing.T, handler http.HandlerFunc) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := Local{handler}.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	return response
}

func TestAStreamIsReadWhileItIsWrittenAndEndsWhenItIsClosed(t *testing.T) {
	ended := make(chan struct{})
	response := ask(t, func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		w.Header().Set("X-Test", "1")
		_, _ = io.WriteString(w, "first\n")
		w.Header().Set("X-Late", "1")
		<-r.Context().Done()
	})
	line, err := bufio.NewReader(response.Body).ReadString('\n')
	if err != nil || line != "first\n" || response.Header.Get("X-Test") != "1" || response.Header.Get("X-Late") != "" {
		t.Errorf("read %q, %v, %v", line, err, response.Header)
	}
	_ = response.Body.Close()
	<-ended
}

func TestAnAnswerThatBreaksOffIsNoWholeOne(t *testing.T) {
	response := ask(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half")
		panic(http.ErrAbortHandler)
	})
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if string(body) != "half" || err == nil {
		t.Errorf("read %q, %v", body, err)
	}
}

func TestAnEmptyAnswerHasItsStatus(t *testing.T) {
	response := ask(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if response.StatusCode != http.StatusAccepted || len(body) != 0 || err != nil {
		t.Errorf("%d %q %v", response.StatusCode, body, err)
	}
}
