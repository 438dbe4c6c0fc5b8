package preset

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/postback-dev/postback-operator/api/presets"
)

// maxManifest bounds a file with declarations.
const maxManifest = 8 << 20

// manifest is what these commands read of a PostbackEndpoint.
type manifest struct {
	Kind     string `yaml:"kind"`
	Metadata struct {
		Name        string            `yaml:"name"`
		Annotations map[string]string `yaml:"annotations"`
	} `yaml:"metadata"`
	Spec presets.Fragment `yaml:"spec"`
}

// source says which declaration a command is about.
type source struct{ file, name string }

func (s *source) flags(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&s.file, "filename", "f", "", "file with the PostbackEndpoint; - is stdin")
	cmd.Flags().StringVar(&s.name, "name", "", "the endpoint's name, when the file has several")
	_ = cmd.MarkFlagFilename("filename", "yaml", "yml", "json")
}

// read returns the endpoint, or an empty one when there is no file.
func (s *source) read(stdin io.Reader) (manifest, error) {
	if s.file == "" {
		return manifest{}, nil
	}
	in := stdin
	if s.file != "-" {
		f, err := os.Open(s.file)
		if err != nil {
			return manifest{}, err
		}
		defer func() { _ = f.Close() }() // it was only read
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, maxManifest+1))
	if err != nil {
		return manifest{}, err
	}
	if len(data) > maxManifest {
		return manifest{}, fmt.Errorf("%s: more than %d bytes", s.file, maxManifest)
	}
	found, err := s.endpoints(data)
	switch {
	case err != nil:
		return manifest{}, fmt.Errorf("%s: %w", s.file, err)
	case len(found) == 0:
		return manifest{}, fmt.Errorf("%s: no PostbackEndpoint%s in it", s.file, called(s.name))
	case len(found) > 1:
		return manifest{}, fmt.Errorf("%s: %d PostbackEndpoints%s in it, choose one by --name", s.file, len(found),
			called(s.name))
	}
	return found[0], nil
}

func called(name string) string {
	if name == "" {
		return ""
	}
	return fmt.Sprintf(" called %q", name)
}

// endpoints returns the endpoints of a file that have the wanted name.
func (s *source) endpoints(data []byte) ([]manifest, error) {
	var found []manifest
	for decoder := yaml.NewDecoder(bytes.NewReader(data)); ; {
		var document yaml.Node
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			return found, nil
		} else if err != nil {
			return nil, err
		}
		var head struct {
			Kind string `yaml:"kind"`
		}
		if document.Decode(&head) != nil || head.Kind != "PostbackEndpoint" {
			continue // other kinds may say anything
		}
		var m manifest
		if err := document.Decode(&m); err != nil {
			return nil, err
		}
		if s.name == "" || s.name == m.Metadata.Name {
			found = append(found, m)
		}
	}
}
