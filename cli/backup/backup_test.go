package backup

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// store is a file of two pages of 4096 bytes.
func store() []byte {
	data := make([]byte, 8192)
	copy(data, magic)
	binary.BigEndian.PutUint16(data[16:], 4096)
	binary.BigEndian.PutUint32(data[28:], 2)
	return data
}

func TestAFileHasItsNameOnlyWhenItIsWhole(t *testing.T) {
	for _, c := range []struct {
		name    string
		sent    []byte
		failure error
		want    string
	}{
		{"all has come", store(), nil, ""},
		{"the end is missing", store()[:5000], nil, "5000 of 8192 bytes"},
		{"there is more", append(store(), 0), nil, "8193 of 8192 bytes"},
		{"it is something else", []byte("error: no such file"), nil, "no store"},
		{"nothing has come", nil, nil, "no store"},
		{"the program fails at the end", store(), errors.New("exit code 1"), "exit code 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			target := filepath.Join(dir, "copy.db")
			_, err := whole(target, func(out io.Writer) error {
				_, err := out.Write(c.sent)
				return errors.Join(err, c.failure)
			})
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			left, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			if names := len(left); (c.want == "") != (names == 1) {
				t.Errorf("%d files are left", names)
			}
		})
	}
}

func TestAFileThatExistsIsNotOverwritten(t *testing.T) {
	target := filepath.Join(t.TempDir(), "copy.db")
	if err := os.WriteFile(target, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := whole(target, func(out io.Writer) error {
		_, err := out.Write(store())
		return err
	}); !errors.Is(err, os.ErrExist) {
		t.Errorf("error %v", err)
	}
	if text, err := os.ReadFile(target); err != nil || string(text) != "kept" {
		t.Errorf("it has %q, %v", text, err)
	}
}
