package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"path"
	"strings"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// image is what an image is made of. The same one gives the same bytes.
type image struct {
	// Reference, like registry.example/operator:v1.
	Reference string
	// Architecture, as GOARCH has it.
	Architecture string
	// Name of the program at the root, and its content. It is the entrypoint.
	Name    string
	Program []byte
}

// user runs the program: the one whose number the pods ask for too.
const user = "65532:65532"

// created is the time in the image: none, so that images can be compared.
const created = "1970-01-01T00:00:00Z"

const (
	mediaIndex    = "application/vnd.oci.image.index.v1+json"
	mediaManifest = "application/vnd.oci.image.manifest.v1+json"
	mediaConfig   = "application/vnd.oci.image.config.v1+json"
	mediaLayer    = "application/vnd.oci.image.layer.v1.tar+gzip"
)

type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int               `json:"size"`
	Platform    map[string]string `json:"platform,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

func describe(mediaType string, blob []byte) descriptor {
	return descriptor{MediaType: mediaType, Digest: digest(blob), Size: len(blob)}
}

func digest(blob []byte) string {
	sum := sha256.Sum256(blob)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// write writes the image as an OCI layout in a tar archive, and returns the digest of its manifest, by which registries
// know it and signatures name it.
func (i image) write(w io.Writer) (string, error) {
	raw, packed, err := i.layer()
	if err != nil {
		return "", fmt.Errorf("packing the layer: %w", err)
	}
	platform := map[string]string{"architecture": i.Architecture, "os": "linux"}
	config, err := json.Marshal(map[string]any{
		"created": created, "architecture": i.Architecture, "os": "linux",
		"config":  map[string]any{"Entrypoint": []string{"/" + i.Name}, "User": user, "WorkingDir": "/"},
		"rootfs":  map[string]any{"type": "layers", "diff_ids": []string{digest(raw)}},
		"history": []any{map[string]string{"created": created, "created_by": "hack/image"}},
	})
	if err != nil {
		return "", err
	}
	manifest, err := json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": mediaManifest,
		"config": describe(mediaConfig, config), "layers": []descriptor{describe(mediaLayer, packed)},
	})
	if err != nil {
		return "", err
	}
	entry := describe(mediaManifest, manifest)
	entry.Platform = platform
	entry.Annotations = map[string]string{
		"io.containerd.image.name":          i.Reference,
		"org.opencontainers.image.ref.name": i.Reference[strings.LastIndex(i.Reference, ":")+1:],
	}
	index, err := json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": mediaIndex, "manifests": []descriptor{entry},
	})
	if err != nil {
		return "", err
	}
	files := []file{{"oci-layout", 0o644, []byte(`{"imageLayoutVersion":"1.0.0"}`)}, {"index.json", 0o644, index}}
	for _, blob := range [][]byte{config, manifest, packed} {
		files = append(files, file{"blobs/sha256/" + strings.TrimPrefix(digest(blob), "sha256:"), 0o644, blob})
	}
	return digest(manifest), archive(w, files)
}

// layer returns the only layer, as it is and compressed: the program, the roots that it trusts, its user, and /tmp.
func (i image) layer() (raw, packed []byte, err error) {
	var content, compressed bytes.Buffer
	err = archive(&content, []file{
		{"etc/passwd", 0o644, []byte("root:x:0:0:root:/:/none\nnonroot:x:65532:65532:nonroot:/:/none\n")},
		{"etc/group", 0o644, []byte("root:x:0:\nnonroot:x:65532:\n")},
		{"etc/ssl/certs/ca-certificates.crt", 0o644, roots()},
		{"tmp/", 0o1777, nil},
		{i.Name, 0o755, i.Program},
	})
	if err != nil {
		return nil, nil, err
	}
	zip := gzip.NewWriter(&compressed)
	if _, err := zip.Write(content.Bytes()); err != nil {
		return nil, nil, err
	}
	if err := zip.Close(); err != nil {
		return nil, nil, err
	}
	return content.Bytes(), compressed.Bytes(), nil
}

// roots are Mozilla's certificate authorities: rate providers, databases and traffic sources are reached by TLS. Those
// on which there are constraints are left out, as a file can't express them.
func roots() []byte {
	var b bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}) // a buffer takes everything
		}
	}
	return b.Bytes()
}

// file of an archive; a folder when its name ends with a slash.
type file struct {
	name    string
	mode    int64
	content []byte
}

// archive writes files, and the folders they are in, with no time and no owner.
func archive(w io.Writer, files []file) error {
	out := tar.NewWriter(w)
	made := map[string]bool{}
	for _, f := range files {
		for _, folder := range parents(f.name) {
			if made[folder] {
				continue
			}
			made[folder] = true
			if err := out.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: folder, Mode: 0o755}); err != nil {
				return err
			}
		}
		header := &tar.Header{Typeflag: tar.TypeReg, Name: f.name, Mode: f.mode, Size: int64(len(f.content))}
		if strings.HasSuffix(f.name, "/") {
			header.Typeflag = tar.TypeDir
		}
		if err := out.WriteHeader(header); err != nil {
			return err
		}
		if _, err := out.Write(f.content); err != nil {
			return err
		}
	}
	return out.Close()
}

// parents returns the folders that a path is in, outermost first.
func parents(name string) []string {
	var folders []string
	for dir := path.Dir(strings.TrimSuffix(name, "/")); dir != "."; dir = path.Dir(dir) {
		folders = append([]string{dir + "/"}, folders...)
	}
	return folders
}
