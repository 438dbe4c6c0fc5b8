package postback_test

import (
	"testing"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/postback"
	"github.com/postback-dev/postback-operator/receiver/request"
)

func BenchmarkParseAndJudge(b *testing.B) {
	ep := compile(b, func(e *config.Endpoint) {
		e.Aliases = map[string][]string{"subid": {"clickid"}, "status": {"type"}}
		e.Training = []config.TrainingRule{rule("sale", "approved"), rule("rejected", "declined")}
	})
	table, at := rates(), arrival()
	const typical = "clickid=2o8ql1kqv3f4&type=hold&payout=12.50&tid=9912345&lead_status=new,hold&sale_status=approved" +
		"&sub_id_1=creo%207&sub_id_2=de&keyword=shoes&offer=77&from=net"
	for _, c := range []struct{ name, query string }{
		{"Plain", "subid=2o8ql1kqv3f4&status=sale&payout=12.50&tid=9912345"},
		{"Typical", typical},
		{"OtherCurrency", typical + "&currency=eur"},
		{"Ignored", "subid={subid}&status=sale&payout=12.50&tid=9912345"},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				said, err := postback.Read(ep, &request.Request{RawQuery: c.query})
				if err != nil {
					b.Fatal(err)
				}
				if v := postback.Judge(ep, said, at, table); v.Intent == nil && v.Reason == "" {
					b.Fatal("no verdict")
				}
			}
		})
	}
}
