package setup

import (
	"context"

	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/rollup"
)

// foldReports keeps the sums of reports up to date.
func (r *Receiver) foldReports(ctx context.Context) {
	rollup.New(rollup.Options{
		Store:  r.store,
		Holder: uuid.NewString(),
		Clock:  r.options.Clock,
		Logger: r.options.Logger,
		Lag:    r.metrics.ReportLag,
	}).Run(ctx)
}
