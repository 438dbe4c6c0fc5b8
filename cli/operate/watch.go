package operate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/cli/output"
)

const (
	// firstLook is how long an operation is left alone before it is looked at, lookEvery the longest time between looks.
	firstLook = 50 * time.Millisecond
	lookEvery = time.Second
	// barWidth is the width of a progress bar, in columns.
	barWidth = 30
)

// watch waits until an operation has ended. A failed one is an error. If the wait ends early, the operation goes on.
func (w *work) watch(ctx context.Context, op read.Operation) (read.Operation, error) {
	bar := bar{w: w, shown: output.IsTerminal(w.cmd.ErrOrStderr())}
	defer bar.clear()
	for wait := firstLook; op.State == running; wait = min(2*wait, lookEvery) {
		bar.draw(op)
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		next, err := w.receiver.Operation(ctx, op.ID)
		if err != nil {
			return op, errors.Join(err, fmt.Errorf("it goes on without you: kubectl postback operations watch %s %s",
				w.endpoint, op.ID))
		}
		op = next
	}
	if op.State == failed {
		return op, fmt.Errorf("the operation %s has failed: %s", op.ID, output.Or(op.Error))
	}
	return op, nil
}

// bar is the progress of an operation, on a terminal.
type bar struct {
	w     *work
	shown bool
	drawn bool
}

func (b *bar) draw(op read.Operation) {
	if !b.shown {
		return
	}
	b.drawn = true
	_ = output.Notes(b.w.cmd, "\r"+progress(op)) // What it did is printed at the end.
}

// clear removes the bar: what follows stands in its place.
func (b *bar) clear() {
	if b.drawn {
		_ = output.Notes(b.w.cmd, "\r\x1b[K")
	}
}

// progress is a bar with the rows that are done.
func progress(op read.Operation) string {
	if op.Total == nil || *op.Total == 0 {
		return "selecting rows …"
	}
	full := min(op.Done*barWidth / *op.Total, barWidth)
	return fmt.Sprintf("[%s%s] %d of %d rows", strings.Repeat("#", full), strings.Repeat(".", barWidth-full), op.Done,
		*op.Total)
}
