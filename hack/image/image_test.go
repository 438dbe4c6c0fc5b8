package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var sample = image{
	Reference:    "registry.example/postback/receiver:v1",
	Architecture: "arm64",
	Name:         "receiver",
	Program:      []byte("a program"),
}

func written(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := sample.write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

type entry struct {
	mode    int64
	content string
}

// entries reads an archive.
func entries(t *testing.T, archived io.Reader) map[string]entry {
	t.Helper()
	found := map[string]entry{}
	reader := tar.NewReader(archived)
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := found[header.Name]; twice {
			t.Errorf("%s is there twice", header.Name)
		}
		found[header.Name] = entry{header.Mode, string(content)}
	}
}

// blob reads what a descriptor describes, which must be what it says.
func blob(t *testing.T, layout map[string]entry, d descriptor) []byte {
	t.Helper()
	content := []byte(layout["blobs/sha256/"+d.Digest[len("sha256:"):]].content)
	if digest(content) != d.Digest || len(content) != d.Size {
		t.Fatalf("%+v is another blob, of %d bytes", d, len(content))
	}
	return content
}

func decode[T any](t *testing.T, data []byte) T {
	t.Helper()
	var into T
	if err := json.Unmarshal(data, &into); err != nil {
		t.Fatal(err)
	}
	return into
}

type (
	indexDocument    struct{ Manifests []descriptor }
	manifestDocument struct {
		Config descriptor
		Layers []descriptor
	}
	configDocument struct {
		Architecture, OS string
		Config           struct {
			Entrypoint []string
			User       string
		}
		RootFS struct {
			DiffIDs []string `json:"diff_ids"`
		}
	}
)

func TestTheImageIsAnOCILayout(t *testing.T) {
	layout := entries(t, bytes.NewReader(written(t)))
	index := decode[indexDocument](t, []byte(layout["index.json"].content))
	if got := index.Manifests[0].Annotations["io.containerd.image.name"]; got != sample.Reference {
		t.Errorf("its name is %s", got)
	}
	manifest := decode[manifestDocument](t, blob(t, layout, index.Manifests[0]))
	config := decode[configDocument](t, blob(t, layout, manifest.Config))
	unpacked, err := gzip.NewReader(bytes.NewReader(blob(t, layout, manifest.Layers[0])))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(unpacked)
	if err != nil {
		t.Fatal(err)
	}
	var want configDocument
	want.Architecture, want.OS = "arm64", "linux"
	want.Config.Entrypoint, want.Config.User = []string{"/receiver"}, "65532:65532"
	want.RootFS.DiffIDs = []string{digest(raw)}
	if diff := cmp.Diff(want, config); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	root := entries(t, bytes.NewReader(raw))
	if diff := cmp.Diff(entry{0o755, "a program"}, root["receiver"], cmp.AllowUnexported(entry{})); diff != "" {
		t.Errorf("the program (-want +got):\n%s", diff)
	}
	if mode := root["tmp/"].mode; mode != 0o1777 {
		t.Errorf("the mode of /tmp is %o", mode)
	}
	if !x509.NewCertPool().AppendCertsFromPEM([]byte(root["etc/ssl/certs/ca-certificates.crt"].content)) {
		t.Error("there are no roots to trust")
	}
}

func TestTheSameImageHasTheSameBytes(t *testing.T) {
	if !bytes.Equal(written(t), written(t)) {
		t.Error("it has others")
	}
}
