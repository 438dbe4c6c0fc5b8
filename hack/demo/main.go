// Command demo shows the product on a real cluster: the one of KUBECONFIG, or one that it brings up on this machine. It
// installs the operator, applies demo.yaml, and sends a click and the postbacks of docs/semantics.md §9 through the
// Service.
//
//	go run ./hack/demo up      leaves everything there to look at
//	go run ./hack/demo down    removes it
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	_ "embed"

	"github.com/postback-dev/postback-operator/hack/testbed"
)

const (
	namespace = "demo"
	fleet     = "receivers"
	endpoint  = "shop"
)

//go:embed demo.yaml
var manifests string

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	commands := map[string]func(context.Context) error{"up": up, "down": down, "database": serveDatabase}
	do := commands[strings.Join(os.Args[1:], " ")]
	if do == nil {
		fmt.Fprintln(os.Stderr, "usage: demo up|down")
		os.Exit(2)
	}
	if err := do(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to stop
	}
}

// state is the folder with what a later demo down has to know.
func state() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir = filepath.Join(dir, "postback-demo")
	return dir, os.MkdirAll(dir, 0o700)
}

func up(ctx context.Context) error {
	if err := useCluster(ctx); err != nil {
		return err
	}
	bed, err := testbed.Open(ctx)
	if err != nil {
		return err
	}
	fmt.Println("Building the images and loading them into the nodes …")
	if err := bed.LoadImages(ctx); err != nil {
		return err
	}
	fmt.Println("Installing the operator by its chart …")
	if err := bed.Install(ctx); err != nil {
		return err
	}
	fmt.Println("Starting PostgreSQL …")
	dsn, err := startDatabase(ctx)
	if err != nil {
		return err
	}
	fmt.Print("Applying the declarations …")
	began := time.Now()
	if err := declare(ctx, bed, dsn); err != nil {
		return err
	}
	fmt.Printf(" Ready after %.1f s\n", time.Since(began).Seconds())
	if err := show(ctx, bed); err != nil {
		return err
	}
	return explain()
}

// useCluster brings up a cluster unless there is one.
func useCluster(ctx context.Context) error {
	if os.Getenv("KUBECONFIG") != "" {
		return nil
	}
	fmt.Println("Bringing up a Kubernetes on this machine; the first time its programs are built, " +
		"which takes half an hour of processor time …")
	if err := script(ctx, "hack/cluster/up.sh"); err != nil { // it does nothing if it is up since an earlier demo
		return err
	}
	return errors.Join(
		os.Setenv("KUBECONFIG", ownKubeconfig()),
		os.Setenv("PATH", filepath.Join(ownCluster(), "bin")+":"+os.Getenv("PATH")))
}

// ownCluster is where hack/cluster keeps everything, as its settings.sh says.
func ownCluster() string {
	if dir := os.Getenv("CLUSTER_CACHE"); dir != "" {
		return dir
	}
	dir, _ := os.UserCacheDir() // up.sh says what is wrong if there is none
	return filepath.Join(dir, "bare-kubernetes")
}

func ownKubeconfig() string { return filepath.Join(ownCluster(), "state", "pki", "admin.kubeconfig") }

func script(ctx context.Context, name string) error {
	command := exec.CommandContext(ctx, name)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	return command.Run()
}

// declare applies the database's Secret and the declarations, and waits until every receiver serves them.
func declare(ctx context.Context, bed *testbed.Bed, dsn string) error {
	if err := bed.Apply(ctx, "", "{apiVersion: v1, kind: Namespace, metadata: {name: "+namespace+"}}"); err != nil {
		return err
	}
	for _, manifest := range []string{
		fmt.Sprintf(`{apiVersion: v1, kind: Secret, metadata: {name: receivers-db, labels: {postback.dev/readable: "true"}},
			stringData: {dsn: %q}}`, dsn),
		manifests,
	} {
		if err := bed.Apply(ctx, namespace, manifest); err != nil {
			return err
		}
	}
	_, err := bed.Kubectl(ctx, "wait", "-n", namespace, "--for=condition=Ready", "rfl/"+fleet, "pbe/"+endpoint,
		"--timeout=3m")
	return err
}

func down(ctx context.Context) error {
	own := os.Getenv("KUBECONFIG") == ""
	if own {
		if err := script(ctx, "hack/cluster/down.sh"); err != nil {
			return err
		}
		return stopDatabase()
	}
	bed, err := testbed.Open(ctx)
	if err != nil {
		return err
	}
	_, namespaceErr := bed.Kubectl(ctx, "delete", "namespace", namespace, "--ignore-not-found")
	_, helmErr := bed.Helm(ctx, "uninstall", testbed.Release, "--namespace", testbed.Namespace,
		"--ignore-not-found", "--wait")
	_, kindsErr := bed.Kubectl(ctx, "delete", "-k", "config/crd", "--ignore-not-found")
	_, homeErr := bed.Kubectl(ctx, "delete", "namespace", testbed.Namespace, "--ignore-not-found")
	return errors.Join(namespaceErr, helmErr, kindsErr, homeErr, stopDatabase())
}

// explain says what there is to look at.
func explain() error {
	if os.Getenv("KUBECONFIG") == ownKubeconfig() {
		fmt.Printf("\nTo look around, in another terminal, first:\n\n  export KUBECONFIG=%s PATH=%s/bin:$PATH\n",
			ownKubeconfig(), ownCluster())
	}
	_, err := os.Stdout.WriteString(explanation)
	return err
}

const explanation = `
The declarations and their state, the conditions and keys of one, and the receivers:

  kubectl get postback -n demo
  kubectl get pbe shop -n demo -o yaml
  kubectl get pods -n demo

The postback URL to paste at the network, and ready-made tags and code for pages:

  kubectl get secret shop-postback -n demo -o jsonpath='{.data.url}' | base64 -d; echo
  kubectl get secret shop-snippets -n demo -o yaml

What was recorded and all that was received, with the token of the fleet's read API, and the metrics:

  kubectl port-forward -n demo deployment/receivers 8081:ops &
  A="Authorization: Bearer $(kubectl get secret receivers-ops -n demo -o jsonpath='{.data.token}' | base64 -d)"
  curl -s -H "$A" 'http://127.0.0.1:8081/api/v1/conversions?subid=c1'
  curl -s -H "$A" 'http://127.0.0.1:8081/api/v1/postbacks?limit=20'
  curl -s 'http://127.0.0.1:8081/metrics'

To rotate the key, as a commit would: the former one stays valid for 72 hours.

  kubectl patch pbe shop -n demo --type merge -p '{"spec":{"key":{"revision":2}}}'
  kubectl wait pbe/shop -n demo --for=condition=Ready
  kubectl get pbe shop -n demo -o jsonpath='{.status.keys}'; echo

All of it stays until make demo-down.
`
