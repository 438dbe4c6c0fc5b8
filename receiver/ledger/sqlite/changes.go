package sqlite

import (
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/table"
)

// store writes the changes and reports whether there were any.
func (w *writer) store(c *ledger.Changes) (bool, error) {
	for _, write := range []func(*ledger.Changes) error{
		w.storeClicks, w.storeConversions, w.storeReceived, w.storeHeld, w.storePending, w.storeForwards,
		w.expireClicks, w.removeTests, w.storeErasures,
	} {
		if err := write(c); err != nil {
			return false, err
		}
	}
	n := len(c.NewClicks) + len(c.UpdatedClicks) + len(c.Conversions) + len(c.History) + len(c.Received) + len(c.Settled) +
		len(c.Hold) + len(c.Release) + len(c.AwaitRate) + len(c.HaveRate) + len(c.Forwards) + len(c.Expired) +
		len(c.Tests) + len(c.Erase)
	return n > 0, nil
}

// putAll executes s once for each row.
func putAll[R any](w *writer, s *statement, columns []table.Column[R], rows []R) error {
	for i := range rows {
		if err := put(w, s, columns, &rows[i]); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) storeClicks(c *ledger.Changes) error {
	for _, click := range c.NewClicks {
		if err := put(w, w.insertClick, table.Clicks.Columns, click); err != nil {
			return err
		}
	}
	for _, click := range c.UpdatedClicks {
		if err := put(w, w.updateClick, table.Clicks.Columns, click); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) storeConversions(c *ledger.Changes) error {
	for _, current := range c.Conversions {
		if err := put(w, w.upsertConversion, table.Conversions.Columns, current); err != nil {
			return err
		}
	}
	for _, previous := range c.History {
		if err := put(w, w.insertHistory, table.History.Columns, previous); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) storeReceived(c *ledger.Changes) error {
	if err := putAll(w, w.insertReports, table.ReportChanges.Columns, c.Reports); err != nil {
		return err
	}
	if err := putAll(w, w.insertReceived, table.Received.Columns, c.Received); err != nil {
		return err
	}
	return putAll(w, w.settleReceived, settledColumns, c.Settled)
}

func (w *writer) storeHeld(c *ledger.Changes) error {
	for _, h := range c.Release {
		if err := w.deleteHeld.exec(h.Intent.RequestID[:]); err != nil {
			return err
		}
	}
	return putAll(w, w.insertHeld, table.Held.Columns, c.Hold)
}

func (w *writer) storePending(c *ledger.Changes) error {
	if err := putAll(w, w.haveRate, table.PendingRates.Columns, c.HaveRate); err != nil {
		return err
	}
	return putAll(w, w.awaitRate, table.PendingRates.Columns, c.AwaitRate)
}

func (w *writer) storeErasures(c *ledger.Changes) error {
	for _, of := range c.Erase {
		if err := w.erase(of); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) storeForwards(c *ledger.Changes) error {
	for i := range c.Forwards {
		row := c.Forwards[i].Row()
		if err := put(w, w.insertForward, table.Outbox.Columns, &row); err != nil {
			return err
		}
	}
	return nil
}
