package credential

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/rotation"
)

// Providers are the keys of a fleet's rate providers.
type Providers struct {
	// Keys by the provider's name; those that can't be used are missing.
	Keys map[string]string
	// Problems say why.
	Problems []error
}

// ReadProviders reads the keys of a fleet's rate providers. find returns the Secret of a name; its error ends the
// reading.
func ReadProviders(fleet *v1alpha1.ReceiverFleet, find func(name string) (Secret, error)) (Providers, error) {
	providers := Providers{Keys: map[string]string{}}
	for _, provider := range fleet.Spec.Rates.Providers {
		ref := provider.KeySecretRef
		if ref == nil {
			continue
		}
		secret, err := find(ref.Name)
		if err != nil {
			return Providers{}, err
		}
		at := fmt.Sprintf("spec.rates.providers[%s].keySecretRef", provider.Name)
		key, problem := read(&secret, at, func(data map[string][]byte) (string, error) {
			return onlySecret(data, cmp.Or(ref.Key, v1alpha1.DefaultKeyField))
		})
		switch err := keyMayGo(&provider); {
		case problem != nil:
			providers.Problems = append(providers.Problems, problem)
		case err != nil:
			providers.Problems = append(providers.Problems, fmt.Errorf("%s: %w", at, err))
		default:
			providers.Keys[provider.Name] = key
		}
	}
	return providers, nil
}

func onlySecret(data map[string][]byte, field string) (string, error) {
	values, err := Secrets(data, field)
	if err == nil && len(values) != 1 {
		err = fmt.Errorf("field %q: %d keys instead of one", field, len(values))
	}
	if err != nil {
		return "", err
	}
	return values[0], nil
}

// Advance returns the fleet's keyring after the keys that were read.
func (p Providers) Advance(before Keyring, now time.Time, newID func() string) Keyring {
	observed := map[rotation.Purpose][]string{}
	for provider, key := range p.Keys {
		observed[rotation.Provider(provider)] = []string{key}
	}
	return before.advance(rotation.Input{Now: now, Observed: observed, NewID: newID})
}

// keyHost is where the only rate provider is that takes a key.
const keyHost = "https://openexchangerates.org"

// keyMayGo refuses to send a provider's key elsewhere than to the provider, and in the clear.
func keyMayGo(provider *v1alpha1.RateProvider) error {
	host, _, _ := strings.Cut(strings.TrimPrefix(provider.URL, "https://"), "/")
	switch {
	case provider.Type != v1alpha1.RateProviderOpenExchangeRates:
		return fmt.Errorf("type %s takes no key, only OpenExchangeRates does", provider.Type)
	case provider.URL != "" && (host == provider.URL || "https://"+host != keyHost):
		return errors.New("with a key url must begin with " + keyHost + "/, since keys go nowhere else: leave it out")
	}
	return nil
}
