package sqlite

import (
	"database/sql/driver"

	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/paramtext"
)

const pendingColumns = "endpoint, subid, click, tid, slot_type, currency, to_currency"

// store writes the changes and reports whether there were any.
func (w *writer) store(c *ledger.Changes) (bool, error) {
	for _, write := range []func(*ledger.Changes) error{
		w.storeClicks, w.storeConversions, w.storeReceived, w.storeHeld, w.storePending, w.storeForwards,
	} {
		if err := write(c); err != nil {
			return false, err
		}
	}
	n := len(c.NewClicks) + len(c.UpdatedClicks) + len(c.Conversions) + len(c.History) + len(c.Received) + len(c.Settled) +
		len(c.Hold) + len(c.Release) + len(c.AwaitRate) + len(c.HaveRate) + len(c.Forwards)
	return n > 0, nil
}

// put executes s with the values of v, of which the endpoint's id is the first.
func put[T any](w *writer, s *statement, endpoint string, v T, values func(int64, T) []driver.Value) error {
	id, err := w.endpoint(endpoint)
	if err != nil {
		return err
	}
	return s.exec(values(id, v)...)
}

func (w *writer) storeClicks(c *ledger.Changes) error {
	for _, click := range c.NewClicks {
		if err := put(w, w.insertClick, click.Endpoint, click, clickValues); err != nil {
			return err
		}
	}
	for _, click := range c.UpdatedClicks {
		if err := put(w, w.updateClick, click.Endpoint, click, clickValues); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) storeConversions(c *ledger.Changes) error {
	for _, current := range c.Conversions {
		if err := put(w, w.upsertConversion, current.Endpoint, current, conversionValues); err != nil {
			return err
		}
	}
	for _, former := range c.History {
		if err := put(w, w.insertHistory, former.Endpoint, former, conversionValues); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) storeReceived(c *ledger.Changes) error {
	for i := range c.Received {
		p := &c.Received[i]
		if err := put(w, w.insertReceived, p.Endpoint, p, receivedValues); err != nil {
			return err
		}
	}
	for i := range c.Settled {
		p := &c.Settled[i]
		err := w.settleReceived.exec(string(p.Outcome), text(string(p.Reason)), text(paramtext.JoinWords(p.Warnings)), id(p.Conversion), p.ID[:])
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) storeHeld(c *ledger.Changes) error {
	for _, h := range c.Release {
		if err := w.deleteHeld.exec(h.Intent.RequestID[:]); err != nil {
			return err
		}
	}
	for _, h := range c.Hold {
		if err := put(w, w.insertHeld, h.Intent.Endpoint, h, heldValues); err != nil {
			return err
		}
	}
	return nil
}

func heldValues(endpoint int64, h ledger.HeldPostback) []driver.Value {
	return []driver.Value{
		endpoint, h.Intent.SubID, h.Intent.RequestID[:], h.Intent.Stamp, h.Until.UnixMicro(), encodeJSON(h.Intent),
	}
}

func (w *writer) storePending(c *ledger.Changes) error {
	for _, p := range c.HaveRate {
		if err := put(w, w.haveRate, p.Endpoint, p, pendingValues); err != nil {
			return err
		}
	}
	for _, p := range c.AwaitRate {
		if err := put(w, w.awaitRate, p.Endpoint, p, pendingValues); err != nil {
			return err
		}
	}
	return nil
}

func pendingValues(endpoint int64, p ledger.PendingRate) []driver.Value {
	return []driver.Value{endpoint, p.SubID, flag(p.Click), p.Slot.TID, p.Slot.Type, p.Currency, p.ToCurrency}
}

func (w *writer) storeForwards(c *ledger.Changes) error {
	for i := range c.Forwards {
		f := &c.Forwards[i]
		if err := put(w, w.insertForward, f.Conversion.Endpoint, f, outboxValues); err != nil {
			return err
		}
	}
	return nil
}
