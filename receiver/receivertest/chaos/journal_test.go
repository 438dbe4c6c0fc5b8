package chaos

import (
	"time"

	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/postgres"
)

// followJournal reads the journal while there are faults. What it returns reads the rest and holds that every row came
// once, and the versions of each conversion in their order.
func (f *field) followJournal() (audit func(rows int)) {
	f.Helper()
	store, err := postgres.Open(f.Context(), postgres.Options{DSN: f.dsn})
	must(f.T, err)
	ended, read := make(chan struct{}), make(chan struct{})
	ids, versions := map[uuid.UUID]bool{}, map[uuid.UUID]int{}
	go func() {
		defer close(read)
		var after ledger.Cursor
		for last := false; ; {
			page, next, err := store.ReadJournal(f.Context(), after, 500)
			for _, row := range page {
				if ids[row.ID] {
					f.Errorf("row %s was read twice", row.ID)
				}
				ids[row.ID] = true
				if row.Version > 0 && row.Version != versions[row.Conversion]+1 {
					f.Errorf("version %d of %s was read after version %d", row.Version, row.Conversion, versions[row.Conversion])
				}
				versions[row.Conversion] = max(versions[row.Conversion], row.Version)
			}
			after = next
			switch {
			case last && err != nil:
				f.Errorf("reading the journal: %v", err)
				return
			case last && len(page) == 0:
				return
			case err != nil || len(page) == 0:
				select {
				case <-ended:
					last = true
				case <-time.After(20 * time.Millisecond):
				}
			}
		}
	}()
	return func(rows int) {
		f.Helper()
		close(ended)
		<-read
		must(f.T, store.Close())
		if len(ids) != rows {
			f.Errorf("%d rows of the journal were read, the log has %d", len(ids), rows)
		}
	}
}
