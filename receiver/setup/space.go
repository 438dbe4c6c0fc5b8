package setup

import (
	"context"
	"path/filepath"
	"time"

	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/postgres"
	"github.com/postback-dev/postback-operator/receiver/ledger/sqlite"
	"github.com/postback-dev/postback-operator/receiver/space"
)

// databaseSizeEvery is how often a database is asked for its size: it counts its files for that.
const databaseSizeEvery = time.Minute

// files are those of a store on a volume of the receiver.
type files interface {
	Files() []string
	Reusable() (int64, error)
}

// volumeOf returns the volume of a store's files.
func (o Options) volumeOf(name string, store files) *space.Volume {
	return space.NewVolume(space.VolumeOptions{
		Name:     name,
		Dir:      filepath.Dir(store.Files()[0]),
		Files:    store.Files(),
		Reusable: store.Reusable,
		Reserve:  o.FreeSpaceReserve,
		Statfs:   o.Statfs,
		Logger:   o.Logger,
		Clock:    o.Clock,
	})
}

// openVolumes finds out what the store and the spool are on. It returns the spool, if there is one, as its volume lets
// it be used; nil if not.
func (r *Receiver) openVolumes() (spool ledger.Spool) {
	if store, ok := r.store.(*sqlite.Store); ok {
		r.storeVolume = r.options.volumeOf("store", store)
	}
	if r.spool != nil {
		r.spoolVolume = r.options.volumeOf("spool", r.spool)
		spool = space.Spool{Spool: r.spool, Volume: r.spoolVolume}
	}
	return spool
}

// level says what the store's volume has no room for. Of a database's volume nothing is known.
func (r *Receiver) level() space.Level {
	if r.storeVolume == nil {
		return space.Everything
	}
	return r.storeVolume.Level()
}

// volumes reports on what the store and the spool are on.
func (r *Receiver) volumes() (all []space.Status) {
	switch size := r.databaseSize.Load(); {
	case r.storeVolume != nil:
		all = append(all, r.storeVolume.Status())
	case size > 0:
		all = append(all, space.Status{Name: "store", Bytes: size, Free: -1})
	}
	if r.spoolVolume != nil {
		all = append(all, r.spoolVolume.Status())
	}
	return all
}

// followDatabaseSize asks a database for its size every minute.
func (r *Receiver) followDatabaseSize(ctx context.Context) {
	database, ok := r.store.(*postgres.Store)
	if !ok {
		return
	}
	for tick := time.NewTicker(databaseSizeEvery); ; {
		if size, err := database.Size(ctx); err == nil {
			r.databaseSize.Store(size)
		} else if ctx.Err() == nil {
			r.options.Logger.Debug("The database does not say its size", "error", err)
		}
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
		}
	}
}
