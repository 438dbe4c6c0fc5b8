package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// finding is one vulnerability in one module whose code the programs call.
type finding struct {
	ID      string
	Module  string
	Version string
	// Fixed is the version that repairs it; empty while there is none.
	Fixed   string
	Summary string
}

// standard reports whether the vulnerability is in the Go installation.
func (f finding) standard() bool { return f.Module == "stdlib" || f.Module == "toolchain" }

func (f finding) String() string {
	where, fixed := f.Module+" "+f.Version, "there is no fix yet"
	if f.standard() {
		where = "the Go that compiles, " + f.Version
	}
	if f.Fixed != "" {
		fixed = "fixed in " + f.Fixed
	}
	return fmt.Sprintf("%s in %s, %s: %s", f.ID, where, fixed, f.Summary)
}

// message is what govulncheck writes, one after another. Exactly one field is set.
type message struct {
	OSV *struct {
		ID, Summary string
	}
	Finding *struct {
		OSV          string
		FixedVersion string `json:"fixed_version"`
		Trace        []struct{ Module, Version, Function string }
	}
}

// parse returns the vulnerabilities that are called, sorted, each once per module. What is imported and not called is
// left out, as govulncheck's own report leaves it out.
func parse(output []byte) ([]finding, error) {
	summaries := map[string]string{}
	var found []finding
	decoder := json.NewDecoder(bytes.NewReader(output))
	for {
		var m message
		err := decoder.Decode(&m)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("reading govulncheck's JSON: %w", err)
		}
		if m.OSV != nil {
			summaries[m.OSV.ID] = m.OSV.Summary
		}
		if m.Finding == nil || len(m.Finding.Trace) == 0 || m.Finding.Trace[0].Function == "" {
			continue
		}
		at := m.Finding.Trace[0]
		f := finding{ID: m.Finding.OSV, Module: at.Module, Version: at.Version, Fixed: m.Finding.FixedVersion}
		if !slices.Contains(found, f) {
			found = append(found, f)
		}
	}
	for i := range found {
		found[i].Summary = summaries[found[i].ID]
	}
	slices.SortFunc(found, func(a, b finding) int {
		return cmp.Or(cmp.Compare(a.Module, b.Module), cmp.Compare(a.ID, b.ID))
	})
	return found, nil
}
