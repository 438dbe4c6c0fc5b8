//go:build e2e

// Package e2e runs the product on a real cluster, with real pods, as users do: the operator by its chart, declarations
// by kubectl apply, postbacks from inside the cluster. hack/e2e.sh runs it.
package e2e

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/config"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/go-logr/logr"
	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/hack/testbed"
)

var (
	soakFor = flag.Duration("soak", time.Minute, "how long TestSoak lasts")
	seed    = flag.Uint64("seed", uint64(time.Now().UnixNano()), "seed of the soak's faults")
)

// What all tests share; set by TestMain.
var (
	bed      *testbed.Bed
	cluster  client.Client
	database *testbed.Database
)

// root is the repository's.
const root = "../.."

func TestMain(m *testing.M) {
	flag.Parse()
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	ctx := context.Background()
	log.SetLogger(logr.Discard())
	if err := os.Chdir(root); err != nil {
		return 1, err
	}
	if bed, err = testbed.Open(ctx); err != nil {
		return 1, err
	}
	if cluster, err = connect(); err != nil {
		return 1, err
	}
	began := time.Now()
	step := func(what string, do func() error) {
		if err != nil {
			return
		}
		if err = do(); err == nil {
			fmt.Printf("%6.1f s  %s\n", time.Since(began).Seconds(), what)
		}
	}
	step("images are built and loaded", func() error { return bed.LoadImages(ctx, "sender=./hack/e2e/sender") })
	step("the operator runs", func() error { return bed.Install(ctx) })
	step("the sender runs", func() error { return startSender(ctx) })
	step("PostgreSQL runs", func() error {
		database, err = testbed.StartDatabase(ctx)
		return err
	})
	if database != nil {
		defer func() { err = errors.Join(err, database.Stop()) }()
	}
	if err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// connect makes a client that knows the product's kinds. It caches nothing.
func connect() (client.Client, error) {
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return nil, err
	}
	rest, err := config.GetConfig()
	if err != nil {
		return nil, err
	}
	rest.QPS = -1
	return client.New(rest, client.Options{Scheme: scheme})
}
