// Package docs holds the pages against what they describe.
package docs

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/postback-dev/postback-operator/controllers/offline"
)

// kinds are the pages' parts, by their headings.
var kinds = map[string]bool{"PostbackEndpoint": true, "ReceiverFleet": true, "Campaign": true}

// parts returns the pages' text by kind.
func parts(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, name := range []string{"endpoint.md", "campaign.md"} {
		page, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for part := range strings.SplitSeq(string(page), "\n## ") {
			heading, text, _ := strings.Cut(part, "\n")
			if kinds[heading] {
				found[heading] = text
			}
		}
	}
	if len(found) != len(kinds) {
		t.Fatalf("the pages have parts for %d kinds, there are %d", len(found), len(kinds))
	}
	return found
}

// surroundings are what the examples refer to.
const surroundings = `
{apiVersion: postback.dev/v1alpha1, kind: ReceiverFleet, metadata: {name: agency, namespace: fleets}, spec: {allowedEndpoints: {namespaces: All}}}
---
{apiVersion: v1, kind: Secret, metadata: {name: own-key, labels: {postback.dev/readable: "true"}}, stringData: {key: replace-me-too-soon, clickToken: replace-me-too}}
---
{apiVersion: v1, kind: Secret, metadata: {name: summer-token, labels: {postback.dev/readable: "true"}}, stringData: {token: replace-me-three}}
---
{apiVersion: v1, kind: Secret, metadata: {name: network-hmac, labels: {postback.dev/readable: "true"}}, stringData: {hmac: replace-me}}
---
{apiVersion: v1, kind: Secret, metadata: {name: wall, labels: {postback.dev/readable: "true"}}, stringData: {signature: replace-me-too}}
---
{apiVersion: v1, kind: Secret, metadata: {name: oxr, labels: {postback.dev/readable: "true"}}, stringData: {key: replace-me}}
---
{apiVersion: v1, kind: Secret, metadata: {name: capi, labels: {postback.dev/readable: "true"}}, stringData: {token: Bearer replace-me}}
`

// shop is the endpoint of the campaigns.
const shop = `---
{apiVersion: postback.dev/v1alpha1, kind: PostbackEndpoint, metadata: {name: shop}, spec: {currency: USD}}
`

func TestEveryExampleIsAdmittedAndRendered(t *testing.T) {
	block := regexp.MustCompile("(?s)```yaml\n(.*?)```")
	for kind, text := range parts(t) {
		examples := block.FindAllStringSubmatch(text, -1)
		if len(examples) < 6 {
			t.Errorf("%s has only %d examples", kind, len(examples))
		}
		for i, example := range examples {
			t.Run(fmt.Sprintf("%s %d", kind, i+1), func(t *testing.T) { render(t, kind, example[1]) })
		}
	}
}

// render renders an example: whole, or the fields of a spec, to which the mandatory ones are added.
func render(t *testing.T, kind, example string) {
	t.Helper()
	var given, object map[string]any
	if err := yaml.Unmarshal([]byte(example), &given); err != nil {
		t.Fatal(err)
	}
	object = map[string]any{
		"apiVersion": "postback.dev/v1alpha1", "kind": kind, "metadata": map[string]any{"name": "example"},
	}
	if given["kind"] == nil {
		if kind == "PostbackEndpoint" && given["currency"] == nil {
			given["currency"] = "USD"
		}
		if kind == "Campaign" {
			given["endpointRef"] = map[string]any{"name": "shop"}
			if given["offerURL"] == nil {
				given["offerURL"] = "https://offer.example/"
			}
		}
		object["spec"] = given
	} else {
		maps.Copy(object, given)
	}
	document, err := yaml.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	files := string(document) + "---" + surroundings
	if kind == "Campaign" {
		files += shop
	}
	dir := t.TempDir()
	var out bytes.Buffer
	err = offline.Render(t.Context(), offline.Options{
		Paths: []string{"-"}, Stdin: strings.NewReader(files),
		Dir: dir, Out: &out, Notices: io.Discard, Now: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC),
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, example)
	}
	if manifests, _ := filepath.Glob(filepath.Join(dir, "*", "manifest.json")); len(manifests) == 0 {
		t.Errorf("nothing was rendered:\n%s", example)
	}
}
