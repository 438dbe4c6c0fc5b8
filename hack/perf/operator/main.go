// Command operator measures the operator against a real API server: how long it takes until many endpoints are
// programmed, what it writes, at rest and for one change, how long reconciles take, and its memory. There is no
// kubelet: no receiver runs, so nothing is confirmed.
//
//	go run ./hack/perf/operator -manager bin/manager -endpoints 1000 -fleets 50
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

type settings struct {
	manager                    string
	endpoints, fleets, foreign int
}

func main() {
	var s settings
	flag.StringVar(&s.manager, "manager", "bin/manager", "the operator's program")
	flag.IntVar(&s.endpoints, "endpoints", 1000, "endpoints to declare")
	flag.IntVar(&s.fleets, "fleets", 50, "fleets that share them")
	flag.IntVar(&s.foreign, "foreign", 10000, "foreign Secrets of 10 kB")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := measure(ctx, s)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func measure(ctx context.Context, s settings) (err error) {
	assets, err := exec.CommandContext(ctx, filepath.Join("hack", "envtest.sh")).Output()
	if err != nil {
		return fmt.Errorf("building the API server: %w", err)
	}
	environment := &envtest.Environment{
		BinaryAssetsDirectory: strings.TrimSpace(string(assets)),
		CRDDirectoryPaths:     []string{filepath.Join("config", "crd", "bases")}, ErrorIfCRDPathMissing: true,
	}
	config, err := environment.Start()
	if err != nil {
		return fmt.Errorf("starting the API server: %w", err)
	}
	defer func() { err = errors.Join(err, environment.Stop()) }()
	config.QPS = -1
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return err
	}
	admin, err := client.NewWithWatch(config, client.Options{Scheme: scheme})
	if err != nil {
		return err
	}
	operator, err := start(ctx, s.manager, environment.KubeConfig)
	if err != nil {
		return err
	}
	defer operator.stop()
	return scenario{settings: s, admin: admin, operator: operator}.run(ctx)
}

// until polls.
func until(ctx context.Context, within time.Duration, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not done: %w", ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}
