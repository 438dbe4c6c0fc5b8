package endpoint

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
)

// generation is the link that the kubelet replaces when a mounted Secret changes: it points at one whole revision.
const generation = "..data"

// read compiles the directory's present content. It returns no snapshot and no error when that is what is served
// already: the manifest holds the digests of all the rest.
func (w *Watch) read() (*Snapshot, []byte, error) {
	root, err := openGeneration(w.dir)
	if err != nil {
		return nil, nil, fmt.Errorf("configuration: %w", err)
	}
	defer func() { _ = root.Close() }()
	manifest, err := readBounded(root, config.ManifestFile)
	if err != nil {
		return nil, nil, fmt.Errorf("configuration %s: %w", w.dir, err)
	}
	if w.manifest != nil && bytes.Equal(manifest, w.manifest) {
		return nil, nil, nil
	}
	content, err := config.Open(func(name string) ([]byte, error) {
		if name == config.ManifestFile {
			return manifest, nil
		}
		return readBounded(root, name)
	})
	if err != nil {
		return nil, nil, fmt.Errorf("configuration %s: %w", w.dir, err)
	}
	snapshot, err := Build(content)
	if err != nil {
		return nil, nil, fmt.Errorf("configuration %s: %w", w.dir, err)
	}
	return snapshot, manifest, nil
}

// openGeneration opens the directory behind the link, so that everything read comes from one revision even if the link
// is replaced meanwhile; a directory without the link is its own only generation.
func openGeneration(dir string) (*os.Root, error) {
	root, err := os.OpenRoot(filepath.Join(dir, generation))
	if errors.Is(err, fs.ErrNotExist) {
		return os.OpenRoot(dir)
	}
	return root, err
}

// readBounded returns the file, at most one byte more of it than a document may have.
func readBounded(root *os.Root, name string) ([]byte, error) {
	file, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	return io.ReadAll(io.LimitReader(file, config.MaxDocumentBytes+1))
}
