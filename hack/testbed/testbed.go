// Package testbed puts the product onto a cluster as a user does: images without a registry, the chart by Helm, and a
// PostgreSQL server on this machine that pods reach. The end-to-end suite, the soak and the demo stand on it. It runs
// from the repository's root.
//
// The cluster is the one of KUBECONFIG. What differs from cluster to cluster is in the environment; the defaults are
// those of hack/cluster:
//
//	TESTBED_LOAD_IMAGE   command that loads an image archive, appended as its last argument
//	TESTBED_HOST         address of this machine as pods see it
//	TESTBED_NODE_POWER   command that takes off|on and a node's name, and fails its power or gives it back
package testbed

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// Where the product is installed.
const (
	Namespace = "postback-system"
	Release   = "postback-operator"
)

// Registry stands before the names of all images. It is nowhere: nodes have the images already.
const Registry = "registry.local/postback"

// ImageTag is what the images are built as. The receiver has a second name, NextTag, so that there is something to roll
// out.
const (
	ImageTag = "testbed"
	NextTag  = "testbed-next"
)

// Bed is a cluster and the programs to work on it with.
type Bed struct {
	helm string
}

// Open finds the programs that a bed needs.
func Open(ctx context.Context) (*Bed, error) {
	if os.Getenv("KUBECONFIG") == "" {
		return nil, fmt.Errorf("KUBECONFIG is not set: `make cluster-up` brings up a cluster and says how to use it")
	}
	helm, err := run(ctx, "", "go", "tool", "-n", "-modfile=hack/tools/helm4/go.mod", "helm")
	if err != nil {
		return nil, err
	}
	return &Bed{helm: strings.TrimSpace(helm)}, nil
}

// run runs a program with the input as its standard input and returns what it prints. Its error has what it complained
// about.
func run(ctx context.Context, input, name string, args ...string) (string, error) {
	command := exec.CommandContext(ctx, name, args...)
	var out, errs bytes.Buffer
	command.Stdin, command.Stdout, command.Stderr = strings.NewReader(input), &out, &errs
	if err := command.Run(); err != nil {
		return out.String(), fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, errs.String())
	}
	return out.String(), nil
}

// Kubectl runs kubectl.
func (b *Bed) Kubectl(ctx context.Context, args ...string) (string, error) {
	return run(ctx, "", "kubectl", args...)
}

// Apply applies manifests by the server. What names no namespace goes into the given one.
func (b *Bed) Apply(ctx context.Context, namespace, manifests string) error {
	args := []string{"apply", "--server-side", "--force-conflicts", "-f", "-"}
	if namespace != "" {
		args = append(args, "-n", namespace)
	}
	_, err := run(ctx, manifests, "kubectl", args...)
	return err
}

// Helm runs Helm.
func (b *Bed) Helm(ctx context.Context, args ...string) (string, error) {
	return run(ctx, "", b.helm, args...)
}

// Values are the chart's values that name the images of a tag. Traffic sources of tests have private addresses.
func Values(tag string) []string {
	return []string{
		"--set", "image.repository=" + Registry + "/operator", "--set", "image.tag=" + tag,
		"--set", "receiverImage.repository=" + Registry + "/receiver", "--set", "receiverImage.tag=" + ImageTag,
		"--set", "permissions.privateEgress={*}",
	}
}

// Install installs or upgrades the operator by its chart, and waits until it runs.
func (b *Bed) Install(ctx context.Context) error {
	args := append([]string{
		"upgrade", "--install", Release, "charts/postback-operator", "--namespace", Namespace, "--create-namespace", "--wait",
		"--timeout", "3m",
	}, Values(ImageTag)...)
	_, err := b.Helm(ctx, args...)
	return err
}

// LoadImages builds the images of the product, and of further programs written NAME=PACKAGE, and loads them into every
// node.
func (b *Bed) LoadImages(ctx context.Context, programs ...string) error {
	dir, err := os.MkdirTemp("", "testbed-images-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	type build struct {
		tag      string
		programs []string // none: those of the product
	}
	builds := []build{{ImageTag, nil}, {NextTag, []string{"receiver=./receiver"}}}
	if len(programs) > 0 {
		builds = append(builds, build{ImageTag, programs})
	}
	for i, build := range builds {
		args := []string{
			"run", "./hack/image", "-o", fmt.Sprintf("%s/%d", dir, i), "-arch", runtime.GOARCH, "-repository", Registry, "-tag",
			build.tag,
		}
		if _, err := run(ctx, "", "go", append(args, build.programs...)...); err != nil {
			return err
		}
	}
	load := strings.Fields(cmp.Or(os.Getenv("TESTBED_LOAD_IMAGE"), "hack/cluster/load.sh"))
	archives, err := run(ctx, "", "find", dir, "-name", "*.tar")
	if err != nil {
		return err
	}
	for archive := range strings.FieldsSeq(archives) {
		if _, err := run(ctx, "", load[0], append(load[1:], archive)...); err != nil {
			return err
		}
	}
	return nil
}

// Power fails the power of a node of the cluster, or gives it back.
func (b *Bed) Power(ctx context.Context, node string, on bool) error {
	command := strings.Fields(cmp.Or(os.Getenv("TESTBED_NODE_POWER"), "hack/cluster/node-power.sh"))
	state := map[bool]string{true: "on", false: "off"}[on]
	_, err := run(ctx, "", command[0], append(command[1:], state, node)...)
	return err
}

// Host is the address of this machine as pods see it.
func Host() string { return cmp.Or(os.Getenv("TESTBED_HOST"), "172.30.99.1") }
