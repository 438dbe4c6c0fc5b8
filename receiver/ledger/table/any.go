package table

// Any is a table for those who copy rows and do not look into them: a row is a pointer to whatever the table's rows
// are.
type Any = Table[any]

// Kept are all tables whose rows cannot be made again from other tables, in the order in which they are copied. The
// sums of reports follow from clicks and conversions, and leases are nobody's who is not running.
func Kept() []Any {
	return []Any{
		whatever(Clicks), whatever(Conversions), whatever(History), whatever(Received), whatever(Held),
		whatever(PendingRates), whatever(Outbox), whatever(Rates), whatever(Operations), whatever(OperationRows),
	}
}

func whatever[R any](t Table[R]) Any {
	columns := make([]Column[any], len(t.Columns))
	for i, c := range t.Columns {
		columns[i] = Column[any]{
			Name:       c.Name,
			Type:       c.Type,
			Optional:   c.Optional,
			zeroIsNull: c.zeroIsNull,
			field:      func(row *any) any { return c.field((*row).(*R)) },
			target: func(row *any) any {
				if *row == nil {
					*row = new(R)
				}
				return c.Target((*row).(*R))
			},
		}
	}
	return Any{Name: t.Name, Columns: columns}
}

// Has reports whether the table has a column.
func (t Table[R]) Has(name string) bool {
	for _, c := range t.Columns {
		if c.Name == name {
			return true
		}
	}
	return false
}
