package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// Bounds of a file of views.
const (
	maxViews    = 200
	maxViewFile = 1 << 20
)

// ViewFile keeps views in a file, as JSON that people may edit.
type ViewFile struct {
	path string
	mu   sync.Mutex // guards the file against this process
}

// NewViewFile returns the views kept at path. The file need not exist.
func NewViewFile(path string) *ViewFile { return &ViewFile{path: path} }

// List implements [Views].
func (f *ViewFile) List(context.Context) ([]View, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.readLocked()
}

func (f *ViewFile) readLocked() ([]View, error) {
	file, err := os.Open(f.path) //nolint:gosec // The host chose the path.
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the views: %w", err)
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, maxViewFile))
	if err != nil {
		return nil, fmt.Errorf("reading the views: %w", err)
	}
	var views []View
	if err := json.Unmarshal(text, &views); err != nil {
		return nil, fmt.Errorf("reading the views in %s: %w", f.path, err)
	}
	return views, nil
}

// Save implements [ViewStore].
func (f *ViewFile) Save(_ context.Context, v View) error {
	return f.edit(func(views []View) ([]View, error) {
		if at := slices.IndexFunc(views, func(old View) bool { return old.Name == v.Name }); at >= 0 {
			views[at] = v
			return views, nil
		}
		if len(views) >= maxViews {
			return nil, wrongView("view.too_many")
		}
		return append(views, v), nil
	})
}

// Delete implements [ViewStore].
func (f *ViewFile) Delete(_ context.Context, name string) error {
	return f.edit(func(views []View) ([]View, error) {
		return slices.DeleteFunc(views, func(v View) bool { return v.Name == name }), nil
	})
}

// edit writes the changed views to a file beside, and puts that in the place of the former one.
func (f *ViewFile) edit(change func([]View) ([]View, error)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	views, err := f.readLocked()
	if err != nil {
		return err
	}
	if views, err = change(views); err != nil {
		return err
	}
	text, err := json.MarshalIndent(views, "", "  ")
	if err != nil {
		return err
	}
	beside, err := os.CreateTemp(filepath.Dir(f.path), ".views-")
	if err != nil {
		return fmt.Errorf("writing the views: %w", err)
	}
	_, err = beside.Write(append(text, '\n'))
	if err = errors.Join(err, beside.Close()); err == nil {
		err = os.Rename(beside.Name(), f.path) //nolint:gosec // The host chose the path.
	}
	if err != nil {
		_ = os.Remove(beside.Name()) //nolint:gosec // It was made above.
		return fmt.Errorf("writing the views: %w", err)
	}
	return nil
}
