package main

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx/v2/common"
	"github.com/spdx/tools-golang/spdx/v2/v2_3"
	"github.com/spdx/tools-golang/spdxlib"
)

// root is the module's folder.
const root = "../.."

// describedReceiver is the receiver's image, and its SBOM as a reader of SPDX takes it.
func describedReceiver(t *testing.T) (i image, manifest string, document *v2_3.Document) {
	t.Helper()
	t.Chdir(root)
	program, err := compile(t.Context(), "./receiver", "v1", runtime.GOARCH)
	if err != nil {
		t.Fatal(err)
	}
	i = image{
		Reference:    "registry.example:5000/postback/receiver:v1",
		Architecture: runtime.GOARCH,
		Name:         "receiver",
		Program:      program,
	}
	var archived, sbom bytes.Buffer
	if manifest, err = i.write(&archived); err != nil {
		t.Fatal(err)
	}
	if err := i.writeSBOM(&sbom, manifest); err != nil {
		t.Fatal(err)
	}
	document = &v2_3.Document{}
	if err := spdxjson.ReadInto(&sbom, document); err != nil {
		t.Fatal(err)
	}
	return i, manifest, document
}

func TestTheSBOMSaysWhatTheImageIsMadeOf(t *testing.T) {
	i, manifest, document := describedReceiver(t)
	t.Run("it has what SPDX 2.3 demands", func(t *testing.T) { demanded(t, document) })
	t.Run("it names every module that the program is built from, and no other", func(t *testing.T) {
		var got []string
		for _, p := range document.Packages {
			if strings.HasPrefix(string(p.PackageSPDXIdentifier), "Module-") {
				got = append(got, p.PackageName+"@"+p.PackageVersion)
			}
		}
		if diff := cmp.Diff(modulesOf(t, "./receiver"), got); diff != "" || len(got) < 10 {
			t.Errorf("(-go list +SBOM):\n%s", diff)
		}
	})
	t.Run("it names the image and the program by their digests", func(t *testing.T) {
		want := map[common.ElementID]string{imageID: manifest, programID: digest(i.Program)}
		for _, p := range document.Packages {
			if digest, of := want[p.PackageSPDXIdentifier]; of && "sha256:"+p.PackageChecksums[0].Value != digest {
				t.Errorf("%s: %v, want %s", p.PackageName, p.PackageChecksums, digest)
			}
		}
	})
	t.Run("package URLs say where a scanner has to look", func(t *testing.T) {
		var got []string
		for _, p := range document.Packages[:4] {
			got = append(got, p.PackageExternalReferences[0].Locator)
		}
		roots, err := rootsVersion()
		if err != nil {
			t.Fatal(err)
		}
		want := []string{
			"pkg:oci/receiver@sha256%3A" + strings.TrimPrefix(manifest, "sha256:") + "?arch=" + runtime.GOARCH +
				"&repository_url=registry.example%3A5000%2Fpostback%2Freceiver&tag=v1",
			"pkg:golang/github.com/postback-dev/postback-operator@v1#receiver",
			"pkg:golang/golang.org/x/crypto/x509roots/fallback@" + roots,
			"pkg:golang/stdlib@" + strings.TrimPrefix(runtime.Version(), "go"),
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// modulesOf lists what a program is built from, by what its packages import.
func modulesOf(t *testing.T, program string) []string {
	t.Helper()
	const format = `{{with .Module}}{{if not .Main}}` +
		`{{with .Replace}}{{.Path}}@{{.Version}}{{else}}{{.Path}}@{{.Version}}{{end}}{{end}}{{end}}`
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", format, program)
	list.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	modules := strings.Fields(string(out))
	slices.Sort(modules)
	return slices.Compact(modules)
}

// demanded checks the mandatory fields of SPDX 2.3, sections 6, 7 and 11, by their form.
func demanded(t *testing.T, d *v2_3.Document) {
	t.Helper()
	if err := spdxlib.ValidateDocument(d); err != nil {
		t.Error(err)
	}
	matches := func(what, value, form string) {
		if !regexp.MustCompile("^(?:" + form + ")$").MatchString(value) {
			t.Errorf("%s is %q", what, value)
		}
	}
	matches("6.1 version", d.SPDXVersion, `SPDX-2\.3`)
	matches("6.2 data license", d.DataLicense, `CC0-1\.0`)
	matches("6.3 identifier", string(d.SPDXIdentifier), `DOCUMENT`)
	matches("6.4 name", d.DocumentName, `.+`)
	matches("6.5 namespace", d.DocumentNamespace, `https://[^#\s]+`)
	if len(d.CreationInfo.Creators) == 0 {
		t.Error("6.8: nobody created it")
	}
	for _, creator := range d.CreationInfo.Creators {
		matches("6.8 creator", creator.CreatorType+": "+creator.Creator, `Tool: [^\s]+-[^\s]+`)
	}
	if _, err := time.Parse("2006-01-02T15:04:05Z", d.CreationInfo.Created); err != nil {
		t.Errorf("6.9: %v", err)
	}
	described, err := spdxlib.GetDescribedPackageIDs(d)
	if diff := cmp.Diff([]common.ElementID{imageID}, described); diff != "" || err != nil {
		t.Errorf("11.1: what the document describes (-want +got):\n%s%v", diff, err)
	}
	seen := map[common.ElementID]bool{}
	for _, p := range d.Packages {
		matches("7.1 name", p.PackageName, `.+`)
		matches("7.2 identifier", string(p.PackageSPDXIdentifier), `[A-Za-z0-9.-]+`)
		matches("7.7 download location", p.PackageDownloadLocation, `NOASSERTION`)
		matches("7.15 declared license", p.PackageLicenseDeclared, `NOASSERTION|Apache-2\.0`)
		if p.FilesAnalyzed || !p.IsFilesAnalyzedTagPresent || p.PackageVerificationCode != nil {
			t.Errorf("7.8: %s says that its files were analyzed", p.PackageName)
		}
		for _, reference := range p.PackageExternalReferences {
			matches("7.21 category", reference.Category, `PACKAGE-MANAGER`)
			matches("7.21 type", reference.RefType, `purl`)
			matches("7.21 locator", reference.Locator, `pkg:(oci|golang)/[^\s@]+@[^\s]+`)
		}
		if seen[p.PackageSPDXIdentifier] {
			t.Errorf("7.2: %s is there twice", p.PackageSPDXIdentifier)
		}
		seen[p.PackageSPDXIdentifier] = true
	}
	if len(d.Relationships) != len(d.Packages) {
		t.Errorf("11: %d relationships of %d packages", len(d.Relationships), len(d.Packages))
	}
}
