package endpoint

import (
	"testing"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
)

func TestCountsAsOfWhatIsDeclaredAndOfWhatIsNot(t *testing.T) {
	declared := func(name string, types ...config.ConversionType) config.Endpoint {
		return config.Endpoint{Namespace: "shop", Name: name, Currency: "USD", ConversionTypes: types}
	}
	s, err := Build(&config.Config{Endpoints: []config.Endpoint{
		declared("b", config.ConversionType{Name: "install", Parameter: "install", CountsAs: config.CountsAsConfirmed}),
		declared("a"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, endpoint, customType string
		want                       config.CountsAs
	}{
		{"a declared type", "shop/b", "install", config.CountsAsConfirmed},
		{"another endpoint's type", "shop/a", "install", config.CountsAsNone},
		{"a type of no endpoint", "shop/b", "call", config.CountsAsNone},
		{"an endpoint that is gone", "shop/c", "install", config.CountsAsNone},
	} {
		if got := s.CountsAs(tc.endpoint, tc.customType); got != tc.want {
			t.Errorf("%s counts as %s, want %s", tc.name, got, tc.want)
		}
	}
}
