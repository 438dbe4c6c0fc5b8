package ledgertest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/ledgertest"
	"github.com/postback-dev/postback-operator/receiver/ledger/sqlite"
)

// faultVariable names the fault that the store under TestSuite has.
const faultVariable = "LEDGERTEST_FAULT"

// TestSuite runs the suite on a good engine, or, in a process that TestFaultsAreFound started, on a faulty one.
func TestSuite(t *testing.T) {
	fault := os.Getenv(faultVariable)
	ledgertest.Run(t, ledgertest.Engine{
		Place: func(t *testing.T) func() (ledger.Store, error) {
			path := filepath.Join(t.TempDir(), "ledger.db")
			return func() (ledger.Store, error) {
				store, err := sqlite.Open(t.Context(), path, sqlite.Options{})
				if err != nil || fault == "" {
					return store, err
				}
				return faulty{Store: store, fault: fault}, nil
			}
		},
	})
}

// TestFaultsAreFound runs the test that must find a fault on a store that has it, in a process of its own, because a
// failing test cannot be taken back.
func TestFaultsAreFound(t *testing.T) {
	for fault, foundBy := range map[string]string{
		"decides on a book that is stale":          "concurrent batches leave the books in order",
		"commits after its context has ended":      "a batch whose context has ended writes nothing",
		"reads no held postbacks":                  "held postbacks wait with their slots",
		"takes a placeholder for a click":          "a placeholder is no click",
		"writes no history":                        "history tells every version in order",
		"writes no forwards":                       "a full batch fits",
		"writes no received rows":                  "the received log comes back as it was",
		"updates no clicks":                        "a click comes back as it was",
		"releases nothing":                         "held postbacks wait with their slots",
		"settles nothing":                          "held postbacks are settled in the received log",
		"forgets who waits for a rate":             "what waits for a rate is paged through",
		"keeps those who have a rate":              "what waits for a rate is paged through",
		"pages pending rates from the start":       "what waits for a rate is paged through",
		"keeps amounts as floats":                  "a conversion comes back as it was",
		"keeps times in milliseconds":              "a conversion comes back as it was",
		"expires holds too late":                   "holds expire",
		"ignores the cursor of conversions":        "conversions are filtered and paged through",
		"ignores the tid of conversions":           "conversions are filtered and paged through",
		"excludes the first moment of conversions": "conversions are filtered and paged through",
		"includes the last moment of conversions":  "conversions are filtered and paged through",
		"ignores the limit of conversions":         "conversions are filtered and paged through",
		"ignores the cursor of the received log":   "the received log is filtered and paged through",
		"ignores the reason of the received log":   "the received log is filtered and paged through",
		"ignores the outcome of the received log":  "the received log is filtered and paged through",
		"gives every holder the lease":             "a lease that is raced for has one holder",
		"has one lease only":                       "a lease has one holder",
		"does not let the holder renew":            "a lease has one holder",
		"keeps one set of rates":                   "rates are kept by source",
		"prunes too much of the received log":      "pruning takes the old and nothing else",
		"takes young clicks for old":               "old clicks are found and deleted, except those with a conversion",
		"pages old clicks from the start":          "old clicks are found and deleted, except those with a conversion",
		"erases nothing":                           "what is erased is gone from each table, and nothing else",
		"keeps old clicks":                         "old clicks are found and deleted, except those with a conversion",
		"prunes no history":                        "pruning takes the old and nothing else",

		"claims what is not due":                           "an S2S postback has one sender, until its lease ends",
		"claims without a lease":                           "an S2S postback has one sender, until its lease ends",
		"claims more than there is room for":               "claims are for hosts that have room",
		"says that nothing was examined":                   "claims are for hosts that have room",
		"marks nothing as sent":                            "an S2S postback comes back as it was",
		"forgets the attempts":                             "an S2S postback comes back as it was",
		"retries at once":                                  "a retry comes when it is due, and has its host",
		"ignores the rule of S2S postbacks":                "the outbox is filtered and paged through",
		"ignores the state of S2S postbacks":               "the outbox is filtered and paged through",
		"ignores the cursor of S2S postbacks":              "the outbox is filtered and paged through",
		"says that it sends what is delivered again":       "what has failed can be sent again, and nothing else",
		"forgets which operation has sent something again": "what has failed can be sent again, and nothing else",
		"does not count what has failed":                   "the outbox is counted",
		"does not revive S2S postbacks":                    "what a clock that was ahead has put off is not stuck",
		"prunes too much of the outbox":                    "pruning takes old S2S postbacks that have ended",
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			test := "^TestSuite$/^" + regexp.QuoteMeta(strings.ReplaceAll(foundBy, " ", "_")) + "$"
			child := exec.CommandContext(t.Context(), os.Args[0], "-test.run", test, "-test.v")
			child.Env = append(os.Environ(), faultVariable+"="+fault)
			output, err := child.CombinedOutput()
			if err == nil || !strings.Contains(string(output), "--- FAIL: TestSuite/") {
				t.Errorf("%q does not find it: %v\n%s", foundBy, err, output)
			}
		})
	}
}
