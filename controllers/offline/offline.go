// Package offline renders declarations without a cluster: files in, the configuration folders of receivers out. It does
// with files what the operator does with a cluster, through the same pure packages, for `make run`, tests and previews.
//
// It imports no client.
package offline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/config/crd"
	"github.com/postback-dev/postback-operator/controllers/credential"
	"github.com/postback-dev/postback-operator/controllers/random"
	"github.com/postback-dev/postback-operator/controllers/schema"
)

// Options say what is rendered where to.
type Options struct {
	// Paths are files and folders to read; "-" is Stdin.
	Paths []string
	Stdin io.Reader
	// Dir gets a folder <namespace>.<fleet> per fleet, secrets.yaml, and the folder snippets.
	Dir string
	// Out gets a line per fleet, Notices what the user may want to know besides. No key is ever written to them.
	Out, Notices io.Writer
	// Now is the time by which keys are rotated and retired.
	Now time.Time
	// Source makes keys and ids; the system's randomness unless it is given.
	Source credential.Source
}

// compiled are the product's own definitions, compiled once.
var compiled = sync.OnceValues(func() (schema.Schemas, error) { return schema.Load(crd.Files) })

// Render reads, judges and renders. What is wrong with one declaration leaves the others alone: they are rendered all
// the same, what was rendered of the wrong one before stays, and the error then joins a sentence per problem.
func Render(ctx context.Context, o Options) error {
	schemas, err := compiled()
	if err != nil {
		return err
	}
	notice := func(format string, args ...any) { _, _ = fmt.Fprintf(o.Notices, format+"\n", args...) }
	reader := newReader(schemas, notice)
	for _, path := range o.Paths {
		if path == "-" {
			err = reader.stream(ctx, "standard input", o.Stdin)
		} else {
			err = reader.path(ctx, path, o.Dir)
		}
		if err != nil {
			return err
		}
	}
	kept, err := loadSecrets(o.Dir)
	if err != nil {
		return err
	}
	if o.Source.Key == nil {
		o.Source = random.Source()
	}
	planner := planner{
		declarations: reader.out,
		schemas:      schemas,
		kept:         kept,
		before:       loadBefore(o.Dir),
		now:          o.Now,
		source:       o.Source,
		plans:        fleetPlans{},
		members:      map[types.NamespacedName]*member{},
		texts:        map[string]map[string][]byte{},
		problems:     reader.problems,
		notice:       notice,
	}
	planner.plan(ctx)
	if len(planner.plans) == 0 && len(planner.problems) == 0 {
		return errors.New("no PostbackEndpoint and no ReceiverFleet was found")
	}
	// Before the documents: a key that a receiver serves must be on record.
	if err := kept.save(o.Dir); err != nil {
		return err
	}
	for _, name := range slices.SortedFunc(maps.Keys(planner.plans), byName) {
		if err := write(o, name, planner.plans[name]); err != nil {
			_, kept := planner.before[name]
			planner.problemf("ReceiverFleet %s %s: %w", name, fate(kept), err)
		}
	}
	if err := writeSnippets(o.Dir, planner.texts, planner.served()); err != nil {
		return err
	}
	reportForeign(o.Dir, planner.plans, notice)
	return errors.Join(planner.problems...)
}

func folderOf(name types.NamespacedName) string { return name.Namespace + "." + name.Name }

func write(o Options, name types.NamespacedName, plan *fleetPlan) error {
	documents, err := config.Seal(plan.fleet, plan.endpoints)
	if err != nil {
		return err
	}
	folder := filepath.Join(o.Dir, folderOf(name))
	if err := writeDocuments(folder, documents, o.Now); err != nil {
		return err
	}
	sealed, err := config.Open(func(name string) ([]byte, error) { return documents[name], nil })
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(o.Out, "%s  revision %s  endpoints %d\n", folder, sealed.Revision, len(sealed.Endpoints))
	return err
}

// reportForeign tells of folders whose fleet is not rendered now. They are left alone: a receiver may serve them.
func reportForeign(dir string, plans fleetPlans, notice func(string, ...any)) {
	rendered := map[string]bool{}
	for name := range plans {
		rendered[folderOf(name)] = true
	}
	manifests, _ := filepath.Glob(filepath.Join(dir, "*", config.ManifestFile))
	for _, manifest := range manifests {
		folder := filepath.Base(filepath.Dir(manifest))
		if _, err := os.Lstat(manifest); err == nil && !rendered[folder] {
			notice("left as it was: %s belongs to no fleet that was rendered now", filepath.Join(dir, folder))
		}
	}
}
