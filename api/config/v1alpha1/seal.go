package v1alpha1

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"time"
)

// Sizes of documents.
const (
	// MaxDocumentBytes is the largest document that [Open] takes: readers need never read more of a file.
	MaxDocumentBytes = 1 << 20
	// maxShardBytes keeps a shard below the 1 MiB of a Kubernetes Secret, in which it stands base64-encoded.
	maxShardBytes = 700 << 10
	// MaxShards bounds the manifest.
	MaxShards = 1 << 10
)

// Documents are encoded documents by file name.
type Documents map[string][]byte

// Config is the content of one fleet's documents.
type Config struct {
	// Revision is set by [Open].
	Revision  string
	Fleet     Fleet
	Endpoints []Endpoint
}

// Digest returns the form in which the contract holds a key: the lower-case hex SHA-256 of its bytes.
func Digest(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// Seal encodes one fleet's configuration. It is canonical: the same content in any order gives the same bytes, and one
// changed endpoint changes one shard and the manifest. Content that [Config.Validate] refuses is an error. The
// arguments are left as they are.
//
// The revision in the manifest is the head of a SHA-256 over the content without the digests of keys and the values of
// secrets, for which their IDs stand. So it may be published in a status or a metric: nobody can try short keys against
// it.
func Seal(fleet Fleet, endpoints []Endpoint) (Documents, error) {
	raw := Config{Fleet: fleet, Endpoints: endpoints}
	if err := raw.Validate(); err != nil {
		return nil, err
	}
	config := canonical(raw)
	shards, err := shard(config.Endpoints)
	if err != nil {
		return nil, err
	}
	manifest := Manifest{
		APIVersion: APIVersion, Kind: KindManifest,
		Revision: revision(config), Fleet: config.Fleet,
	}
	documents := Documents{}
	for i, s := range shards {
		name := shardName(i)
		documents[name] = encode(s)
		manifest.Shards = append(manifest.Shards, ShardRef{
			Name: name, SHA256: Digest(string(documents[name])), Endpoints: len(s.Endpoints),
		})
	}
	documents[ManifestFile] = encode(manifest)
	if size := len(documents[ManifestFile]); size > maxShardBytes {
		return nil, fmt.Errorf("fleet: its own settings take %d bytes, %d is the limit", size, maxShardBytes)
	}
	return documents, nil
}

// shard spreads sorted endpoints over the smallest power of two of shards that are all small enough. An endpoint's
// place depends on its name only, so neighbours don't move it.
func shard(endpoints []Endpoint) ([]Shard, error) {
	sizes := make([]int, len(endpoints))
	for i := range endpoints {
		sizes[i] = len(encode(endpoints[i]))
	}
	const envelope = 256
	for count := 1; count <= MaxShards; count *= 2 {
		used := make([]int, count)
		for i, e := range endpoints {
			used[shardOf(e, count)] += sizes[i]
		}
		if slices.Max(used) > maxShardBytes-envelope {
			continue
		}
		shards := make([]Shard, count)
		for i := range shards {
			shards[i] = Shard{APIVersion: APIVersion, Kind: KindShard, Endpoints: []Endpoint{}}
		}
		for _, e := range endpoints {
			s := &shards[shardOf(e, count)]
			s.Endpoints = append(s.Endpoints, e)
		}
		return shards, nil
	}
	return nil, fmt.Errorf("endpoints: they do not fit into %d documents of %d bytes", MaxShards, maxShardBytes)
}

func shardOf(e Endpoint, count int) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(e.Namespace + "/" + e.Name)) // a hash takes everything
	return int(h.Sum32()) & (count - 1)
}

// Revision identifies the endpoint's own content as the revision in the manifest identifies the whole: 16 lower-case
// hex digits, safe to publish. Neither the fleet's settings nor its other endpoints change it.
func (e Endpoint) Revision() string {
	return revision(canonical(Config{Endpoints: []Endpoint{e}}))
}

// Revision identifies the fleet's own settings, like [Endpoint.Revision]: no endpoint changes it.
func (f Fleet) Revision() string {
	return revision(Config{Fleet: f})
}

