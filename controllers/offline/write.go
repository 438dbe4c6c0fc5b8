package offline

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
)

// dataLink is what the kubelet's atomic writer calls the link to the current directory of a mounted Secret.
const dataLink = "..data"

// writeDocuments puts documents into a folder the way the kubelet mounts a Secret, so that a running receiver sees the
// old ones or the new ones and nothing between: they go into a new hidden directory, to which the link ..data is then
// swapped. Nothing is written when nothing changed.
func writeDocuments(folder string, documents config.Documents, now time.Time) error {
	if unchanged(folder, documents) {
		return linkDocuments(folder, documents)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	fresh, err := os.MkdirTemp(folder, now.UTC().Format("..2006_01_02_15_04_05."))
	if err != nil {
		return err
	}
	for name, data := range documents {
		if err := writeSynced(filepath.Join(fresh, name), data); err != nil {
			return errors.Join(err, os.RemoveAll(fresh))
		}
	}
	former, _ := os.Readlink(filepath.Join(folder, dataLink))
	if err := replaceLink(filepath.Base(fresh), filepath.Join(folder, dataLink)); err != nil {
		return errors.Join(err, os.RemoveAll(fresh))
	}
	if err := linkDocuments(folder, documents); err != nil {
		return err
	}
	if strings.HasPrefix(former, "..") && filepath.Base(former) == former && former != filepath.Base(fresh) {
		return os.RemoveAll(filepath.Join(folder, former))
	}
	return nil
}

func unchanged(folder string, documents config.Documents) bool {
	current := filepath.Join(folder, dataLink)
	entries, err := os.ReadDir(current)
	if err != nil || len(entries) != len(documents) {
		return false
	}
	return !slices.ContainsFunc(entries, func(entry fs.DirEntry) bool {
		held, err := os.ReadFile(filepath.Join(current, entry.Name())) //nolint:gosec // below the user's folder
		want, known := documents[entry.Name()]
		return err != nil || !known || !bytes.Equal(held, want)
	})
}

// linkDocuments gives every document its visible name and removes the names of those that are gone.
func linkDocuments(folder string, documents config.Documents) error {
	for _, name := range slices.Sorted(maps.Keys(documents)) {
		link, target := filepath.Join(folder, name), filepath.Join(dataLink, name)
		if held, err := os.Readlink(link); err == nil && held == target {
			continue
		}
		if err := replaceLink(target, link); err != nil {
			return err
		}
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		target, err := os.Readlink(filepath.Join(folder, entry.Name()))
		if err != nil || filepath.Dir(target) != dataLink || documents[entry.Name()] != nil {
			continue
		}
		if err := os.Remove(filepath.Join(folder, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

func replaceLink(target, link string) error {
	temporary := link + "_tmp"
	if err := os.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Symlink(target, temporary); err != nil {
		return err
	}
	return os.Rename(temporary, link)
}

// replaceFile writes a file that only its owner can read, in one step, and only when its content changes.
func replaceFile(path string, data []byte) error {
	if held, err := os.ReadFile(path); err == nil && bytes.Equal(held, data) { //nolint:gosec // below the user's folder
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	temporary := path + ".tmp"
	if err := os.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := writeSynced(temporary, data); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

// writeSynced creates a file that only its owner can read.
func writeSynced(path string, data []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // below the user's folder
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}
