package postgres

import (
	"slices"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/paramtext"
)

// clickRow is a click, or the placeholder of one.
type clickRow struct {
	keyRow
	Present                 bool
	Time                    pgtype.Timestamptz
	Campaign, IP, UserAgent string
	Params                  []byte
	VisitorFields           string
	Cost                    amountRow
}

var clickColumns = slices.Concat(
	within(func(r *clickRow) *keyRow { return &r.keyRow }, keyColumns),
	[]column[clickRow]{
		col("present", "boolean", func(r *clickRow) *bool { return &r.Present }),
		col("click_time", "timestamptz", func(r *clickRow) *pgtype.Timestamptz { return &r.Time }),
		col("campaign", "text", func(r *clickRow) *string { return &r.Campaign }),
		col("ip", "text", func(r *clickRow) *string { return &r.IP }),
		col("user_agent", "text", func(r *clickRow) *string { return &r.UserAgent }),
		col("params", "json", func(r *clickRow) *[]byte { return &r.Params }),
		col("visitor_fields", "text", func(r *clickRow) *string { return &r.VisitorFields }),
	},
	within(func(r *clickRow) *amountRow { return &r.Cost }, amountColumns("cost")),
)

func clickRowOf(c *conversion.Click) clickRow {
	return clickRow{
		keyRow: keyRowOf(ledger.KeyOf(c.Endpoint, c.SubID)), Present: true,
		Time: timeOf(c.Time), Campaign: c.Campaign, IP: c.IP, UserAgent: c.UserAgent,
		Params: paramtext.Encode(c.Params), VisitorFields: paramtext.JoinWords(c.VisitorFields), Cost: amountRowOf(c.Cost),
	}
}

func (r *clickRow) click() (*conversion.Click, error) {
	params, err := paramsFrom(r.Params)
	return &conversion.Click{
		Endpoint: r.Endpoint, SubID: r.SubID, Time: timeFrom(r.Time),
		Campaign: r.Campaign, IP: r.IP, UserAgent: r.UserAgent, Params: params,
		VisitorFields: paramtext.SplitWords[string](r.VisitorFields), Cost: r.Cost.amount(),
	}, err
}
