package ledger

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postback-dev/postback-operator/receiver/conversion"
)

// postbackOf and clickOf return a task of the endpoint for the subid.
func postbackOf(endpoint, subid string) *task {
	return &task{op: &postbackOp{Postback: Postback{Log: Received{Endpoint: endpoint, SubID: subid}}}}
}

func clickOf(endpoint, subid string) *task {
	return &task{op: &clickOp{click: &conversion.Click{Endpoint: endpoint, SubID: subid}}}
}

// fill pushes tasks until one is refused, and returns how many there is room for.
func fill(t *testing.T, q *queue, of func(endpoint, subid string) *task, endpoint string) (pushed int) {
	t.Helper()
	for {
		switch _, err := q.push(of(endpoint, fmt.Sprint(pushed))); {
		case errors.Is(err, ErrBusy):
			return pushed
		case err != nil:
			t.Fatal(err)
		}
		pushed++
	}
}

// names returns what a batch holds, in order.
func names(batch []*task) string {
	var words []string
	for _, t := range batch {
		word := "postback"
		if _, ok := t.op.(*clickOp); ok {
			word = "click"
		}
		key := t.op.key()
		words = append(words, word+" "+key.Endpoint+key.SubID)
	}
	return strings.Join(words, ", ")
}

func TestAnEndpointHasItsShareOfTheRoom(t *testing.T) {
	q := newQueue(2048)
	if got := fill(t, q, postbackOf, "a"); got != 1536 {
		t.Errorf("alone it gets %d of 2048, want three quarters", got)
	}
	if got := fill(t, q, postbackOf, "b"); got != 256 {
		t.Errorf("the second gets %d of the 512 that are left, want half of them", got)
	}
	for i := range 8 {
		if got := fill(t, q, postbackOf, fmt.Sprint("greedy ", i)); got == 0 {
			t.Errorf("the %dth finds no room", i+3)
		}
	}
	if got := fill(t, q, postbackOf, "a"); got != 0 {
		t.Errorf("the first gets %d more while others wait", got)
	}
	// What is above a quarter drains first, and then it has no more than that.
	for range 8 {
		q.take(256)
	}
	fill(t, q, postbackOf, "b")
	if got := fill(t, q, postbackOf, "a"); got > 512 {
		t.Errorf("while another waits it gets %d of 2048, want a quarter at most", got)
	}
}

func TestClicksTakeNoRoomFromPostbacks(t *testing.T) {
	q := newQueue(64)
	for i := range 100 {
		fill(t, q, clickOf, fmt.Sprint(i))
	}
	if got := fill(t, q, postbackOf, "another"); got != 48 {
		t.Errorf("%d postbacks of an endpoint find room, want 48 of 64", got)
	}
}

func TestHowABatchIsMade(t *testing.T) {
	p, c := postbackOf, clickOf
	for _, test := range []struct {
		name   string
		pushed []*task
		taken  []string // four at a time
	}{
		{"one endpoint in order", []*task{p("a", "1"), p("a", "2"), p("a", "1")},
			[]string{"postback a1, postback a2, postback a1"}},
		{"endpoints alternately", []*task{p("a", "1"), p("a", "2"), p("a", "3"), p("b", "1"), p("c", "1"), p("a", "4")},
			[]string{"postback a1, postback b1, postback c1, postback a2", "postback a3, postback a4"}},
		{"postbacks before clicks, which get a quarter",
			[]*task{c("a", "1"), c("a", "2"), p("b", "1"), p("b", "2"), p("b", "3"), p("b", "4")},
			[]string{"postback b1, postback b2, postback b3, click a1", "postback b4, click a2"}},
		{"not before an earlier click of their subid", []*task{c("a", "1"), c("a", "2"), p("a", "2"), p("a", "3")},
			[]string{"postback a3, click a1, click a2, postback a2"}},
		{"nor before an earlier postback", []*task{c("a", "1"), p("a", "1"), p("a", "1"), p("a", "2"), p("b", "1"),
			p("a", "2"), p("a", "2")},
			[]string{"postback a2, postback b1, postback a2, click a1", "postback a2, postback a1, postback a1"}},
		{"a click behind a postback of its subid", []*task{p("a", "1"), c("a", "1"), p("a", "1")},
			[]string{"postback a1, click a1, postback a1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			q := newQueue(100)
			for _, pushed := range test.pushed {
				if _, err := q.push(pushed); err != nil {
					t.Fatal(err)
				}
			}
			var taken []string
			for batch := q.take(4); len(batch) > 0; batch = q.take(4) {
				taken = append(taken, names(batch))
			}
			if diff := cmp.Diff(test.taken, taken); diff != "" {
				t.Errorf("batches -want +got:\n%s", diff)
			}
			if q.len() != 0 || len(q.later) != 0 || len(q.postbacks.endpoints)+len(q.others.endpoints) != 0 {
				t.Errorf("left behind: %d tasks, %v, %v, %v", q.len(), q.later, q.postbacks.endpoints, q.others.endpoints)
			}
		})
	}
}

func TestAClosedQueueReturnsWhatWaitsAndTakesNothing(t *testing.T) {
	q := newQueue(100)
	for i := range 10 {
		for _, task := range []*task{postbackOf("a", fmt.Sprint(i)), clickOf("b", fmt.Sprint(i)),
			clickOf("c", fmt.Sprint(i))} {
			if _, err := q.push(task); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := len(q.close()); got != 30 || q.len() != 0 {
		t.Errorf("returned %d of 30, %d are left", got, q.len())
	}
	if _, err := q.push(postbackOf("a", "1")); !errors.Is(err, ErrClosed) {
		t.Errorf("took another: %v", err)
	}
}