// revision must not depend on anything from which a secret could be guessed.
func revision(config Config) string {
	public := canonical(config)
	public.Revision = ""
	for i := range public.Fleet.Rates.Providers {
		if key := public.Fleet.Rates.Providers[i].Key; key != nil {
			key.Value = ""
		}
	}
	for _, e := range public.Endpoints {
		hideDigests(e.Keys)
		hideDigests(e.ClickTokens)
		if e.Browser != nil {
			hideDigests(e.Browser.Keys)
		}
		for _, c := range e.Campaigns {
			hideDigests(c.Tokens)
		}
		for _, f := range e.Forwards {
			for i := range f.Headers {
				if secret := f.Headers[i].Secret; secret != nil {
					secret.Value = ""
				}
			}
		}
		_, secrets := e.Access.Signing()
		for i := range secrets {
			secrets[i].Value = ""
		}
	}
	return Digest(string(encode(public)))[:16]
}

func hideDigests(keys []Key) {
	for i := range keys {
		keys[i].SHA256 = ""
	}
}

// canonical returns a deep copy with the lists sorted whose order has no meaning, times in UTC and no list that JSON
// would write as null.
func canonical(config Config) Config {
	fleet := clone(config.Fleet)
	slices.Sort(fleet.TrustedProxies)
	slices.SortFunc(fleet.Rates.Fixed, func(a, b FixedRate) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	endpoints := make([]Endpoint, 0, len(config.Endpoints))
	for _, e := range config.Endpoints {
		endpoints = append(endpoints, canonicalEndpoint(clone(e)))
	}
	slices.SortStableFunc(endpoints, func(a, b Endpoint) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return Config{Revision: config.Revision, Fleet: fleet, Endpoints: endpoints}
}

func canonicalEndpoint(e Endpoint) Endpoint {
	if e.Keys == nil {
		e.Keys = []Key{}
	}
	canonicalKeys(e.Keys)
	canonicalKeys(e.ClickTokens)
	slices.SortStableFunc(e.Training, func(a, b TrainingRule) int { return cmp.Compare(a.Type, b.Type) })
	for i := range e.Training {
		if e.Training[i].Statuses == nil {
			e.Training[i].Statuses = []string{}
		}
		slices.Sort(e.Training[i].Statuses)
	}
	slices.Sort(e.Access.AllowedCIDRs)
	_, secrets := e.Access.Signing()
	slices.SortStableFunc(secrets, func(a, b Secret) int { return cmp.Compare(a.ID, b.ID) })
	if b := e.Browser; b != nil {
		canonicalBrowser(b)
	}
	slices.SortStableFunc(e.Campaigns, func(a, b Campaign) int { return cmp.Compare(a.Name, b.Name) })
	for _, c := range e.Campaigns {
		canonicalKeys(c.Tokens)
	}
	slices.SortStableFunc(e.Forwards, func(a, b Forward) int { return cmp.Compare(a.Name, b.Name) })
	for _, f := range e.Forwards {
		slices.Sort(f.Types)
		slices.Sort(f.Sources)
		slices.Sort(f.Campaigns)
		slices.Sort(f.Require)
		slices.Sort(f.Expect)
		slices.SortStableFunc(f.Headers, func(a, b Header) int { return cmp.Compare(a.Name, b.Name) })
	}
	return e
}

func canonicalBrowser(b *Browser) {
	if b.Keys == nil {
		b.Keys = []Key{}
	}
	canonicalKeys(b.Keys)
	slices.Sort(b.Types)
	slices.Sort(b.Origins)
}

func canonicalKeys(keys []Key) {
	slices.SortStableFunc(keys, func(a, b Key) int { return cmp.Compare(a.ID, b.ID) })
	for i := range keys {
		if at := keys[i].RetireAt; at != nil {
			utc := at.UTC().Truncate(time.Second)
			keys[i].RetireAt = &utc
		}
	}
}

// clone copies by the contract's own encoding, which is exact for what [Config.Validate] has accepted.
func clone[T any](value T) T {
	var out T
	if err := json.Unmarshal(encode(value), &out); err != nil {
		panic(fmt.Sprintf("contract types must survive their own encoding: %v", err))
	}
	return out
}

func encode(value any) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(fmt.Sprintf("contract types always encode: %v", err))
	}
	return b.Bytes()
}
