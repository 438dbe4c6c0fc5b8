package setup

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/money"
	"github.com/postback-dev/postback-operator/receiver/operation"
)

// Erase has the store that the options name forget what is known of a person, as a receiver does that is asked for it,
// and returns what was erased. Receivers that have a database open may do the work.
func Erase(ctx context.Context, o Options, what ledger.Selection, note string) (erased ledger.Erasure, err error) {
	store, lanes, err := o.openStore(ctx)
	if err != nil {
		return erased, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	book := ledger.New(store, ledger.Options{Lanes: lanes, Logger: o.Logger})
	defer func() { err = errors.Join(err, book.Close(ctx)) }()
	operator := operation.New(operation.Options{
		Store:     store,
		Ledger:    book,
		Endpoints: func() *endpoint.Snapshot { return &endpoint.Snapshot{} },
		Rates:     func() *money.Table { return nil },
		Resent:    func([]string) {},
		Holder:    uuid.NewString(),
		Logger:    o.Logger,
		Clock:     time.Now,
	})
	op, _, err := operator.Create(ctx, operation.Request{
		Kind: operation.KindErase, Endpoint: what.Endpoint, Actor: "receiver erase", Note: note, Erase: what,
	})
	if err != nil {
		return erased, err
	}
	if op, err = operator.Await(ctx, op.ID); err != nil {
		return erased, err
	}
	if op.State != ledger.OperationDone {
		return erased, errors.New("the erasure is " + string(op.State) + ": " + op.Error)
	}
	counts, err := operation.CountsOf(&op)
	if err == nil && counts.Erased != nil {
		erased = *counts.Erased
	}
	return erased, err
}
