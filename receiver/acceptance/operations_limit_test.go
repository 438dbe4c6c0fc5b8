package acceptance

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/operation"
)

// importMemory bounds what receiver and test together allocate while an import of the most lines is asked for.
const importMemory = 256 << 20

// lines is a text of Keitaro's columns: subid, payout, tid and status.
func lines(n int) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "c%d,1.5,t%d,lead\n", i, i)
	}
	return text.String()
}

// TestAnImportHasAtMost100000Lines asks for as many, with a header and without, and for one more. Working them off
// takes minutes, at 500 a second: what is accepted is cancelled.
func TestAnImportHasAtMost100000Lines(t *testing.T) {
	if operation.MaxRows != 100_000 {
		t.Fatalf("%d rows", operation.MaxRows)
	}
	const header = "subid,payout,tid,status\n"
	most := lines(operation.MaxRows)
	guarded(t, []string{""}, func(t *testing.T, r *rig) {
		s := sceneOf(r, 0)
		asked := read.NewOperation{Kind: "import", Endpoint: s.endpoint, Note: "n"}
		for _, text := range []string{most, header + most} {
			asked.Text = text + "one,more,line,lead\n"
			status, answer := r.send(t, http.MethodPost, "/api/v1/operations", asked)
			if status != http.StatusBadRequest || !strings.Contains(answer, `"text: has more than 100000 lines"`) {
				t.Errorf("100001 lines: %d %s", status, answer)
			}
		}
		for _, text := range []string{most, header + most} {
			asked.Text = text
			before := allocated()
			op := r.asked(t, "/api/v1/operations", asked)
			if n := allocated() - before; n > importMemory {
				t.Errorf("100000 lines of %d bytes took %d bytes of memory", len(text), n)
			}
			r.cancelled(t, op.ID)
		}
	})
}

// allocated is what was taken from the heap in all, whether it is in use or not: it does not depend on when garbage is
// collected.
func allocated() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.TotalAlloc
}

// cancelled cancels an operation.
func (r *rig) cancelled(t *testing.T, id string) {
	t.Helper()
	status, text := r.send(t, http.MethodPost, "/api/v1/operations/"+id+"/cancel", nil)
	if status != http.StatusAccepted || !strings.Contains(text, `"state":"cancelled"`) {
		t.Errorf("cancelling: %d %s", status, text)
	}
}
