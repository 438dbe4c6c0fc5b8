package ledger

import "github.com/postback-dev/postback-operator/receiver/report"

// reportChanges returns what the batch changes in clicks and conversions, endpoint by endpoint.
func (s *batchState) reportChanges() []ReportChanges {
	byEndpoint := map[string]*report.Changes{}
	var rows []ReportChanges
	of := func(k Key) *report.Changes {
		if byEndpoint[k.Endpoint] == nil {
			byEndpoint[k.Endpoint] = &report.Changes{}
			rows = append(rows, ReportChanges{Key: Key{Bucket: k.Bucket, Endpoint: k.Endpoint}, At: s.now})
		}
		return byEndpoint[k.Endpoint]
	}
	for _, e := range s.touched {
		of(e.key).Click(e.before, e.now)
	}
	for _, e := range s.written {
		of(e.slot.Key).Conversion(e.before, e.now)
	}
	changed := rows[:0]
	for _, row := range rows {
		if data := byEndpoint[row.Endpoint].Encode(); data != nil {
			row.ID, row.Changes = s.opt.NewID(), string(data)
			changed = append(changed, row)
		}
	}
	return changed
}
