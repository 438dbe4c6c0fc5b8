package receivertest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
)

// Key and ClickToken are the credentials of the endpoints that [Endpoint] returns.
const (
	Key        = "test-key-4fzc7w2m"
	ClickToken = "test-token-9q5xk1d8"
)

// Endpoint returns an endpoint default/test in USD with every policy at its default.
func Endpoint() config.Endpoint {
	return config.Endpoint{
		Namespace: "default", Name: "test", Currency: "USD",
		Keys:        []config.Key{{ID: "k1", SHA256: config.Digest(Key)}},
		ClickTokens: []config.Key{{ID: "c1", SHA256: config.Digest(ClickToken)}},
		Policies: config.Policies{
			MissingStatus: config.PolicyIgnore, UnknownStatus: config.PolicyIgnore,
			UnknownClick: config.UnknownClickIgnore, HoldFor: config.Duration(time.Hour),
			Repeat: config.RepeatOverwrite, Slot: config.SlotTid, Transitions: config.TransitionsAny,
		},
	}
}

// Fleet returns a fleet default/test that asks no rate provider.
func Fleet() config.Fleet {
	return config.Fleet{Namespace: "default", Name: "test",
		Rates: config.Rates{RefreshEvery: config.Duration(12 * time.Hour)}}
}

// WriteConfig writes the contract documents of a fleet into dir.
func WriteConfig(dir string, fleet config.Fleet, endpoints ...config.Endpoint) error {
	documents, err := config.Seal(fleet, endpoints)
	if err != nil {
		return err
	}
	for name, text := range documents {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// AddClicks records n clicks, the i-th with the subid that subid returns, and returns an error unless all are new.
func (p *Process) AddClicks(ctx context.Context, n int, subid func(i int) string) error {
	const batch = 5000
	for first := 0; first < n; first += batch {
		var body bytes.Buffer
		last := min(first+batch, n)
		for i := first; i < last; i++ {
			fmt.Fprintf(&body, `{"subid":%q,"campaign":"c%d","keyword":"running shoes","source":"s%d","sub_id_1":"banner",`+
				`"ip":"203.0.113.7","user_agent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 `+
				`(KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"}`+"\n",
				subid(i), i%100, i%1000)
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+p.Addr+"/clicks", &body)
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+ClickToken)
		var answer bytes.Buffer
		if err := exchange(req, &answer); err != nil {
			return err
		}
		var result struct{ Accepted int }
		if err := json.Unmarshal(answer.Bytes(), &result); err != nil {
			return err
		}
		if result.Accepted != last-first {
			return fmt.Errorf("clicks %d to %d: %s", first, last-1, bytes.TrimSpace(answer.Bytes()))
		}
	}
	return nil
}

// List yields every item of a list of the read API, over all its pages.
func List[T any](ctx context.Context, p *Process, path string, query url.Values) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		query.Set("limit", "1000")
		for {
			var (
				text bytes.Buffer
				page struct {
					Items  []T    `json:"items"`
					Cursor string `json:"next_cursor"`
				}
			)
			err := p.Get(ctx, path+"?"+query.Encode(), &text)
			if err == nil {
				err = json.Unmarshal(text.Bytes(), &page)
			}
			if err != nil {
				var zero T
				yield(zero, err)
				return
			}
			for _, item := range page.Items {
				if !yield(item, nil) {
					return
				}
			}
			if page.Cursor == "" {
				return
			}
			query.Set("cursor", page.Cursor)
		}
	}
}
