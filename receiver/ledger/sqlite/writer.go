package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"modernc.org/sqlite"

	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/table"
)

// writer is the one connection that writes, with its prepared statements. The holder of the store's turn owns it.
type writer struct {
	conn driver.Conn

	begin, commit, rollback *statement

	selectClick, selectConversion, selectReceipt, selectSigned, anyHeld, selectHeld      *statement
	insertClick, updateClick, upsertConversion, insertHistory                            *statement
	insertReceived, settleReceived, insertHeld, deleteHeld                               *statement
	awaitRate, haveRate, insertForward, insertEndpoint                                   *statement
	selectForward, selectDue, selectOlder                                                *statement
	postponeRow, resumeNext, updateForward, resendForward, pruneForwards, reviveForwards *statement
	saveRates, takeLease, pruneReceived, pruneHistory, expireClick, beat                 *statement

	// removals are those of the list of that name.
	removals []*statement

	// prepared are all of them.
	prepared []*statement

	// endpoints are the stored ids by name; fresh those that the transaction under way has added.
	endpoints map[string]int64
	fresh     []string

	leases leases

	insertReports, selectCell, replaceCell *statement
}

// engine is the driver that has this package's functions.
func engine() driver.Driver {
	db, err := sql.Open("sqlite", "") // Opens nothing yet.
	if err != nil {
		return &sqlite.Driver{}
	}
	defer func() { _ = db.Close() }()
	return db.Driver()
}

