package ledgertest_test

import (
	"context"
	"iter"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/money"
)

// faulty is a store with one fault.
type faulty struct {
	ledger.Store
	fault string
}

func (f faulty) Transact(ctx context.Context, want ledger.Want, decide func(*ledger.Book) *ledger.Changes) error {
	stale := (*ledger.Book)(nil)
	switch f.fault {
	case "commits after its context has ended":
		ctx = context.WithoutCancel(ctx)
	case "reads no held postbacks":
		want.Held = nil
	case "decides on a book that is stale":
		read := func(book *ledger.Book) *ledger.Changes { stale = book; return &ledger.Changes{} }
		if err := f.Store.Transact(ctx, want, read); err != nil {
			return err
		}
		time.Sleep(time.Millisecond) // on one processor, too, somebody else comes in between
	}
	return f.Store.Transact(ctx, want, func(book *ledger.Book) *ledger.Changes {
		switch {
		case stale != nil:
			book = stale
		case f.fault == "takes a placeholder for a click":
			for _, key := range want.Create {
				if book.Clicks[key] == nil {
					book.Clicks[key] = &conversion.Click{Endpoint: key.Endpoint, SubID: key.SubID}
				}
			}
		}
		return f.spoil(*decide(book))
	})
}

func (f faulty) spoil(changes ledger.Changes) *ledger.Changes {
	switch f.fault {
	case "writes no history":
		changes.History = nil
	case "writes no forwards":
		changes.Forwards = nil
	case "writes no received rows":
		changes.Received = nil
	case "updates no clicks":
		changes.UpdatedClicks = nil
	case "releases nothing":
		changes.Release = nil
	case "settles nothing":
		changes.Settled = nil
	case "forgets who waits for a rate":
		changes.AwaitRate = nil
	case "erases nothing":
		changes.Erase = nil
	case "keeps old clicks":
		changes.Expired = nil
	case "keeps those who have a rate":
		changes.HaveRate = nil
	}
	conversions := changes.Conversions
	changes.Conversions = nil
	for _, c := range conversions {
		spoiled := *c
		switch f.fault {
		case "keeps amounts as floats":
			rounded, _ := c.Payout.Original.Float64()
			spoiled.Payout.Original = decimal.NewFromFloat(rounded)
		case "keeps times in milliseconds":
			spoiled.UpdatedAt = c.UpdatedAt.Truncate(time.Millisecond)
		}
		changes.Conversions = append(changes.Conversions, &spoiled)
	}
	return &changes
}

func (f faulty) Conversions(ctx context.Context, filter ledger.ConversionFilter) iter.Seq2[*conversion.Conversion,
	error] {
	switch f.fault {
	case "ignores the cursor of conversions":
		filter.Before = uuid.Nil
	case "ignores the tid of conversions":
		filter.TID = nil
	case "excludes the first moment of conversions":
		if !filter.From.IsZero() {
			filter.From = filter.From.Add(time.Microsecond)
		}
	case "includes the last moment of conversions":
		if !filter.To.IsZero() {
			filter.To = filter.To.Add(time.Microsecond)
		}
	case "ignores the limit of conversions":
		filter.Limit = 0
	}
	return f.Store.Conversions(ctx, filter)
}

func (f faulty) Received(ctx context.Context, filter ledger.ReceivedFilter) iter.Seq2[ledger.Received, error] {
	switch f.fault {
	case "ignores the cursor of the received log":
		filter.Before = uuid.Nil
	case "ignores the reason of the received log":
		filter.Reason = ""
	case "ignores the outcome of the received log":
		filter.Outcome = ""
	}
	return f.Store.Received(ctx, filter)
}

func (f faulty) ExpiredHolds(ctx context.Context, now time.Time, limit int) ([]ledger.Key, error) {
	if f.fault == "expires holds too late" {
		now = now.Add(-time.Microsecond)
	}
	return f.Store.ExpiredHolds(ctx, now, limit)
}

func (f faulty) PendingRates(ctx context.Context, after *ledger.PendingRate, limit int) ([]ledger.PendingRate, error) {
	if f.fault == "pages pending rates from the start" {
		after = nil
	}
	return f.Store.PendingRates(ctx, after, limit)
}

func (f faulty) Lease(ctx context.Context, name, holder string, now, until time.Time) (bool, error) {
	switch f.fault {
	case "gives every holder the lease":
		name += holder
	case "has one lease only":
		name = "the one"
	case "does not let the holder renew":
		holder += now.String()
	}
	return f.Store.Lease(ctx, name, holder, now, until)
}

func (f faulty) SaveRates(ctx context.Context, set money.Set) error {
	if f.fault == "keeps one set of rates" {
		set.Source = "the one"
	}
	return f.Store.SaveRates(ctx, set)
}

func (f faulty) OldClicks(ctx context.Context, before time.Time, after *ledger.OldClick, limit int) ([]ledger.OldClick,
	error) {
	switch f.fault {
	case "takes young clicks for old":
		before = before.Add(time.Hour)
	case "pages old clicks from the start":
		after = nil
	}
	return f.Store.OldClicks(ctx, before, after, limit)
}

func (f faulty) Prune(ctx context.Context, received, history time.Time, limit int) (int, error) {
	switch f.fault {
	case "prunes too much of the received log":
		if !received.IsZero() {
			received = received.Add(time.Hour)
		}
	case "prunes no history":
		history = time.Time{}
	}
	return f.Store.Prune(ctx, received, history, limit)
}
