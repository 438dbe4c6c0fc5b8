package apply

import (
	"cmp"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

func TestWhatIsPatchedInASpec(t *testing.T) {
	for name, c := range map[string]struct{ live, want, whole, patch string }{
		"nothing":                         {`{a: 1, b: {c: 2}}`, `{a: 1, b: {c: 2}}`, ``, `null`},
		"a field":                         {`{a: 1, host: x}`, `{a: 1}`, ``, `{host: null}`},
		"a field of a field":              {`{a: {b: 1, c: 2}}`, `{a: {b: 1}}`, ``, `{a: {c: null}}`},
		"a whole field and all in it":     {`{a: {b: {c: 1}}}`, `{a: {}}`, ``, `{a: {b: null}}`},
		"another value":                   {`{a: 1, b: {c: 2}}`, `{a: 1, b: {c: 3}}`, ``, `{b: {c: 3}}`},
		"another value than a default":    {`{a: {on: true}}`, `{}`, `{a: {on: false}}`, `{a: {on: false}}`},
		"a default":                       {`{a: 1, type: X}`, `{a: 1}`, `{a: 1, type: X}`, `null`},
		"a default that is not known":     {`{a: 1}`, `{a: 1}`, `{a: 1, type: X}`, `null`},
		"a default that comes along":      {`{a: 1}`, `{}`, `{type: X}`, `{a: null, type: X}`},
		"off, and left out":               {`{}`, `{a: {on: false}}`, ``, `null`},
		"on, and left out":                {`{}`, `{a: {on: true}}`, ``, `{a: {on: true}}`},
		"on, by an empty object":          {`{}`, `{admin: {}}`, ``, `{admin: {}}`},
		"an item more":                    {`{l: [{n: x}, {n: y}]}`, `{l: [{n: x}]}`, ``, `{l: [{n: x}]}`},
		"an item less":                    {`{l: []}`, `{l: [{n: x}]}`, ``, `{l: [{n: x}]}`},
		"a field more in an item":         {`{l: [{n: x, u: y}]}`, `{l: [{n: x}]}`, ``, `{l: [{n: x}]}`},
		"items where there is to be none": {`{l: [{n: x}]}`, `{l: []}`, ``, `{l: []}`},
		"either of two": {`{store: {embedded: {size: 1Gi}}}`, `{store: {postgres: {dsn: x}}}`,
			`{store: {postgres: {dsn: x, hold: 20s}}}`, `{store: {embedded: null, postgres: {dsn: x, hold: 20s}}}`},
		"either of two, by default": {`{store: {postgres: {dsn: x}}}`, `{}`, `{store: {embedded: {size: 1Gi}}}`,
			`{store: {postgres: null, embedded: {size: 1Gi}}}`},
		"replicas":                   {`{replicas: 3}`, `{}`, ``, `null`},
		"replicas that are declared": {`{replicas: 3}`, `{replicas: 2}`, ``, `null`},
		"replicas stay":              {`{replicas: 3, host: x}`, `{}`, ``, `{host: null}`},
		"a stopped receiver stays": {`{replicas: 0, host: x, store: {embedded: {}}}`, `{}`, `{store: {embedded: {}}}`,
			`{host: null}`},
		"too many replicas for the embedded store": {`{replicas: 3, store: {postgres: {}}}`, `{store: {embedded: {}}}`, ``,
			`{replicas: null, store: {postgres: null, embedded: {}}}`},
		"replicas beside autoscaling": {`{replicas: 3}`, `{autoscaling: {max: 5}}`, ``,
			`{replicas: null, autoscaling: {max: 5}}`},
	} {
		t.Run(name, func(t *testing.T) {
			got := specPatch(parse(t, c.live), parse(t, c.want), parse(t, cmp.Or(c.whole, c.want)))
			if diff := gocmp.Diff(parse(t, c.patch), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A default that the types leave out, because it is empty, stays.
func TestDefaultsAreWrittenAsWhatIsRead(t *testing.T) {
	w := &Writer{DefaultFleet: func(fleet map[string]any) {
		spec := fleet["spec"].(map[string]any)
		spec["rates"] = map[string]any{"refreshEvery": "12h"}
		spec["networkPolicy"] = map[string]any{"enabled": false}
	}}
	got, err := w.defaulted(parse(t, `{spec: {store: {embedded: {size: 1024Mi}}, podTemplate: {a: {b: [c]}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := parse(t, `{spec: {store: {embedded: {size: 1Gi}}, podTemplate: {a: {b: [c]}},
		rates: {refreshEvery: 12h0m0s}, networkPolicy: {enabled: false}}}`)
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
