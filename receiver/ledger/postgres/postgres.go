// Package postgres is the shared engine of the ledger: several receivers on one PostgreSQL database, version 15 or
// later. A batch takes two flights: the first locks the clicks in key order and reads what hangs on them, the second
// writes many rows at once and commits. Receivers are kept in order by those row locks alone; there are no advisory
// locks, no notifications, no functions in the server and no clock but the receivers', so that the same tables and
// statements run on Citus and YugabyteDB. It imports no net/http and decides nothing: that is package conversion's.
//
// # Settings
//
// The DSN is a postgres:// URL or key=value pairs with libpq's names: sslmode, sslrootcert, several hosts,
// target_session_attrs (read-write unless it is given), connect_timeout (2 s unless it is given). Timeouts and
// synchronous_commit are set in each transaction, hence pgbouncer's transaction mode works.
// Statements are prepared, which saves a fifth of the work, unless a pooler stands before the server: then they are
// only described (cache_describe), which any pooler allows. The DSN's default_query_exec_mode overrules both:
// cache_statement also works behind pgbouncer 1.21 or later.
//
// # Retention
//
// The received log has a partition for each day (days.go), which is dropped as a whole when all of it is old enough.
// The history, and what of the received log is in no day, are pruned by bounded deletes.
package postgres

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// Options of a store. Zero values take the defaults.
type Options struct {
	// DSN names the database. DSNFile, if set, is a file that holds the DSN and is read again for every connection.
	DSN, DSNFile string
	// MaxConnections of this receiver; 8 by default, at least 2. Half of them at most serve reads that no lane waits for.
	MaxConnections int
	// StatementTimeout (5 s) and LockTimeout (3 s) bound what the server does, FlightTimeout (8 s) how long the receiver
	// waits for it: past it the connection is given up.
	StatementTimeout, LockTimeout, FlightTimeout time.Duration
	// CheckOnly refuses a schema that is not the program's own, instead of migrating it.
	CheckOnly bool
	// GroupByBucket sends one statement per bucket, as Citus demands of statements that lock. A batch is still one
	// transaction; it stays on one shard when all of its keys are of one bucket.
	GroupByBucket bool
	// Late lets a store be opened while its database is away: it goes on trying to open it, and answers
	// ledger.ErrUnavailable until it has.
	Late bool
	// Logger may be nil.
	Logger *slog.Logger

	// describe: see isPooled.
	describe bool
}

func (o Options) withDefaults() Options {
	if o.MaxConnections == 0 {
		o.MaxConnections = 8
	}
	o.MaxConnections = max(2, o.MaxConnections)
	setDefault(&o.StatementTimeout, 5*time.Second)
	setDefault(&o.LockTimeout, 3*time.Second)
	setDefault(&o.FlightTimeout, 8*time.Second)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

func setDefault(d *time.Duration, value time.Duration) {
	if *d == 0 {
		*d = value
	}
}

// reportsAtATime bounds how many statements of reports run at a time.
const reportsAtATime = 2

// Store is a [ledger.Store] on PostgreSQL.
type Store struct {
	options Options
	// pool is nil until the database was opened: see [Options.Late].
	pool atomic.Pointer[pgxpool.Pool]
	// stop ends the attempts to open it, opening is done when they have ended.
	stop    context.CancelFunc
	opening sync.WaitGroup
	// readers bounds the connections that reads take, so that lanes find one; summing those of them that reports take, so
	// that lists do.
	readers, summing chan struct{}
}

var _ ledger.Store = (*Store)(nil)

// Open connects and brings the schema up to date, or checks it. Its errors wrap ledger.ErrUnavailable while the
// database cannot be reached or written, ledger.ErrSchema when the schema is not the program's, and are one line
// without anything of the DSN.
func Open(ctx context.Context, options Options) (*Store, error) {
	options = options.withDefaults()
	reads := options.MaxConnections / 2
	s := &Store{
		options: options,
		stop:    func() {},
		readers: make(chan struct{}, reads),
		summing: make(chan struct{}, min(max(1, reads/2), reportsAtATime)),
	}
	err := s.connect(ctx)
	if options.Late && errors.Is(err, ledger.ErrUnavailable) {
		options.Logger.Error("Starting without the store, which cannot be opened yet", "error", err)
		s.openLater(err)
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// connect opens the database, once.
func (s *Store) connect(ctx context.Context) error {
	options := s.options
	var err error
	if options.describe, err = options.isPooled(ctx); err != nil {
		return err
	}
	config, err := options.poolConfig()
	if err != nil {
		return err
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return failure(err)
	}
	if err := s.prepareSchema(ctx, pool); err != nil {
		pool.Close()
		return failure(err)
	}
	s.prepareDays(ctx, pool)
	s.pool.Store(pool)
	return nil
}

// reopenEvery is how often a database that could not be opened is tried again.
const reopenEvery = time.Second

// openLater tries again until the database is open or the store is closed. last is why it is not open yet: a reason is
// logged once.
func (s *Store) openLater(last error) {
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.opening.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(reopenEvery):
			}
			err := s.connect(ctx)
			switch {
			case err == nil:
				s.options.Logger.InfoContext(ctx, "Store opened")
				return
			case ctx.Err() == nil && err.Error() != last.Error():
				last = err
				s.options.Logger.ErrorContext(ctx, "Store cannot be opened, trying again", "error", err)
			}
		}
	})
}

