package request_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postback-dev/postback-operator/receiver/request"
)

// shopNames are names as an endpoint knows them: canonical ones, and aliases on top.
var shopNames = request.NewNames(
	request.NewNames(nil, map[string]int{
		"subid": 0, "sub_id": 0, "status": 1, "payout": 2, "revenue": 2, "currency": 3, "tid": 4, "from": 5,
		"registration_status": 6, "sub_id_3": 7,
	}),
	map[string]int{"clickid": 0, "amount": 2, "data.subid": 0, "payment.amount": 2, "OrderID": 4, "copy_id": 5},
)

// written lists what was read, in the order of names; a body's parameters behind the query's.
func written(p request.Parsed) string {
	var all []string
	for _, v := range p.Values {
		where := ""
		if v.InBody {
			where = "~"
		}
		all = append(all, where+v.Name+"="+v.Value)
	}
	slices.Sort(all)
	for _, w := range p.Warnings {
		all = append(all, "!"+string(w))
	}
	return strings.Join(all, " ")
}

func TestRepair(t *testing.T) {
	for _, c := range []struct{ name, raw, body, want string }{
		{"clean", "subid=X&status=lead", "", "status=lead subid=X"},
		{"an unknown name stays", "subid=X&stat=lead", "", "stat=lead subid=X"},
		{"an unknown name with HTML's characters stays", "subid=X&a=1%C2%A4b=2", "", "a=1¤b=2 subid=X"},

		{"letter case", "SubID=X&STATUS=rejected", "", "status=rejected subid=X !request_repaired"},
		{"letter case of an alias", "ClickID=X&orderid=7", "", "OrderID=7 clickid=X !request_repaired"},
		{"a space behind", "subid=X&status%20=rejected", "", "status=rejected subid=X !request_repaired"},
		{"a space before, a no-break one behind", "+subid%C2%A0=X", "", "subid=X !request_repaired"},
		{"a byte order mark", "%EF%BB%BFsubid=X", "", "subid=X !request_repaired"},
		{"an HTML ampersand", "subid=X&amp;status=sale&amp;payout=10", "", "payout=10 status=sale subid=X !request_repaired"},
		{"an HTML ampersand that was escaped twice", "subid=X&amp;amp;status=sale", "",
			"status=sale subid=X !request_repaired"},
		{"brackets behind", "subid=X&status[]=sale&sub_id_3%5B%5D=a", "", "status=sale sub_id_3=a subid=X !request_repaired"},
		{"several at once", "subid=X&amp;+Status[]+=sale", "", "status=sale subid=X !request_repaired"},

		{"a second question mark", "from=net?subid=X&status=rejected", "",
			"from=net status=rejected subid=X !request_repaired"},
		{"two question marks at the start", "?subid=X&status=sale", "", "status=sale subid=X !request_repaired"},
		{"several question marks", "from=net?subid=X?status=sale?payout=1", "",
			"from=net payout=1 status=sale subid=X !request_repaired"},
		{"a question mark before a broken name", "from=net?SUBID=X", "", "from=net subid=X !request_repaired"},
		{"a question mark before an unknown name", "from=net?x=1&subid=X", "", "from=net?x=1 subid=X"},
		{"a question mark before a known name without a value", "from=net?subid&status=sale", "",
			"from=net?subid status=sale"},
		{"an address with its own query", "subid=X&url=https://a.example/?b=1", "", "subid=X url=https://a.example/?b=1"},
		{"an address that names what is given", "subid=X&url=https://a.example/?subid=Y", "",
			"subid=X url=https://a.example/?subid=Y"},

		{"a currency sign, raw", "subid=X&payout=10¤cy=eur", "", "currency=eur payout=10 subid=X !request_repaired"},
		{"a currency sign, encoded", "subid=X&payout=10%C2%A4cy=eur", "", "currency=eur payout=10 subid=X !request_repaired"},
		{"a currency sign, encoded in small letters", "subid=X&payout=10%c2%a4cy=eur", "",
			"currency=eur payout=10 subid=X !request_repaired"},
		{"a currency sign in one byte", "subid=X&payout=10%A4cy=eur", "", "currency=eur payout=10 subid=X !request_repaired"},
		{"a currency sign in one raw byte", "subid=X&payout=10\xa4cy=eur&tid=2", "",
			"currency=eur payout=10 subid=X tid=2 !request_repaired"},
		{"a currency sign at the start", "¤cy=eur&subid=X", "", "currency=eur subid=X !request_repaired"},
		{"a registered sign", "subid=X&status=new®istration_status=new", "",
			"registration_status=new status=new subid=X !request_repaired"},
		{"a copyright sign of an alias", "subid=X©_id=7", "", "copy_id=7 subid=X !request_repaired"},
		{"a currency sign in mixed letters", "subid=X&payout=10%c2%A4Cy=eur", "",
			"currency=eur payout=10 subid=X !request_repaired"},
		{"an entity that is spelled out", "subid=X&payout=10&curren;cy=eur", "",
			"currency=eur payout=10 subid=X !request_repaired"},
		{"an entity that is spelled out and escaped", "subid=X&amp;curren%3Bcy=eur", "",
			"currency=eur subid=X !request_repaired"},
		{"an entity by its number", "subid=X&%23164;cy[]=eur", "", "currency=eur subid=X !request_repaired"},
		{"an ampersand by its number", "subid=X&%2338;status=sale", "", "status=sale subid=X !request_repaired"},
		{"an entity of an unknown name", "subid=X&curren;t=1", "", "curren;t=1 subid=X"},
		{"a question mark in a broken escape", "from=100%4?subid=X", "", "from=100%4 subid=X !request_repaired"},
		{"two signs in one pair", "payout=10¤cy=eur®istration_status=new", "",
			"currency=eur payout=10 registration_status=new !request_repaired"},
		{"a letter whose bytes look like a sign", "subid=X&payout=1\u0424cy=eur", "", "payout=1\u0424cy=eur subid=X"},
		{"such a letter, encoded", "subid=X&from=%D0%A4cy=eur", "", "from=\u0424cy=eur subid=X"},
		{"a sign that belongs to a value", "subid=X&from=10¤", "", "from=10¤ subid=X"},

		{"what is given does not keep what is hidden behind it", "subid=X&url=https://a.example/?subid=Y¤cy=eur?tid=7", "",
			"currency=eur subid=X tid=7 url=https://a.example/?subid=Y !request_repaired"},
		{"the exact name goes first", "subid=X&status=lead&STATUS=rejected", "", "STATUS=rejected status=lead subid=X"},
		{"another name of the field goes first", "clickid=X&SUBID=Y", "", "SUBID=Y clickid=X"},
		{"a macro does not", "status={status}&STATUS=rejected", "", "status=rejected !request_repaired"},
		{"an exact name in the body does not", "STATUS=lead", "status=sale", "status=lead ~status=sale !request_repaired"},
		{"a broken name in the body is weaker", "status=lead", "STATUS=sale", "status=lead ~STATUS=sale"},
		{"a form's broken names", "", "SUBID=X&amp;status=sale?payout=1",
			"~payout=1 ~status=sale ~subid=X !request_repaired"},
		{"JSON's broken names", "", `{"SubId":"X","data":{"Subid":"Y"}}`, "~data.subid=Y ~subid=X !request_repaired"},
		{"JSON paths that are aliases", "", `{"data":{"subid":"X"},"payment":{"amount":5}}`,
			"~data.subid=X ~payment.amount=5"},
		{"bracket names that are aliases", "", "data[subid]=X&payment[amount]=5", "~data.subid=X ~payment.amount=5"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := request.Parse(&request.Request{RawQuery: c.raw, Body: []byte(c.body)}, shopNames, nil)
			if err != nil || got.BodyError != nil {
				t.Fatal(err, got.BodyError)
			}
			if diff := cmp.Diff(c.want, written(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
