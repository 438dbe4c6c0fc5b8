package operation

import (
	"context"
	"time"
)

// Turn works off what is running once, as fast as it can.
func Turn(ctx context.Context, o *Operator) error {
	o.rowsPerSecond = 1 << 20
	pruned := time.Now()
	return o.turn(ctx, &pruned)
}
