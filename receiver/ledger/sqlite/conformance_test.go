package sqlite

import (
	"path/filepath"
	"testing"

	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/ledgertest"
)

func TestConformance(t *testing.T) {
	ledgertest.Run(t, ledgertest.Engine{
		Place: func(t *testing.T) func() (ledger.Store, error) {
			path := filepath.Join(t.TempDir(), "ledger.db")
			return func() (ledger.Store, error) { return Open(t.Context(), path, Options{}) }
		},
	})
}
