package acceptance

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// signed is a postback with its HMAC, by the secret of a scenario, over what goes before the query, and the query.
func signed(before, query string) string { return query + "&sig=" + sign("first-secret", before+query) }

// unix is a time as signers write it, that long after the scenario's begin.
func unix(d time.Duration) string { return fmt.Sprint(epoch.Add(d).Unix()) }

// TestSignedTimesAndEndpoints goes through docs/endpoint.md, "Access".
func TestSignedTimesAndEndpoints(t *testing.T) {
	const secrets = `"parameter":"sig","secrets":[{"id":"s1","value":"first-secret"}]`
	const expired, invalid = "refused; reason=signature_expired", "refused; reason=signature_invalid"
	sale := func(tid string, ts string) string { return "subid=c1&status=sale&tid=" + tid + "&ts=" + ts }
	play(t, []scenario{
		{
			name:   "a signature is good for a while only",
			config: `{"access":{"hmac":{` + secrets + `,"maxAge":"5m0s","timeParameter":"ts"}}}`,
			steps: []step{
				get(signed("", sale("1", unix(0))), "recorded"),
				get(signed("", sale("2", "2026-03-01T13:00:30%2B01:00")), "recorded"),
				get(signed("", sale("3", unix(2*time.Minute))), expired),
				get(signed("", "subid=c1&status=sale&tid=4"), expired),
				get(sale("5", unix(0))+"&sig=00", invalid),
				clock(5*time.Minute + time.Second),
				get(signed("", sale("1", unix(0))), expired),
				// The same conversion, signed again, says nothing new.
				get(signed("", sale("1", unix(5*time.Minute))), "duplicate"),
			},
			slots: []string{`"1": sale 0, map[ts:1772366400]`, `"2": sale 0, map[ts:2026-03-01T13:00:30+01:00]`},
		},
		{
			name:   "a signature is good at one endpoint only",
			config: `{"access":{"hmac":{` + secrets + `,"signs":"EndpointAndRequest"}}}`,
			steps: []step{
				get(signed("", "subid=c1&status=sale&tid=1"), invalid),
				get(signed("default/e000\n", "subid=c1&status=sale&tid=1"), invalid),
				get(signed("default/e001\n", "subid=c1&status=sale&tid=1"), "recorded"),
				request{method: http.MethodPost, query: "tid=2&sig=" +
					sign("first-secret", "default/e001\ntid=2\nsubid=c1&status=sale"),
					contentType: form, body: "subid=c1&status=sale", outcome: "recorded"},
			},
			slots: []string{`"1": sale 0`, `"2": sale 0`},
		},
	})
}

// TestASignatureAddsUpOnce goes through docs/endpoint.md, "Access": what was signed once is not added twice.
func TestASignatureAddsUpOnce(t *testing.T) {
	const hmac = `"access":{"hmac":{"parameter":"sig","secrets":[{"id":"s1","value":"first-secret"}]}}`
	add := func(tid, ts string) string { return signed("", "subid=c1&status=sale&payout=5&tid="+tid+"&n="+ts) }
	play(t, []scenario{
		{
			name:   "where payouts add up",
			config: `{"policies":{"missingStatus":"Ignore","unknownStatus":"Ignore","unknownClick":"Ignore","repeat":"Add","slot":"Tid","transitions":"Any"},` + hmac + `}`,
			steps: []step{
				get(add("1", "1"), "recorded"),
				get(add("1", "1"), "duplicate"),
				get(add("1", "2"), "recorded"),
				get(add("1", "1"), "duplicate"),
			},
			slots: []string{`"1": sale 10, was sale, map[n:2]`},
		},
		{
			name:   "where the payouts of sales add up",
			config: `{"policies":{"missingStatus":"Ignore","unknownStatus":"Ignore","unknownClick":"Ignore","repeat":"Overwrite","repeatByType":{"sale":"Add"},"slot":"Tid","transitions":"Any"},` + hmac + `}`,
			steps: []step{
				get(add("1", "1"), "recorded"),
				get(add("1", "1"), "duplicate"),
			},
			slots: []string{`"1": sale 5, map[n:1]`},
		},
		{
			name:   "elsewhere a copy may come back, and says what is so already or is overwritten again",
			config: `{` + hmac + `}`,
			steps: []step{
				get(signed("", "subid=c1&status=lead"), "recorded"),
				get(signed("", "subid=c1&status=sale"), "recorded"),
				get(signed("", "subid=c1&status=lead"), "recorded"),
			},
			slots: []string{`"": lead 0, was sale, warns overwrote_other_type`},
		},
	})
}
