package operation

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// Difference is a row that would come out otherwise than its dry run said.
type Difference struct{ Then, Now ledger.OperationRow }

// maxDifferences bounds how many are told.
const maxDifferences = 100

// Start makes a dry run a real one if all of its rows would still come out as it said; otherwise it returns those that
// would not, the first ones of them, and how many there are. The error is a [StateError], an [Invalid], or the store's.
func (o *Operator) Start(ctx context.Context, id uuid.UUID) (op ledger.Operation, differ []Difference, total int,
	err error) {
	if op, err = o.Store.Operation(ctx, id); err != nil {
		return op, nil, 0, err
	}
	if op.State != ledger.OperationTried {
		return op, nil, 0, StateError("only a dry run that has ended can be run: this operation is " + string(op.State))
	}
	revision := op.Revision
	trial := op
	j, err := o.open(&trial)
	if err != nil {
		return op, nil, 0, err
	}
	for {
		then, err := j.next(ctx)
		if err != nil {
			return op, nil, 0, err
		}
		if len(then) == 0 {
			break
		}
		now := append([]ledger.OperationRow(nil), then...)
		if err := j.kind.apply(ctx, j, now); err != nil {
			return op, nil, 0, err
		}
		for i := range now {
			if then[i].Outcome == now[i].Outcome && then[i].Reason == now[i].Reason &&
				bytes.Equal(compact(then[i].Result), compact(now[i].Result)) {
				continue
			}
			if total++; len(differ) < maxDifferences {
				differ = append(differ, Difference{then[i], now[i]})
			}
		}
		trial.Cursor = then[len(then)-1].Number
	}
	if total > 0 {
		return op, differ, total, nil
	}
	op.DryRun, op.State, op.Started, op.Ended = false, ledger.OperationRunning, o.now(), time.Time{}
	op.Cursor, op.Counts, op.Revision = 0, nil, revision
	saved, err := o.save(ctx, &op, nil)
	if err == nil && !saved {
		err = StateError("somebody else has just run or cancelled this operation")
	}
	o.ask()
	return op, nil, 0, err
}

// compact is JSON without the space that a store may add.
func compact(text json.RawMessage) []byte {
	var b bytes.Buffer
	if json.Compact(&b, text) != nil {
		return text
	}
	return b.Bytes()
}
