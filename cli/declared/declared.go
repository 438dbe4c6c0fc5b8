// Package declared reads PostbackEndpoints from files and from a cluster, as far as commands need them.
package declared

import (
	"bytes"
	"encoding/json"
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

// Endpoint is what commands read of a PostbackEndpoint.
type Endpoint struct {
	Kind     string `yaml:"kind"`
	Metadata struct {
		Name        string            `yaml:"name"`
		Namespace   string            `yaml:"namespace"`
		Annotations map[string]string `yaml:"annotations"`
	} `yaml:"metadata"`
	Spec presets.Fragment `yaml:"spec"`
}

// Of returns an endpoint of a cluster.
func Of(object any) (Endpoint, error) {
	text, err := json.Marshal(object)
	if err != nil {
		return Endpoint{}, err
	}
	var e Endpoint
	return e, yaml.Unmarshal(text, &e) // JSON is YAML
}

// Source says which declaration a command is about.
type Source struct{ File, Name string }

// Flags adds the flags.
func (s *Source) Flags(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&s.File, "filename", "f", "", "file with the PostbackEndpoint; - is stdin")
	cmd.Flags().StringVar(&s.Name, "name", "", "the endpoint's name, when the file has several")
	_ = cmd.MarkFlagFilename("filename", "yaml", "yml", "json")
}

// Read returns the endpoint, or an empty one when there is no file.
func (s *Source) Read(stdin io.Reader) (Endpoint, error) {
	if s.File == "" {
		return Endpoint{}, nil
	}
	in := stdin
	if s.File != "-" {
		f, err := os.Open(s.File)
		if err != nil {
			return Endpoint{}, err
		}
		defer func() { _ = f.Close() }() // it was only read
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, maxManifest+1))
	if err != nil {
		return Endpoint{}, err
	}
	if len(data) > maxManifest {
		return Endpoint{}, fmt.Errorf("%s: more than %d bytes", s.File, maxManifest)
	}
	found, err := s.endpoints(data)
	switch {
	case err != nil:
		return Endpoint{}, fmt.Errorf("%s: %w", s.File, err)
	case len(found) == 0:
		return Endpoint{}, fmt.Errorf("%s: no PostbackEndpoint%s in it", s.File, called(s.Name))
	case len(found) > 1:
		return Endpoint{}, fmt.Errorf("%s: %d PostbackEndpoints%s in it, choose one by --name", s.File, len(found),
			called(s.Name))
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
func (s *Source) endpoints(data []byte) ([]Endpoint, error) {
	var found []Endpoint
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
		var m Endpoint
		if err := document.Decode(&m); err != nil {
			return nil, err
		}
		if s.Name == "" || s.Name == m.Metadata.Name {
			found = append(found, m)
		}
	}
}