func openWriter(path string, o Options) (_ *writer, err error) {
	// What is deleted is overwritten, so that what is erased is gone.
	conn, err := engine().Open(dataSource(path, append(pragmas(o.CacheBytes, o.MapBytes), "secure_delete(1)")))
	if err != nil {
		return nil, classify(err)
	}
	w := &writer{conn: conn, endpoints: map[string]int64{}, leases: leases{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	version, err := w.version()
	if err != nil {
		return nil, err
	}
	if err := migrate(conn, version); err != nil {
		return nil, err
	}
	if err := w.prepare(); err != nil {
		return nil, err
	}
	return w, w.loadEndpoints()
}

// fillCells makes the cells of rows that came without what they change.
func (w *writer) fillCells() error {
	if err := w.begin.exec(); err != nil {
		return err
	}
	if err := w.rebuild(""); err != nil {
		return errors.Join(err, w.rollback.exec())
	}
	return w.commit.exec()
}

func (w *writer) version() (version int64, err error) {
	s, err := prepare(w.conn, "pragma user_version")
	if err != nil {
		return 0, err
	}
	err = s.query(func(r *row) error { version = r.integer(); return r.err })
	return version, errors.Join(err, s.prepared.Close())
}

func (w *writer) prepare() error {
	for target, text := range map[**statement]string{
		&w.begin:    "begin immediate",
		&w.commit:   "commit",
		&w.rollback: "rollback",

		&w.selectClick: "select {clicks} from clicks where endpoint = ? and subid = ?",
		&w.selectConversion: `select {conversions} from conversions
			where endpoint = ? and subid = ? and tid = ? and slot_type = ?`,
		&w.selectReceipt: "select {received} from received where id = ?",
		&w.selectSigned:  "select {received} from received where signature = ?",
		&w.anyHeld:       "select 1 from held limit 1",
		&w.selectHeld:    "select {held} from held where endpoint = ? and subid = ?",

		&w.insertClick: insert(table.Clicks),
		&w.updateClick: "update clicks set " + assign("?", table.Clicks.Columns[2:], 3) +
			" where endpoint = ?1 and subid = ?2",
		&w.upsertConversion: insert(table.Conversions) + `
			on conflict (endpoint, subid, tid, slot_type) do update set ` + assign("excluded.", changedConversion, 0),
		&w.insertHistory:  insert(table.History),
		&w.insertReports:  insert(table.ReportChanges),
		&w.selectCell:     selectCell,
		&w.replaceCell:    replaceCell,
		&w.insertReceived: insert(table.Received),
		&w.settleReceived: "update received set outcome = ?3, reason = ?4, warnings = ?5, conversion = ?6, test = ?7 " +
			"where endpoint = ?1 and id = ?2",
		&w.insertHeld: insert(table.Held),
		&w.deleteHeld: "delete from held where request_id = ?",
		&w.awaitRate:  insert(table.PendingRates) + " on conflict do nothing",
		&w.haveRate: `delete from pending_rates where endpoint = ? and subid = ? and of_click = ? and tid = ? and
			slot_type = ? and currency = ? and to_currency = ?`,
		&w.insertForward:  insert(table.Outbox),
		&w.insertEndpoint: "insert into endpoints (name) values (?) returning id",

		&w.selectForward: "select {outbox} from outbox t where id = ?",
		&w.selectDue: `select id, endpoint, subid, tid, slot_type, rule, version from outbox
			where state = 'waiting' and host = ? and due <= ? order by due limit ?`,
		&w.selectOlder: "select due from outbox where " + sameQueue + " and version < ?6 order by version limit 2",
		&w.postponeRow: "update outbox set due = ?, postponed = 1 where id = ?",
		&w.resumeNext: `update outbox set due = ?6, postponed = 0 where postponed = 1 and seq =
			(select seq from outbox where ` + sameQueue + ` order by version limit 1)`,
		&w.updateForward: `update outbox
			set state = ?2, reason = ?3, host = ?4, due = ?5, ended_at = ?6, tries = ?7, attempts = ?8,
			conversion = iif(?9, null, conversion), click = iif(?9, null, click), postponed = 0 where id = ?1`,
		&w.resendForward: `update outbox set state = 'waiting', reason = null, due = ?2, ended_at = null, tries = 0,
			operation = coalesce(?3, operation) where id = ?1 and state = 'failed' and (?3 is null or operation is not ?3)`,
		&w.reviveForwards: `update outbox set due = ?1, created_at = min(created_at, ?1), postponed = 0
			where state = 'waiting' and due > ?2 and (created_at > ?2 or tries = 0 and postponed = 0)`,
		&w.pruneForwards: `delete from outbox where seq in
			(select seq from outbox where id < ? and ended_at < ? order by id limit ?)`,

		&w.saveRates: insert(table.Rates) + ` on conflict (source) do update set base = excluded.base,
			date = excluded.date, fetched = excluded.fetched, rates = excluded.rates`,
		&w.takeLease: insert(table.Leases) + ` on conflict (name) do update set holder = excluded.holder,
			until = excluded.until where leases.holder = excluded.holder or leases.until <= ?4 or leases.until > ?5`,
		&w.pruneReceived: `delete from received where seq in
			(select seq from received where id < ? and at < ? order by id limit ?)`,
		&w.pruneHistory: `delete from conversion_history where seq in
			(select seq from conversion_history where updated_at < ? order by updated_at limit ?)`,
		&w.expireClick: `delete from clicks where endpoint = ?1 and subid = ?2 and not exists
			(select 1 from conversions where endpoint = ?1 and subid = ?2)`,
		&w.beat: "update heartbeat set beats = beats + 1",
	} {
		if err := w.add(target, text); err != nil {
			return err
		}
	}
	w.removals = make([]*statement, len(removals))
	for i, text := range removals {
		if err := w.add(&w.removals[i], text); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) add(target **statement, text string) error {
	s, err := prepare(w.conn, columnLists.Replace(text))
	if err != nil {
		return classify(err)
	}
	*target = s
	w.prepared = append(w.prepared, s)
	return nil
}

func (w *writer) loadEndpoints() error {
	s, err := prepare(w.conn, "select id, name from endpoints")
	if err != nil {
		return classify(err)
	}
	err = s.query(func(r *row) error {
		id, name := r.integer(), r.text()
		w.endpoints[name] = id
		return r.err
	})
	return errors.Join(err, s.prepared.Close())
}

// endpoint returns the id of an endpoint's name, adding it to the store when it is new. It needs a transaction.
func (w *writer) endpoint(name string) (int64, error) {
	if id, ok := w.endpoints[name]; ok {
		return id, nil
	}
	err := w.insertEndpoint.query(func(r *row) error {
		w.endpoints[name] = r.integer()
		return r.err
	}, name)
	if err != nil {
		return 0, fmt.Errorf("adding an endpoint: %w", err)
	}
	w.fresh = append(w.fresh, name)
	return w.endpoints[name], nil
}

// close finalizes the statements first: SQLite keeps a connection with open statements alive, unseen.
func (w *writer) close() error {
	var errs []error
	for _, s := range w.prepared {
		errs = append(errs, s.prepared.Close())
	}
	return errors.Join(append(errs, w.conn.Close())...)
}

// locked has work use the writer, outside of a transaction.
func (s *Store) locked(ctx context.Context, work func(*writer) error) (err error) {
	select {
	case <-s.turn:
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ledger.ErrUnavailable, context.Cause(ctx))
	}
	defer func() { s.turn <- struct{}{} }()
	if s.closed {
		return fmt.Errorf("%w: store is closed", ledger.ErrUnavailable)
	}
	if err := s.damaged(); err != nil {
		return err
	}
	defer func() { _ = s.noticed(err) }()
	return work(s.writer)
}

// write runs work in a transaction of its own, and commits if work reports that there is something to commit. Whatever
// goes wrong, a panic included, rolls everything back.
func (s *Store) write(ctx context.Context, work func(*writer) (bool, error)) error {
	return s.locked(ctx, func(w *writer) error {
		if s.checkpoints.due() {
			if _, err := w.emptyLog(); err != nil {
				return err
			}
		}
		committed, err := w.transaction(ctx, work)
		if committed {
			s.checkpoints.committed()
		}
		return err
	})
}

func (w *writer) transaction(ctx context.Context, work func(*writer) (bool, error)) (committed bool, err error) {
	if err := w.begin.exec(); err != nil {
		return false, err
	}
	defer func() {
		if !committed {
			w.abandon()
		}
	}()
	dirty, err := work(w)
	if err != nil || !dirty && len(w.fresh) == 0 {
		return false, err
	}
	if err := context.Cause(ctx); err != nil {
		return false, fmt.Errorf("%w: %w", ledger.ErrUnavailable, err)
	}
	if err := w.commit.exec(); err != nil {
		return false, err
	}
	w.fresh = w.fresh[:0]
	return true, nil
}

// emptyLog truncates the write-ahead log, unless a reader is still in it: then it reports false.
func (w *writer) emptyLog() (emptied bool, err error) {
	if err := run(w.conn, "pragma busy_timeout = 0"); err != nil {
		return false, err
	}
	s, err := prepare(w.conn, "pragma wal_checkpoint(truncate)")
	if err == nil {
		err = s.query(func(r *row) error {
			emptied = r.integer() == 0
			return r.err
		})
		err = errors.Join(err, s.prepared.Close())
	}
	return emptied, errors.Join(classify(err), run(w.conn, "pragma "+busyTimeout))
}

// abandon rolls back. SQLite may have done so itself, which is the only error here, and no matter.
func (w *writer) abandon() {
	for _, name := range w.fresh {
		delete(w.endpoints, name)
	}
	w.fresh = w.fresh[:0]
	_ = w.rollback.exec()
}
