package main

import (
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// The sources and the same version of Go are enough to check that an image is made of them: by building it. The
// second build is of a copy, in another folder, later, by another user in another time zone, without the version
// control and with nothing compiled before; of the operator and the console that would take long, so they share what
// is compiled of other modules.
func TestTwoBuildsInTwoFoldersGiveTheSameImages(t *testing.T) {
	dir := t.TempDir()
	here, there, copied := filepath.Join(dir, "here"), filepath.Join(dir, "there"), filepath.Join(dir, "a", "copy")
	copySources(t, copied)
	elsewhere := []string{"TZ=Pacific/Auckland", "USER=somebody", "HOME=" + dir}
	for _, b := range []struct {
		name, program string
		env           []string
	}{
		{"the receiver, compiled from nothing", "receiver=./receiver",
			append(elsewhere, "GOCACHE="+filepath.Join(dir, "cache"))},
		{"the operator", "manager=./controllers", append(elsewhere, "GOCACHE="+goEnv(t, "GOCACHE"))},
		{"the console", "postback-console=./portal", append(elsewhere, "GOCACHE="+goEnv(t, "GOCACHE"))},
	} {
		t.Run(b.name, func(t *testing.T) {
			buildImages(t, root, here, nil, b.program)
			modules := []string{"GOMODCACHE=" + goEnv(t, "GOMODCACHE"), "GOPATH=" + goEnv(t, "GOPATH")}
			buildImages(t, copied, there, append(b.env, modules...), b.program)
			name, _, _ := strings.Cut(b.program, "=")
			for _, kind := range []string{".tar", ".spdx.json"} {
				file := name + "-" + runtime.GOARCH + kind
				if digest(contentOf(t, here, file)) != digest(contentOf(t, there, file)) {
					t.Errorf("%s differs", file)
				}
			}
		})
	}
}

// copySources copies the module, without what was built in it.
func copySources(t *testing.T, to string) {
	t.Helper()
	sources := os.DirFS(root)
	copied := 0
	err := fs.WalkDir(sources, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if slices.Contains([]string{".git", "bin", "dist", ".run"}, name) {
				return fs.SkipDir
			}
			return os.MkdirAll(filepath.Join(to, name), 0o700)
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		content, err := fs.ReadFile(sources, name)
		if err != nil {
			return err
		}
		copied++
		return os.WriteFile(filepath.Join(to, name), content, 0o600)
	})
	if err != nil || copied < 100 {
		t.Fatalf("%d files copied: %v", copied, err)
	}
}

func buildImages(t *testing.T, sources, to string, env []string, program string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "run", "./hack/image", "-o", to, "-arch", runtime.GOARCH,
		"-repository", "r.example", "-tag", "v1", program)
	command.Dir, command.Env = sources, append(os.Environ(), env...)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

func contentOf(t *testing.T, dir, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// Another program must show: else the comparison above would say nothing.
func TestAnotherProgramGivesAnotherImage(t *testing.T) {
	other := sample
	other.Program = []byte("another program")
	first, err := sample.write(io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	second, err := other.write(io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if first == second {
		t.Error("it gives the same")
	}
}
