// Package walls keeps the rooms of the house apart: who may import whom, and who may ask for the time.
package walls

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/postback-dev/postback-operator"

// root is the module's folder, seen from this package's.
const root = "../.."

// pkg is what `go list` says of a package.
type pkg struct {
	path    string
	dir     string
	imports []string // direct
	deps    []string // transitive
}

// packages lists every package of the module, without tests.
func packages(t *testing.T) []pkg {
	t.Helper()
	const format = `{{.ImportPath}}{{"\t"}}{{.Dir}}{{"\t"}}{{join .Imports " "}}{{"\t"}}{{join .Deps " "}}`
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-f", format, "./...")
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var all []pkg
	for line := range strings.Lines(string(out)) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		all = append(all, pkg{
			path: strings.TrimPrefix(strings.TrimPrefix(fields[0], module), "/"), dir: fields[1],
			imports: strings.Fields(fields[2]), deps: strings.Fields(fields[3]),
		})
	}
	return all
}

// below reports whether a package or folder is in, or is, one of the folders.
func below(path string, folders ...string) bool {
	return slices.ContainsFunc(folders, func(folder string) bool {
		return path == folder || strings.HasPrefix(path, folder+"/")
	})
}

// standard reports whether an import path is of the standard library: its first element has no dot.
func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

// A wall forbids packages to depend on something.
type wall struct {
	says   string
	within []string // folders
	direct bool     // whether only direct imports count
	breaks func(path string) bool
}

// pure are the packages that decide and do nothing else.
var pure = []string{
	"receiver/macro", "receiver/filter", "receiver/report", "receiver/request", "receiver/access", "receiver/postback",
	"receiver/conversion", "receiver/trace", "receiver/forward/rule",
	"controllers/rotation", "controllers/credential", "controllers/render", "controllers/assembly", "controllers/snippets",
	"api/presets",
}

var walls = []wall{
	{
		says:   "contracts and scripts need the standard library only",
		within: []string{"api/config", "api/read", "api/browser"},
		breaks: func(path string) bool {
			return !standard(path) && !below(path, module+"/api/config", module+"/api/read")
		},
	},
	{
		says: "the receiver knows nothing of Kubernetes", within: []string{"receiver"},
		breaks: func(path string) bool { return below(path, "k8s.io", "sigs.k8s.io", module+"/controllers") },
	},
	{
		says: "the catalog of presets knows neither Kubernetes nor the programs", within: []string{"api/presets"},
		breaks: func(path string) bool {
			return below(path, "k8s.io", "sigs.k8s.io", module+"/controllers", module+"/receiver", module+"/api/v1alpha1")
		},
	},
	{
		says: "the console is a client of the API only", within: []string{"console"},
		breaks: func(path string) bool {
			return below(path, "k8s.io", "sigs.k8s.io", module+"/controllers", module+"/receiver", module+"/api/v1alpha1")
		},
	},
	{
		says: "the console of a cluster knows receivers by their API only", within: []string{"portal"},
		breaks: func(path string) bool { return below(path, module+"/receiver") },
	},
	{
		says:   "of the plugin only cli/offline imports the receiver, and the command that explains",
		within: []string{"cli/reach", "cli/output", "cli/exit", "cli/declared", "cli/preset"},
		breaks: func(path string) bool { return below(path, module+"/receiver") },
	},
	{
		says: "the operator does not import the receiver", within: []string{"controllers"},
		breaks: func(path string) bool { return below(path, module+"/receiver") },
	},
	{
		says: "pure packages have no client", within: pure,
		breaks: func(path string) bool {
			// database/sql/driver is but interfaces, which a decimal implements.
			return below(path, "k8s.io/client-go", "sigs.k8s.io/controller-runtime") || path == "database/sql"
		},
	},
	{
		says: "pure packages do not speak HTTP", within: pure, direct: true, // metav1 itself depends on net/http
		breaks: func(path string) bool { return below(path, "net/http", "os", "math/rand", "crypto/rand") },
	},
}

func TestNoPackageReachesThroughAWall(t *testing.T) {
	all := packages(t)
	for _, wall := range walls {
		t.Run(wall.says, func(t *testing.T) {
			for _, p := range all {
				if !below(p.path, wall.within...) {
					continue
				}
				reached := p.deps
				if wall.direct {
					reached = p.imports
				}
				for _, path := range reached {
					if wall.breaks(path) {
						t.Errorf("%s depends on %s", p.path, path)
					}
				}
			}
		})
	}
}

// Money is pure but for its rates, which are fetched.
func TestMoneyIsPureApartFromItsRates(t *testing.T) {
	for _, p := range packages(t) {
		if p.path == "receiver/money" {
			for _, path := range p.deps {
				if path == "net/http" || path == "database/sql" {
					t.Errorf("%s depends on %s", p.path, path)
				}
			}
		}
	}
}

func TestPurePackagesAreToldTheTime(t *testing.T) {
	for _, p := range packages(t) {
		if !below(p.path, pure...) && p.path != "receiver/money" {
			continue
		}
		files, err := filepath.Glob(filepath.Join(p.dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			for _, call := range clockCalls(t, file) {
				t.Errorf("%s: a pure package takes the time as an argument", call)
			}
		}
	}
}

// clockCalls returns the places of a source file that read or wait for the clock.
func clockCalls(t *testing.T, file string) []string {
	t.Helper()
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	ast.Inspect(parsed, func(node ast.Node) bool {
		selector, ok := node.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		clock := []string{"Now", "Since", "Until", "Sleep", "After", "Tick", "NewTimer", "NewTicker", "AfterFunc"}
		if from, ok := selector.X.(*ast.Ident); ok && from.Name == "time" && slices.Contains(clock, selector.Sel.Name) {
			found = append(found, set.Position(node.Pos()).String())
		}
		return true
	})
	return found
}

// The checks above would say nothing if they found nothing to look at.
func TestTheWallsStand(t *testing.T) {
	all := packages(t)
	for _, folder := range []string{
		"api/config", "receiver",
		"controllers/rotation", "controllers/credential", "controllers/render", "controllers/assembly",
	} {
		if !slices.ContainsFunc(all, func(p pkg) bool { return below(p.path, folder) && len(p.deps) > 0 }) {
			t.Errorf("no package below %s", folder)
		}
	}
	file := filepath.Join(t.TempDir(), "clock.go")
	source := "package p\nimport \"time\"\nvar a, b = time.Now(), time.Since\n"
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := len(clockCalls(t, file)); got != 2 {
		t.Errorf("%d clock calls found, there are 2", got)
	}
}
