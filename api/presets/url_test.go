package presets

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const base = "https://pb.example.com/KEY/postback"

func TestURL(t *testing.T) {
	for _, c := range []struct {
		name, id string
		want     []PostbackURL
	}{
		{"a network with a status macro has one URL", "affise", []PostbackURL{
			{URL: base + "?subid={sub1}&status={status}&payout={sum}&currency={currency}&tid={transactionid}"},
		}},
		{"one without has a URL for each event", "adcombo", []PostbackURL{
			{"Holds", "lead", base + "?subid={clickid}&status=lead&payout={revenue}&tid={trans_id}"},
			{"Leads", "sale", base + "?subid={clickid}&status=sale&payout={revenue}&tid={trans_id}"},
			{"Rejects", "rejected", base + "?subid={clickid}&status=rejected&payout={revenue}&tid={trans_id}"},
		}},
		{"macros are not encoded", "cake", []PostbackURL{
			{"Conversion", "sale", base + "?subid=#s2#&status=sale&payout=#price#&tid=#leadid#"},
		}},
		{"a currency that is always the same is written out", "wannads", []PostbackURL{
			{URL: base + "?subid={aff_sub}&status={status}&payout={payout}&currency=usd&tid={transaction_id}"},
		}},
		{"parameters that the network wants come last", "acornads", []PostbackURL{
			{"Successful conversion", "sale", base + "?subid={s1}&status=sale&tid={transaction_id}&amount={amount}"},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, ok := Builtin().Get(c.id)
			if !ok {
				t.Fatal("no such entry")
			}
			got, err := URL(e, base)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestATransactionIDThatIsNewWithEveryPostbackIsLeftOut(t *testing.T) {
	e := Entry{Postback: map[string]Fact{
		"subid": {Macro: "{s}"}, "status": {Macro: "{st}"}, "tid": {Macro: "{t}", Per: PerPostback},
		"sub_id_2": {Macro: "{g}"},
	}}
	got, err := URL(e, base)
	if err != nil || got[0].URL != base+"?subid={s}&status={st}&sub_id_2={g}" {
		t.Errorf("%v, %v", got, err)
	}
}

func TestURLRefuses(t *testing.T) {
	affise, _ := Builtin().Get("affise")
	peerclick, _ := Builtin().Get("peerclick")
	for _, c := range []struct {
		name, base string
		entry      Entry
	}{
		{"a base without a scheme", "pb.example.com/KEY/postback", affise},
		{"a base of another scheme", "ftp://pb.example.com/KEY/postback", affise},
		{"a base with a query", base + "?subid=1", affise},
		{"a base that ends in a question mark", base + "?", affise},
		{"a base with a fragment", base + "#x", affise},
		{"an entry without macros", base, peerclick},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, err := URL(c.entry, c.base); err == nil {
				t.Errorf("got %v", got)
			}
		})
	}
}
