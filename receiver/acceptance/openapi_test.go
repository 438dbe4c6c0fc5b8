package acceptance

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// contract is the OpenAPI document of a receiver, which every answer that a test reads must follow.
type contract struct {
	once     sync.Once
	token    string
	compiler *jsonschema.Compiler
	answers  []described
}

// described is an operation's answer: what paths it is of, and where its schema is in the document.
type described struct {
	path, pointer string
	matches       *regexp.Regexp
}

var segments = regexp.MustCompile(`\\\{\w+\\\}`)

// load reads the document of the receiver. Fields that it does not name are an error here: a client would not know
// them.
func (c *contract) load(t *testing.T, ops string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, ops+"/api/v1/openapi.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	authorize(request, c.token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	doc, err := jsonschema.UnmarshalJSON(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	root := doc.(map[string]any)
	for _, schema := range root["components"].(map[string]any)["schemas"].(map[string]any) {
		schema.(map[string]any)["additionalProperties"] = false
	}
	for path, operations := range root["paths"].(map[string]any) {
		if _, ok := operations.(map[string]any)["get"]; !ok || strings.HasSuffix(path, ".csv") {
			continue
		}
		media := "application~1json"
		if strings.HasSuffix(path, ".ndjson") {
			media = "application~1x-ndjson"
		}
		pointer := strings.NewReplacer("~", "~0", "/", "~1").Replace(path)
		c.answers = append(c.answers, described{
			path:    path,
			pointer: "#/paths/" + pointer + "/get/responses/200/content/" + media + "/schema",
			matches: regexp.MustCompile("^" + segments.ReplaceAllString(regexp.QuoteMeta(path), "[^/]+") + "$"),
		})
	}
	c.compiler = jsonschema.NewCompiler()
	if err := c.compiler.AddResource("openapi.json", doc); err != nil {
		t.Fatal(err)
	}
}

// holds demands that a successful answer is as the document says.
func (c *contract) holds(t *testing.T, ops, target, text string) {
	t.Helper()
	path, _, _ := strings.Cut(target, "?")
	if !strings.HasPrefix(path, "/api/v1/") || strings.HasSuffix(path, ".csv") {
		return
	}
	c.once.Do(func() { c.load(t, ops) })
	for _, d := range c.answers {
		if !d.matches.MatchString(path) {
			continue
		}
		schema, err := c.compiler.Compile("openapi.json" + (&url.URL{Fragment: strings.TrimPrefix(d.pointer, "#")}).String())
		if err != nil {
			t.Fatal(err)
		}
		documents := []string{text}
		if strings.HasSuffix(path, ".ndjson") {
			documents = strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		}
		for _, document := range documents {
			if document == "" {
				continue
			}
			value, err := jsonschema.UnmarshalJSON(strings.NewReader(document))
			if err == nil {
				err = schema.Validate(value)
			}
			if err != nil {
				t.Errorf("%s is not as the OpenAPI document says: %v\n%s", target, err, document)
				return
			}
		}
		return
	}
	t.Errorf("the OpenAPI document has no %s", path)
}

func TestEveryResourceAnswersAsTheDocumentSays(t *testing.T) {
	for _, e := range []engine{sqlite, postgres} {
		t.Run(e.name, func(t *testing.T) {
			r, id := shop(t, e)
			r.read(t, "/api/v1/openapi.json")
			for _, d := range r.contract.answers {
				target := strings.NewReplacer("{id}", id, "{namespace}", "default", "{name}", "shop", "{subid}",
					"c1").Replace(d.path)
				if strings.HasSuffix(target, "/explain") {
					target += "?" + url.Values{"endpoint": {"default/shop"}, "query": {"subid=c1&status=sale&payout=5&tid=7"}}.Encode()
				}
				status, text := r.read(t, target)
				if strings.Contains(target, "/operations/") {
					// Nobody has asked for one. What is found is held to the document by the tests of operations.
					if status != http.StatusNotFound {
						t.Errorf("%s: %d %s", target, status, text)
					}
					continue
				}
				if status != http.StatusOK || len(text) < 3 {
					t.Errorf("%s: %d %s", target, status, text)
				}
			}
			// What is wrong has a schema of its own.
			_, text := r.read(t, "/api/v1/conversions?limit=0")
			var bad map[string]string
			if err := json.Unmarshal([]byte(text), &bad); err != nil || len(bad) != 1 || bad["error"] == "" {
				t.Errorf("%s (%v)", text, err)
			}
		})
	}
}
