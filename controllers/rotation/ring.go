package rotation

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
)

// maxRingBytes bounds what Parse reads; a ring at its limits takes far less.
const maxRingBytes = 1 << 20

// Parse reads a keyring that [Ring.Encode] wrote. Empty data is an empty ring. No error quotes the data.
func Parse(data []byte) (Ring, error) {
	if len(data) == 0 {
		return Ring{}, nil
	}
	if len(data) > maxRingBytes {
		return nil, fmt.Errorf("the keyring is longer than %d bytes", maxRingBytes)
	}
	var ring Ring
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&ring); err != nil {
		return nil, errors.New("the keyring is not the JSON that was written")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("data after the keyring")
	}
	if ring == nil {
		ring = Ring{}
	}
	for purpose, entries := range ring {
		for _, e := range entries {
			if e.ID == "" || len(e.SHA256) != 64 {
				return nil, fmt.Errorf("the keyring has an entry for %.64q without an id or digest", purpose)
			}
		}
	}
	return ring, nil
}

// Encode writes the keyring; the same ring gives the same bytes.
func (r Ring) Encode() []byte {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("a keyring always encodes: %v", err))
	}
	return append(data, '\n')
}

// Keys returns what receivers accept for a purpose, for the contract.
func (r Ring) Keys(purpose Purpose) []config.Key {
	keys := []config.Key{}
	for _, e := range r[purpose] {
		if !e.Revoked {
			keys = append(keys, config.Key{ID: e.ID, SHA256: e.SHA256, RetireAt: e.RetireAt})
		}
	}
	return keys
}

// Secrets pairs values, which the ring must have been advanced by, with their ids. Revoked ones are left out.
func (r Ring) Secrets(purpose Purpose, values []string) []config.Secret {
	var secrets []config.Secret
	for _, value := range values {
		digest := config.Digest(value)
		for _, e := range r[purpose] {
			if e.SHA256 == digest && !e.Revoked {
				secrets = append(secrets, config.Secret{ID: e.ID, Value: config.Redacted(value)})
			}
		}
	}
	return secrets
}

// Due reports whether it is time to generate the next postback key: the declared revision is above the one that was
// generated last, or the active key is older than every. every 0 means no schedule.
func (r Ring) Due(now time.Time, declared, generated int64, every time.Duration) bool {
	if declared > generated {
		return true
	}
	if every <= 0 {
		return false
	}
	active := slices.IndexFunc(r[Postback], Entry.Active)
	return active >= 0 && !now.Before(r[Postback][active].Since.Add(every))
}

func sortedKeys[V any](m map[Purpose]V) []Purpose { return slices.Sorted(maps.Keys(m)) }
