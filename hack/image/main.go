// Command image builds the images of the programs FROM scratch, without Docker: one OCI layout in a tar archive for
// each program and architecture.
//
//	go run ./hack/image -o dist -repository registry.example/postback -tag v1
//
// writes dist/operator-amd64.tar with registry.example/postback/operator:v1, and so on, and beside each what it is made
// of, as SPDX 2.3 in dist/operator-amd64.spdx.json. It needs nothing but Go. The same sources, tag and version of Go
// give the same bytes, wherever and whenever: there is no base image, no path (-trimpath), no time, and no state of a
// checkout (-buildvcs=false) in them. Arguments NAME=PACKAGE name other programs to build images of, NAME being the
// image's and the program's.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
)

// program to build an image of: the image's name, the program's package, and the name under which it is in the
// image.
type program struct{ image, source, name string }

// product is what is built unless arguments say otherwise.
var product = []program{
	{"operator", "./controllers", "manager"},
	{"receiver", "./receiver", "receiver"},
	{"console", "./portal", "postback-console"},
}

// programs returns what the arguments name.
func programs(args []string) ([]program, error) {
	if len(args) == 0 {
		return product, nil
	}
	var named []program
	for _, arg := range args {
		name, source, ok := strings.Cut(arg, "=")
		if !ok {
			return nil, fmt.Errorf("%s: write NAME=PACKAGE", arg)
		}
		named = append(named, program{name, source, name})
	}
	return named, nil
}

func main() {
	dir := flag.String("o", "dist", "folder to write to")
	repository := flag.String("repository", "postback", "what stands before /operator:TAG, /receiver:TAG and /console:TAG")
	tag := flag.String("tag", "dev", "tag, which is also what `manager version` says")
	architectures := flag.String("arch", "amd64,arm64", "comma-separated architectures")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	wanted, err := programs(flag.Args())
	failed := []error{err}
	for _, program := range wanted {
		for architecture := range strings.SplitSeq(*architectures, ",") {
			i := image{Reference: *repository + "/" + program.image + ":" + *tag, Architecture: architecture, Name: program.name}
			failed = append(failed, build(ctx, i, program.source, *tag, filepath.Join(*dir, program.image+"-"+architecture)))
		}
	}
	if err := errors.Join(failed...); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1) //nolint:gocritic // nothing is left to stop
	}
}

// build compiles a program and writes its image to a file, and beside it what it is made of.
func build(ctx context.Context, i image, source, version, to string) error {
	var err error
	if i.Program, err = compile(ctx, source, version, i.Architecture); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	var archived, sbom bytes.Buffer
	manifest, err := i.write(&archived)
	if err == nil {
		err = i.writeSBOM(&sbom, manifest)
	}
	if err != nil {
		return fmt.Errorf("building %s: %w", to, err)
	}
	if err := os.WriteFile(to+".tar", archived.Bytes(), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(to+".spdx.json", sbom.Bytes(), 0o644); err != nil {
		return err
	}
	fmt.Printf("%s.tar  %s  %.1f MiB  %s\n", to, i.Reference, float64(archived.Len())/(1<<20), manifest)
	return nil
}

// compile builds a static program for Linux.
func compile(ctx context.Context, source, version, architecture string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "image")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	program := filepath.Join(dir, "program")
	command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false",
		"-ldflags", "-s -w -X main.version="+version, "-o", program, source)
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+architecture)
	command.Stderr = os.Stderr
	if err := command.Run(); err != nil {
		return nil, fmt.Errorf("compiling %s for %s: %w", source, architecture, err)
	}
	return os.ReadFile(program)
}
