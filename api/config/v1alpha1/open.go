package v1alpha1

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// ErrIncomplete says that the documents do not belong together: a shard is missing or is of another revision than the
// manifest. Between two steps of an update this is normal, and a reader waits for the rest.
var ErrIncomplete = errors.New("the documents are of different revisions")

// Open reads and verifies one fleet's documents and returns their content. read returns the document of that file name;
// an error of it that is [fs.ErrNotExist] makes a missing shard [ErrIncomplete]. Of a file longer than
// [MaxDocumentBytes] it need not return more than one byte above that.
//
// Open is strict: an unknown field, trailing data, another version or kind, and whatever [Config.Validate] refuses are
// errors. What it allocates is bounded by the limits of the contract, whatever it is given.
func Open(read func(name string) ([]byte, error)) (*Config, error) {
	var manifest Manifest
	data, err := read(ManifestFile)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", ManifestFile, err)
	}
	if err := decode(data, &manifest); err != nil {
		return nil, fmt.Errorf("%s: %w", ManifestFile, err)
	}
	if err := manifest.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", ManifestFile, err)
	}
	config := Config{Revision: manifest.Revision, Fleet: manifest.Fleet, Endpoints: []Endpoint{}}
	for _, ref := range manifest.Shards {
		endpoints, err := openShard(ref, read)
		if err != nil {
			return nil, err
		}
		config.Endpoints = append(config.Endpoints, endpoints...)
	}
	if err := config.Validate(); err != nil {
		return nil, err
	}
	sorted := canonical(config)
	if revision(sorted) != manifest.Revision {
		return nil, fmt.Errorf("%s: revision: %w", ManifestFile, ErrIncomplete)
	}
	return &sorted, nil
}

func openShard(ref ShardRef, read func(name string) ([]byte, error)) ([]Endpoint, error) {
	data, err := read(ref.Name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is missing: %w", ref.Name, ErrIncomplete)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", ref.Name, err)
	}
	if len(data) <= MaxDocumentBytes && Digest(string(data)) != ref.SHA256 {
		return nil, fmt.Errorf("%s: %w", ref.Name, ErrIncomplete)
	}
	var shard Shard
	if err := decode(data, &shard); err != nil {
		return nil, fmt.Errorf("%s: %w", ref.Name, err)
	}
	if err := checkKind(shard.APIVersion, shard.Kind, KindShard); err != nil {
		return nil, fmt.Errorf("%s: %w", ref.Name, err)
	}
	if len(shard.Endpoints) != ref.Endpoints {
		return nil, fmt.Errorf("%s: it has %d endpoints, the manifest says %d", ref.Name, len(shard.Endpoints), ref.Endpoints)
	}
	return shard.Endpoints, nil
}

// check bounds what the manifest makes a reader do before any shard is read.
func (m *Manifest) check() error {
	if err := checkKind(m.APIVersion, m.Kind, KindManifest); err != nil {
		return err
	}
	if len(m.Shards) > MaxShards {
		return fmt.Errorf("shards: %d of them, %d is the limit", len(m.Shards), MaxShards)
	}
	endpoints := 0
	for i, ref := range m.Shards {
		if ref.Name != shardName(i) {
			return fmt.Errorf("shards[%d].name: must be %q", i, shardName(i))
		}
		if ref.Endpoints < 0 || ref.Endpoints > MaxEndpoints-endpoints {
			return fmt.Errorf("shards[%d].endpoints: the sum must be between 0 and %d", i, MaxEndpoints)
		}
		endpoints += ref.Endpoints
	}
	return nil
}

func shardName(index int) string { return fmt.Sprintf("shard-%03d.json", index) }

func checkKind(apiVersion, kind, want string) error {
	if apiVersion != APIVersion || kind != want {
		return fmt.Errorf("apiVersion and kind: must be %s, %s", APIVersion, want)
	}
	return nil
}

func decode(data []byte, into any) error {
	if len(data) > MaxDocumentBytes {
		return fmt.Errorf("more than %d bytes", MaxDocumentBytes)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("data after the document")
	}
	return nil
}
