package main

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheCommandLine(t *testing.T) {
	dir := t.TempDir()
	cases := map[string]struct {
		args  []string
		usage bool
		says  string
	}{
		"nothing":               {nil, true, "name a command"},
		"an unknown command":    {[]string{"serve"}, true, `no command "serve"`},
		"render of nothing":     {[]string{"render", "-o", dir}, true, "-f is missing"},
		"render to nowhere":     {[]string{"render", "-f", "-"}, true, "-o is missing"},
		"a file without a flag": {[]string{"render", "-f", "-", "-o", dir, "x.yaml"}, true, `"x.yaml" stands without -f`},
		"an unknown flag":       {[]string{"render", "-x"}, true, "not defined: -x"},
		"a file that is not": {[]string{"render", "-f", filepath.Join(dir, "none.yaml"), "-o", dir}, false,
			"no such file"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			err := run(t.Context(), c.args, strings.NewReader(""), &out, &out)
			if err == nil || errors.Is(err, errUsage) != c.usage || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error: %v", err)
			}
		})
	}
}

func TestHelpAndVersionSucceed(t *testing.T) {
	for command, want := range map[string]string{
		"help": "manager render", "-h": "manager render", "render -h": "manager render", "render --help": "manager render",
		"version": "dev",
	} {
		var out, stderr bytes.Buffer
		err := run(t.Context(), strings.Fields(command), nil, &out, &stderr)
		if err != nil || !strings.Contains(out.String(), want) || stderr.Len() > 0 {
			t.Errorf("%s: %v, %q, %q", command, err, out.String(), stderr.String())
		}
	}
}

func TestRenderReadsStandardInput(t *testing.T) {
	var out bytes.Buffer
	in := strings.NewReader("apiVersion: postback.dev/v1alpha1\nkind: PostbackEndpoint\nmetadata: {name: shop}\nspec: " +
		"{currency: USD}")
	dir := t.TempDir()
	if err := run(t.Context(), []string{"render", "-f", "-", "-o", dir}, in, &out, &out); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out.String(), filepath.Join(dir, "default.shop")+"  revision ") {
		t.Errorf("said %q", out.String())
	}
}
