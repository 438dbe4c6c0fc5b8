package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// report is what govulncheck writes, shortened: a called function, the same one by another way, an imported package,
// the standard library.
const report = `
{"config": {"protocol_version": "v1.0.0", "scanner_name": "govulncheck"}}
{"osv": {"id": "GO-2026-0002", "summary": "Panic in example.com/parse", "affected": []}}
{"osv": {"id": "GO-2026-0001", "summary": "Memory exhaustion in net/http"}}
{"finding": {"osv": "GO-2026-0002", "fixed_version": "v1.2.0",
  "trace": [{"module": "example.com/parse", "version": "v1.1.0"}]}}
{"finding": {"osv": "GO-2026-0002", "fixed_version": "v1.2.0",
  "trace": [{"module": "example.com/parse", "version": "v1.1.0", "package": "example.com/parse", "function": "Parse"},
    {"module": "m"}]}}
{"finding": {"osv": "GO-2026-0002", "fixed_version": "v1.2.0",
  "trace": [{"module": "example.com/parse", "version": "v1.1.0", "package": "example.com/parse",
    "function": "ParseAll"}]}}
{"finding": {"osv": "GO-2026-0003",
  "trace": [{"module": "example.com/imported", "version": "v0.1.0", "package": "example.com/imported"}]}}
{"finding": {"osv": "GO-2026-0001",
  "trace": [{"module": "stdlib", "version": "v1.26.8", "package": "net/http",
    "function": "Serve", "receiver": "*Server"}]}}
`

func TestWhatIsCalledIsFoundOnce(t *testing.T) {
	got, err := parse([]byte(report))
	if err != nil {
		t.Fatal(err)
	}
	want := []finding{
		{"GO-2026-0002", "example.com/parse", "v1.1.0", "v1.2.0", "Panic in example.com/parse"},
		{"GO-2026-0001", "stdlib", "v1.26.8", "", "Memory exhaustion in net/http"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	lines := []string{got[0].String(), got[1].String()}
	wantLines := []string{
		"GO-2026-0002 in example.com/parse v1.1.0, fixed in v1.2.0: Panic in example.com/parse",
		"GO-2026-0001 in the Go that compiles, v1.26.8, there is no fix yet: Memory exhaustion in net/http",
	}
	if diff := cmp.Diff(wantLines, lines); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAReportThatBreaksOffIsAnError(t *testing.T) {
	if _, err := parse([]byte(report[:len(report)-20])); err == nil {
		t.Error("there is none")
	}
}
