package preset_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postback-dev/postback-operator/cli/command"
)

var update = flag.Bool("update", false, "write the golden files")

// run runs a command line, and returns what it writes and its exit code.
func run(t *testing.T, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	code = command.Run(t.Context(), "v1.2.3", args, strings.NewReader(stdin), &out, &errs)
	return out.String(), errs.String(), code
}

func TestGolden(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
	}{
		{"list", []string{"list", "--presets", "testdata/own", "own"}},
		{"list-wide", []string{"list", "--presets", "testdata/own", "-o", "wide", "own"}},
		{"list-name", []string{"list", "--kind", "platform", "-o", "name"}},
		{"list-nothing", []string{"list", "no such network"}},
		{"show", []string{"show", "own-net", "--presets", "testdata/own"}},
		{"show-json", []string{"show", "own-net", "--presets", "testdata/own", "-o", "json"}},
		{"show-yaml", []string{"show", "own-net", "--presets", "testdata/own", "-o", "yaml"}},
		{"show-source", []string{"show", "mgid"}},
		{"show-conflict", []string{"show", "affise-reach"}},
		{"show-unknown", []string{"show", "adc"}},
		{"url", []string{"url", "Affise", "https://pb.example.com/KEY/postback"}},
		{"url-events", []string{"url", "adcombo", "https://pb.example.com/KEY/postback"}},
		{"url-events-name", []string{"url", "adcombo", "https://pb.example.com/KEY/postback", "-o", "name"}},
		{"url-json", []string{"url", "cake", "https://pb.example.com/KEY/postback", "-o", "json"}},
		{"url-placeholder", []string{"url", "wannads"}},
		{"url-wrong-base", []string{"url", "affise", "https://pb.example.com/KEY/postback?subid="}},
		{"url-no-macros", []string{"url", "peerclick"}},
		{"apply", []string{"apply", "own-net", "--presets", "testdata/own"}},
		{"apply-accepted", []string{"apply", "own-net", "--presets", "testdata/own", "--accept-proposed"}},
		{"apply-file", []string{"apply", "own-net", "--presets", "testdata/own", "-f", "testdata/several.yaml", "--name",
			"shop"}},
		{"apply-json", []string{"apply", "own-net", "--presets", "testdata/own", "-o", "json"}},
		{"apply-source", []string{"apply", "adxad", "-f", "testdata/several.yaml", "--name", "shop"}},
		{"apply-sample", []string{"apply", "meta"}},
		{"apply-several", []string{"apply", "affise", "-f", "testdata/several.yaml"}},
		{"apply-no-such-endpoint", []string{"apply", "affise", "-f", "testdata/several.yaml", "--name", "gone"}},
		{"diff", []string{"diff", "--presets", "testdata/own", "-f", "testdata/several.yaml", "--name", "shop"}},
		{"diff-json", []string{"diff", "--presets", "testdata/own", "-f", "testdata/several.yaml", "--name", "shop", "-o",
			"json"}},
		{"diff-none", []string{"diff", "affise", "-f", "testdata/several.yaml", "--name", "trained"}},
		{"diff-no-annotation", []string{"diff", "-f", "testdata/several.yaml", "--name", "trained"}},
		{"diff-no-file", []string{"diff", "affise"}},
		{"guess", []string{"guess", "https://demo.go2cloud.org/?c={aff_sub}&p=#price#"}},
		{"guess-yaml", []string{"guess", "c=[[[subid]]]", "-o", "yaml"}},
		{"guess-name", []string{"guess", "c={ymid}", "-o", "name"}},
		{"guess-nobody", []string{"guess", "https://t.example/?c={status}"}},
		{"guess-nobody-json", []string{"guess", "https://t.example/", "-o", "json"}},
		{"unknown-command", []string{"sell"}},
		{"unknown-flag", []string{"list", "--colour"}},
		{"unknown-format", []string{"url", "affise", "-o", "wide"}},
		{"missing-argument", []string{"show"}},
		{"own-presets-missing", []string{"list", "--presets", "testdata/gone"}},
		{"own-presets-wrong", []string{"list", "--presets", "testdata/wrong"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			stdout, stderr, code := run(t, "", append([]string{"preset"}, c.args...)...)
			got := fmt.Sprintf("%s--- stderr\n%s--- exit code %d\n", stdout, stderr, code)
			golden := filepath.Join("testdata", "golden", c.name+".txt")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestApplyReadsStdin(t *testing.T) {
	const shop = "kind: PostbackEndpoint\nspec: {training: [{type: sale, statuses: [paid]}]}\n"
	stdout, stderr, code := run(t, shop, "preset", "apply", "affise", "-f", "-")
	if code != 0 || stderr != "" || !strings.Contains(stdout, `statuses: [paid, "1"]`) {
		t.Errorf("%s%s%d", stdout, stderr, code)
	}
}

func TestABrokenManifestIsAnError(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"no YAML", "kind: [", "error: -: yaml: line 1"},
		{"training that is none", "kind: PostbackEndpoint\nspec: {training: sale}", "error: -: yaml: unmarshal errors"},
		{"nothing", "", "error: -: no PostbackEndpoint in it"},
		{"too much of it", strings.Repeat("#", 8<<20+1), "error: -: more than 8388608 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			stdout, stderr, code := run(t, c.text, "preset", "apply", "affise", "-f", "-")
			if code != 1 || stdout != "" || !strings.HasPrefix(stderr, c.want) {
				t.Errorf("%q %q %d", stdout, stderr, code)
			}
		})
	}
}

func TestShellsCompletePresets(t *testing.T) {
	stdout, _, code := run(t, "", "__complete", "preset", "show", "aff")
	if code != 0 || !strings.Contains(stdout, "affise\tAffise\n") {
		t.Errorf("%s%d", stdout, code)
	}
}

func TestVersion(t *testing.T) {
	if stdout, _, code := run(t, "", "version"); stdout != "v1.2.3\n" || code != 0 {
		t.Errorf("%q %d", stdout, code)
	}
}

func TestHelpIsNoError(t *testing.T) {
	for _, args := range [][]string{nil, {"preset"}, {"preset", "apply", "--help"}} {
		if stdout, stderr, code := run(t, "", args...); code != 0 || stderr != "" ||
			!strings.Contains(stdout, "kubectl postback") {
			t.Errorf("%v: %s%s%d", args, stdout, stderr, code)
		}
	}
}
