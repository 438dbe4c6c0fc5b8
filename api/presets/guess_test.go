package presets

import (
	"strings"
	"testing"
)

func TestGuess(t *testing.T) {
	for _, c := range []struct{ name, url, want string }{
		{"macros of a platform", "https://t.example/1/postback?subid={sub1}&payout={sum}&status={status}", "affise"},
		{"the macros of a network on no platform", "https://t.example/pb?c={clickid}&p={revenue}&t={trans_id}", "adcombo"},
		{"brackets that one sender uses", "https://t.example/pb?c=#s3#&x=#oid#", "cake"},
		{"three square brackets", "https://t.example/pb?order=[[[order_sum]]]", "admitad"},
		{"exclamation marks", "https://t.example/pb?x=!!!merchantId!!!", "awin"},
		{"one square bracket", "https://t.example/pb?x=[program_id]", "mylead"},
		{"%-encoded by a messenger", "https://t.example/pb?c=%7Bymid%7D&p=%7Bamount%7D", "zeydoo"},
		{"the host of an offer link", "https://demo.go2cloud.org/aff_c?offer_id=1001&aff_id=2002", "tune"},
		{"a host below it in capitals", "https://COMPANY.Scaletrk.com/click?o=16&a=1", "scaleo"},
		{"a platform comes before the networks that share its macros", "https://t.example/?c={aff_sub}", "tune"},
		{"the host of a traffic source", "https://trc.taboola.com/actions-handler/log/3/s2s-action?click-id=x", "taboola"},
		{"no address at all", "subid={stage}&sum={cash}", "altercpa"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Builtin().Guess(c.url)
			if len(got) == 0 || got[0].ID != c.want {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestGuessSaysNothingWithoutASign(t *testing.T) {
	for _, c := range []struct{ name, url string }{
		{"nothing", ""},
		{"no macros", "https://t.example/KEY/postback?subid=c1&status=sale"},
		{"macros that everybody has", "https://t.example/pb?status={status}&payout={payout}&currency={currency}"},
		{"a host that only ends like a known one", "https://notzeydoo.com/link?z=1"},
		{"a broken address", "https://[::1/?x=1"},
		{"a broken encoding", "https://t.example/%zz"},
		{"endless text", strings.Repeat("{", 1<<20)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Builtin().Guess(c.url); len(got) != 0 {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestGuessSaysWhy(t *testing.T) {
	got := Builtin().Guess("https://x.digistore24.com/?a={cid}&b={amount_affiliate}&c={nobody}")[0]
	if got.ID != "digistore24" || got.Host != "digistore24.com" ||
		strings.Join(got.Macros, " ") != "{cid} {amount_affiliate}" {
		t.Errorf("got %+v", got)
	}
	if got := Builtin().Guess("x=[[[subid]]]")[0]; got.Brackets != "[[[ ]]]" {
		t.Errorf("got %+v", got)
	}
}

// Each sender's own URL is recognised as its own, or as one whose signs it shares.
func TestTheURLOfAnEntryIsGuessed(t *testing.T) {
	shared := map[string]string{ // its macros are everybody's, or have the signs of the other one
		"acornads": "", "everflow": "", "microjoblab": "", "playtimeads": "", "posh-partners": "", "prodege-leads": "",
		"indoleads": "trackier", "postback": "keitaro", "scaleo": "tune", "trackxpay": "tune", "voluum": "binom",
		"wannads": "tune",
	}
	for _, e := range Builtin().List() {
		urls, err := URL(e, base)
		if err != nil {
			continue
		}
		want, known := shared[e.ID]
		if !known {
			want = e.ID
		}
		got := ""
		if guesses := Builtin().Guess(urls[0].URL); len(guesses) > 0 {
			got = guesses[0].ID
		}
		if got != want {
			t.Errorf("%s: guessed %q for %s", e.ID, got, urls[0].URL)
		}
	}
}

func FuzzGuess(f *testing.F) {
	f.Add("https://t.example/pb?c={{x}}&p=[[[y]]]&z=#a#b#")
	f.Fuzz(func(t *testing.T, text string) {
		for _, g := range Builtin().Guess(text) {
			if g.Score < scoreBrackets || g.ID == "" {
				t.Errorf("%+v", g)
			}
		}
	})
}
