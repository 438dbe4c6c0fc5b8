package setup

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/postgres"
	"github.com/postback-dev/postback-operator/receiver/money"
)

// reopenEvery is how often a store that could not be opened is tried again.
const reopenEvery = time.Second

// database is a store that knows what its commits survive, and how large it is.
type database interface {
	ledger.Store
	Size(ctx context.Context) (int64, error)
	Durability(ctx context.Context) (postgres.Durability, string, error)
}

var _ database = (*lateStore)(nil)

// errNotOpen is what every method says until the store is there.
var errNotOpen = fmt.Errorf("%w: it could not be opened yet", ledger.ErrUnavailable)

// lateStore is a store that could not be opened at the start and is tried again until it can.
type lateStore struct {
	store   atomic.Pointer[database]
	stop    context.CancelFunc
	opening sync.WaitGroup
}

func openLater(open func(context.Context) (database, error), logger *slog.Logger) *lateStore {
	ctx, stop := context.WithCancel(context.Background())
	s := &lateStore{stop: stop}
	s.opening.Go(func() { s.keepOpening(ctx, open, logger) })
	return s
}

func (s *lateStore) keepOpening(ctx context.Context, open func(context.Context) (database, error), logger *slog.Logger) {
	reason := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(reopenEvery):
		}
		opened, err := open(ctx)
		if err == nil {
			s.store.Store(&opened)
			logger.Info("Store opened")
			return
		}
		if ctx.Err() == nil && err.Error() != reason {
			reason = err.Error()
			logger.Error("Store cannot be opened, trying again", "error", err)
		}
	}
}

// opened is the store, or the reason why there is none.
func (s *lateStore) opened() (database, error) {
	if opened := s.store.Load(); opened != nil {
		return *opened, nil
	}
	return nil, errNotOpen
}

// ask asks the store, if it is there.
func ask[T any](s *lateStore, question func(database) (T, error)) (answer T, err error) {
	store, err := s.opened()
	if err != nil {
		return answer, err
	}
	return question(store)
}

// tell is ask for what has no answer.
func (s *lateStore) tell(order func(database) error) error {
	_, err := ask(s, func(store database) (struct{}, error) { return struct{}{}, order(store) })
	return err
}

// rows is ask for what has many.
func rows[T any](s *lateStore, query func(database) iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		store, err := s.opened()
		if err != nil {
			yield(*new(T), err)
			return
		}
		query(store)(yield)
	}
}

func (s *lateStore) Transact(ctx context.Context, want ledger.Want, decide func(*ledger.Book) *ledger.Changes) error {
	return s.tell(func(d database) error { return d.Transact(ctx, want, decide) })
}

func (s *lateStore) Conversions(ctx context.Context, f ledger.ConversionFilter) iter.Seq2[*conversion.Conversion, error] {
	return rows(s, func(d database) iter.Seq2[*conversion.Conversion, error] { return d.Conversions(ctx, f) })
}

func (s *lateStore) History(ctx context.Context, id uuid.UUID) ([]*conversion.Conversion, error) {
	return ask(s, func(d database) ([]*conversion.Conversion, error) { return d.History(ctx, id) })
}

func (s *lateStore) Received(ctx context.Context, f ledger.ReceivedFilter) iter.Seq2[ledger.Received, error] {
	return rows(s, func(d database) iter.Seq2[ledger.Received, error] { return d.Received(ctx, f) })
}

func (s *lateStore) ExpiredHolds(ctx context.Context, now time.Time, limit int) ([]ledger.Key, error) {
	return ask(s, func(d database) ([]ledger.Key, error) { return d.ExpiredHolds(ctx, now, limit) })
}

func (s *lateStore) PendingRates(ctx context.Context, after *ledger.PendingRate, limit int) ([]ledger.PendingRate, error) {
	return ask(s, func(d database) ([]ledger.PendingRate, error) { return d.PendingRates(ctx, after, limit) })
}

func (s *lateStore) LoadRates(ctx context.Context) ([]money.Set, error) {
	return ask(s, func(d database) ([]money.Set, error) { return d.LoadRates(ctx) })
}

func (s *lateStore) SaveRates(ctx context.Context, set money.Set) error {
	return s.tell(func(d database) error { return d.SaveRates(ctx, set) })
}

func (s *lateStore) Lease(ctx context.Context, name, holder string, now, until time.Time) (bool, error) {
	return ask(s, func(d database) (bool, error) { return d.Lease(ctx, name, holder, now, until) })
}

func (s *lateStore) Prune(ctx context.Context, receivedBefore, historyBefore time.Time, limit int) (int, error) {
	return ask(s, func(d database) (int, error) { return d.Prune(ctx, receivedBefore, historyBefore, limit) })
}

func (s *lateStore) DueForwards(ctx context.Context, now time.Time) (map[string]time.Time, error) {
	return ask(s, func(d database) (map[string]time.Time, error) { return d.DueForwards(ctx, now) })
}

func (s *lateStore) ClaimForwards(ctx context.Context, claim ledger.OutboxClaim) (claimed []ledger.OutboxRow, examined map[string]int, err error) {
	err = s.tell(func(d database) (err error) {
		claimed, examined, err = d.ClaimForwards(ctx, claim)
		return err
	})
	return claimed, examined, err
}

func (s *lateStore) FinishForwards(ctx context.Context, holder string, now time.Time, sent []ledger.OutboxRow) error {
	return s.tell(func(d database) error { return d.FinishForwards(ctx, holder, now, sent) })
}

func (s *lateStore) Forwards(ctx context.Context, f ledger.OutboxFilter) iter.Seq2[ledger.OutboxRow, error] {
	return rows(s, func(d database) iter.Seq2[ledger.OutboxRow, error] { return d.Forwards(ctx, f) })
}

func (s *lateStore) ResendForward(ctx context.Context, id uuid.UUID, now time.Time) error {
	return s.tell(func(d database) error { return d.ResendForward(ctx, id, now) })
}

func (s *lateStore) CountForwards(ctx context.Context, now time.Time) (ledger.OutboxCounts, error) {
	return ask(s, func(d database) (ledger.OutboxCounts, error) { return d.CountForwards(ctx, now) })
}

func (s *lateStore) PruneForwards(ctx context.Context, endedBefore time.Time, limit int) (int, error) {
	return ask(s, func(d database) (int, error) { return d.PruneForwards(ctx, endedBefore, limit) })
}

func (s *lateStore) Ping(ctx context.Context) error {
	return s.tell(func(d database) error { return d.Ping(ctx) })
}

func (s *lateStore) Durability(ctx context.Context) (level postgres.Durability, detail string, err error) {
	err = s.tell(func(d database) (err error) {
		level, detail, err = d.Durability(ctx)
		return err
	})
	return level, detail, err
}

func (s *lateStore) Size(ctx context.Context) (int64, error) {
	return ask(s, func(d database) (int64, error) { return d.Size(ctx) })
}

// Close ends the attempts, and closes what they have opened.
func (s *lateStore) Close() error {
	s.stop()
	s.opening.Wait()
	if store, err := s.opened(); err == nil {
		return store.Close()
	}
	return nil
}