// Close implements [ledger.Store].
func (s *Store) Close() error {
	s.stop()
	s.opening.Wait()
	if pool := s.pool.Load(); pool != nil {
		pool.Close()
	}
	return nil
}

// Ping implements [ledger.Store]: it reports whether the database answers and can be written.
func (s *Store) Ping(ctx context.Context) error {
	return s.withConn(ctx, func(conn *pgx.Conn) error {
		ctx, cancel := context.WithTimeout(ctx, s.options.FlightTimeout)
		defer cancel()
		var readOnly string
		if err := conn.QueryRow(ctx, "select current_setting('transaction_read_only')").Scan(&readOnly); err != nil {
			return err
		}
		if readOnly == "on" {
			return &storeError{ledger.ErrUnavailable, "the database is read-only"}
		}
		return nil
	})
}

// errNotOpen is what every method says until the database was opened.
var errNotOpen = &storeError{ledger.ErrUnavailable, "it could not be opened yet"}

// withConn runs f on a connection. What f leaves unfinished is rolled back; a connection that failed is dropped. Every
// access passes here.
func (s *Store) withConn(ctx context.Context, f func(*pgx.Conn) error) error {
	pool := s.pool.Load()
	if pool == nil {
		return errNotOpen
	}
	return s.withConnOf(ctx, pool, f)
}

func (s *Store) withConnOf(ctx context.Context, pool *pgxpool.Pool, f func(*pgx.Conn) error) error {
	acquiring, cancel := context.WithTimeout(ctx, s.options.FlightTimeout)
	pooled, err := pool.Acquire(acquiring)
	cancel()
	if err != nil {
		return failure(err)
	}
	defer s.release(pooled)
	conn := pooled.Conn()
	if err = f(conn); err == nil {
		return nil
	}
	if !conn.IsClosed() && conn.PgConn().TxStatus() != 'I' {
		rollback, cancel := context.WithTimeout(context.WithoutCancel(ctx), connectTimeout)
		defer cancel()
		_, _ = conn.Exec(rollback, "rollback") // if this fails the connection is dropped, which rolls back as well
	}
	if isReadOnly(err) { // the other connections lead to the same former primary
		pool.Reset()
	}
	return failure(err)
}

// release gives a connection back to the pool. A closed one leaves the pool at once: the driver may take 15 s to say
// goodbye to a server that does not answer, and until then its place would be taken.
func (s *Store) release(pooled *pgxpool.Conn) {
	if pooled.Conn().IsClosed() {
		pooled.Hijack()
		return
	}
	pooled.Release()
}

// newBatch starts a flight.
func (s *Store) newBatch() *batch { return &batch{routed: s.options.GroupByBucket} }

// send runs a flight: all of its statements, in one round trip.
func (s *Store) send(ctx context.Context, conn *pgx.Conn, b *batch) error {
	ctx, cancel := context.WithTimeout(ctx, s.options.FlightTimeout)
	defer cancel()
	return conn.SendBatch(ctx, &b.Batch).Close()
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
