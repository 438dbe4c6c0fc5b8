package ops

import (
	"net/http"
	"time"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/api"
)

// ConfigStatus is what the receiver knows about its configuration directory.
type ConfigStatus struct {
	// Revision that is served, see [config.Manifest].
	Revision string
	// LoadedAt is when that revision was taken up; zero before the first load.
	LoadedAt  time.Time
	Endpoints int
	// LastError is why the directory's present content is not served, empty when it is. It never contains a secret.
	LastError   string
	LastErrorAt time.Time
	// Reloads and Failures count the loads that succeeded and that failed since the start.
	Reloads, Failures uint64
}

// RateStatus is what is known about one source of exchange rates.
type RateStatus struct {
	// Source is the provider's name in the configuration.
	Source string
	// Date is the day the source gave for its rates, Fetched when they were read; both are zero while there are none.
	Date, Fetched time.Time
	// LastError is why the last attempt failed, empty when it did not. It never contains a secret.
	LastError string
}

// configzView is the answer of /configz. The operator reads it to learn which revision is served.
type configzView struct {
	Version     string     `json:"version"`
	Schema      string     `json:"schema"`
	Revision    string     `json:"revision"`
	LoadedAt    *time.Time `json:"loaded_at"`
	Endpoints   int        `json:"endpoints"`
	LastError   string     `json:"last_error"`
	LastErrorAt *time.Time `json:"last_error_at"`
	// SpoolMissing counts the acknowledged postbacks that a damaged spool has lost.
	SpoolMissing int64           `json:"spool_missing"`
	Rates        []rateFreshness `json:"rates"`
}

type rateFreshness struct {
	Source string  `json:"source"`
	Date   *string `json:"date"`
	// Fetched is null, like AgeSeconds, while the source has delivered nothing.
	Fetched    *time.Time `json:"fetched"`
	AgeSeconds *int64     `json:"age_seconds"`
	LastError  string     `json:"last_error"`
}

func configz(o Options) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		status := o.Config()
		view := configzView{
			Version:     o.Version,
			Schema:      config.APIVersion,
			Revision:    status.Revision,
			LoadedAt:    read.UTC(status.LoadedAt),
			Endpoints:   status.Endpoints,
			LastError:   status.LastError,
			LastErrorAt: read.UTC(status.LastErrorAt),
			Rates:       []rateFreshness{},
		}
		if o.Spool != nil {
			view.SpoolMissing = o.Spool().Missing
		}
		for _, rate := range rates(o) {
			view.Rates = append(view.Rates, viewRate(rate, o.Clock()))
		}
		api.WriteJSON(w, http.StatusOK, view)
	})
}

func rates(o Options) []RateStatus {
	if o.Rates == nil {
		return nil
	}
	return o.Rates()
}

func viewRate(rate RateStatus, now time.Time) rateFreshness {
	view := rateFreshness{Source: rate.Source, Date: read.Day(rate.Date), Fetched: read.UTC(rate.Fetched),
		LastError: rate.LastError}
	if view.Fetched != nil {
		age := int64(now.Sub(rate.Fetched).Seconds())
		view.AgeSeconds = &age
	}
	return view
}
