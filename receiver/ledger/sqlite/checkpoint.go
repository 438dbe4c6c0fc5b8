package sqlite

import (
	"database/sql/driver"
	"errors"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"modernc.org/sqlite"
)

const (
	// checkpointEvery lets a page that many commits touch be copied once: five times as often costs a tenth more CPU per
	// postback, and the disk is busier.
	checkpointEvery = 500 * time.Millisecond
	// maxWAL is the size, in bytes, from which the writer is asked to empty the write-ahead log.
	maxWAL = 256 << 20
)

// checkpoints copies the write-ahead log into the file beside the writer, on a connection of its own, without making
// anyone wait. Under steady load it never gets to the end of the log, which therefore grows: once it is too long the
// writer empties it between two batches.
type checkpoints struct {
	log  *slog.Logger
	wal  string
	conn driver.Conn
	pass *statement

	dirty, full atomic.Bool
	quit        chan struct{}
	stopped     sync.WaitGroup
}

func startCheckpoints(path string, log *slog.Logger) (*checkpoints, error) {
	conn, err := (&sqlite.Driver{}).Open(dataSource(path, pragmas(1<<20, 0)))
	if err != nil {
		return nil, classify(err)
	}
	c := &checkpoints{log: log, wal: path + "-wal", conn: conn, quit: make(chan struct{})}
	if c.pass, err = prepare(conn, "pragma wal_checkpoint(passive)"); err != nil {
		return nil, errors.Join(classify(err), conn.Close())
	}
	c.stopped.Go(c.run)
	return c, nil
}

func (c *checkpoints) committed() { c.dirty.Store(true) }

// due reports, once, that the writer should empty the log.
func (c *checkpoints) due() bool { return c.full.CompareAndSwap(true, false) }

func (c *checkpoints) run() {
	tick := time.NewTicker(checkpointEvery)
	defer tick.Stop()
	for {
		select {
		case <-c.quit:
			return
		case <-tick.C:
		}
		if !c.dirty.CompareAndSwap(true, false) {
			continue
		}
		if err := c.pass.query(func(*row) error { return nil }); err != nil {
			c.log.Warn("Checkpoint failed, trying again", "error", err)
			c.dirty.Store(true)
		}
		if info, err := os.Stat(c.wal); err == nil && info.Size() > maxWAL {
			c.full.Store(true)
		}
	}
}

func (c *checkpoints) stop() {
	close(c.quit)
	c.stopped.Wait()
	if err := errors.Join(c.pass.prepared.Close(), c.conn.Close()); err != nil {
		c.log.Warn("Closing the checkpoint connection failed", "error", err)
	}
}
