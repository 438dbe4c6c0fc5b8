package propagation

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

var (
	fleet      = types.NamespacedName{Namespace: "ads", Name: "shared"}
	shop, club = types.NamespacedName{Namespace: "ads", Name: "shop"}, types.NamespacedName{Namespace: "ads", Name: "club"}
)

const first, second, third = "0000000000000001", "0000000000000002", "0000000000000003"

// inbox is a controller's queue that a trigger delivers to.
func inbox(t *testing.T) (*Trigger, func() types.NamespacedName, func() int) {
	t.Helper()
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
	t.Cleanup(queue.ShutDown)
	mail := &Trigger{}
	if err := mail.Start(t.Context(), queue); err != nil {
		t.Fatal(err)
	}
	next := func() types.NamespacedName {
		request, _ := queue.Get()
		queue.Done(request)
		return request.NamespacedName
	}
	return mail, next, queue.Len
}

func TestMailFromBeforeTheStartIsDelivered(t *testing.T) {
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
	defer queue.ShutDown()
	mail := &Trigger{}
	mail.Send(shop, club)
	mail.Send(shop)
	if err := mail.Start(t.Context(), queue); err != nil {
		t.Fatal(err)
	}
	if queue.Len() != 2 {
		t.Errorf("%d requests", queue.Len())
	}
}

func TestTheBoardTellsOnlyThoseWhoseVerdictChanged(t *testing.T) {
	mail, next, length := inbox(t)
	verdicts := &VerdictStore{Endpoints: mail}
	verdicts.Publish(fleet, map[types.NamespacedName]Verdict{shop: {Revision: first}, club: {Revision: first}})
	told := []string{next().Name, next().Name}
	slices.Sort(told)
	if diff := cmp.Diff([]string{"club", "shop"}, told); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	verdicts.Publish(fleet, map[types.NamespacedName]Verdict{shop: {Revision: second}, club: {Revision: first}})
	if got := next(); got != shop || length() != 0 {
		t.Errorf("%s is told, %d more", got, length())
	}
	verdicts.Publish(fleet, map[types.NamespacedName]Verdict{shop: {Revision: second}})
	if got := next(); got != club || length() != 0 {
		t.Errorf("%s is told, %d more", got, length())
	}
	if verdict, found := verdicts.Verdict(fleet, shop); !found || verdict.Revision != second {
		t.Errorf("verdict: %+v", verdict)
	}
	verdicts.Forget(fleet)
	if _, published := verdicts.Verdicts(fleet); published || next() != shop {
		t.Error("a fleet that is gone is remembered")
	}
}

func TestHistoryForgetsWhatNobodyServes(t *testing.T) {
	h := &History{}
	now := time.Now()
	h.Record(fleet, first, Contents{shop: "a"}, nil, now)
	kept, _ := h.Record(fleet, second, Contents{shop: "b"}, map[string]bool{first: true}, now)
	if len(kept) != 2 || kept[first][shop] != "a" {
		t.Errorf("kept: %v", kept)
	}
	if kept, _ = h.Record(fleet, second, Contents{shop: "b"}, map[string]bool{second: true}, now); len(kept) != 1 {
		t.Errorf("kept: %v", kept)
	}
	h.Forget(fleet)
	if kept, _ = h.Record(fleet, first, Contents{}, map[string]bool{second: true}, now); len(kept) != 1 {
		t.Errorf("kept: %v", kept)
	}
}

func TestReceiversAreBehindSinceTheFirstChangeThatTheyHaveNotTakenUp(t *testing.T) {
	h, start := &History{}, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for i, step := range []struct {
		wanted string
		served map[string]bool
		since  int // the step
	}{
		{first, nil, 0},
		{first, map[string]bool{first: true}, 0},
		{second, map[string]bool{first: true}, 2},
		{second, map[string]bool{first: true}, 2},
		{third, map[string]bool{first: true}, 2},
		{third, map[string]bool{third: true, "": true}, 2},
		{first, map[string]bool{third: true}, 6},
	} {
		_, since := h.Record(fleet, step.wanted, nil, step.served, start.Add(time.Duration(i)*time.Second))
		if want := start.Add(time.Duration(step.since) * time.Second); !since.Equal(want) {
			t.Errorf("step %d: since %v, want %v", i, since, want)
		}
	}
}

func TestAnInputIsThatOfOneGenerationAndKeyring(t *testing.T) {
	if Input(1, []byte("a")) == Input(2, []byte("a")) || Input(1, []byte("a")) == Input(1, []byte("b")) {
		t.Error("two inputs are the same")
	}
}

// receiver answers /configz by what the test sets.
type receiver struct {
	mu     sync.Mutex
	answer string
	status int
	asked  int
}

func (r *receiver) set(answer string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked++
	if r.status != 0 {
		w.Header().Set("Location", "http://169.254.169.254/")
		w.WriteHeader(r.status)
	}
	_, _ = w.Write([]byte(r.answer))
}

func says(revision string) string {
	data, _ := json.Marshal(map[string]string{"revision": revision})
	return string(data)
}

// rig runs a prober against one receiver.
func rig(t *testing.T, answer string) (*Prober, *receiver, func() types.NamespacedName) {
	t.Helper()
	r := &receiver{answer: answer}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	mail, next, _ := inbox(t)
	prober := NewProber(mail, func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, server.Listener.Addr().String())
	})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = prober.Start(ctx)
	}()
	t.Cleanup(func() { stop(); <-ended })
	return prober, r, next
}

func TestAReceiverIsAskedUntilItServesWhatIsWanted(t *testing.T) {
	prober, r, next := rig(t, says(first))
	pods := []Receiver{{ID: "a", Address: "10.0.0.1:8081"}}
	if known := prober.Watch(fleet, second, pods); known["a"] != (Answer{}) {
		t.Errorf("known before it was asked: %+v", known)
	}
	next()
	if known := prober.Watch(fleet, second, pods); known["a"] != (Answer{Asked: true, Revision: first}) {
		t.Errorf("known: %+v", known)
	}
	r.set(says(second))
	next()
	if known := prober.Watch(fleet, second, pods); known["a"] != (Answer{Asked: true, Revision: second}) {
		t.Errorf("known: %+v", known)
	}
	r.mu.Lock()
	asked := r.asked
	r.mu.Unlock()
	// The same pod, but ready again: what it served before counts no longer.
	if known := prober.Watch(fleet, second, []Receiver{{ID: "a/2", Address: "10.0.0.1:8081"}}); known["a/2"].Asked {
		t.Errorf("known: %+v", known)
	}
	next()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.asked != asked+1 {
		t.Errorf("asked %d times more", r.asked-asked)
	}
}

func TestAReceiverSaysWhatItsSpoolHasLost(t *testing.T) {
	prober, _, next := rig(t, `{"revision":"`+first+`","spool_missing":3}`)
	pods := []Receiver{{ID: "a", Address: "10.0.0.1:8081"}}
	prober.Watch(fleet, first, pods)
	next()
	if known := prober.Watch(fleet, first, pods); known["a"] != (Answer{Asked: true, Revision: first, SpoolMissing: 3}) {
		t.Errorf("known: %+v", known)
	}
}

func TestWhatAReceiverWasNudgedToTakeUpIsRemembered(t *testing.T) {
	prober := NewProber(&Trigger{}, nil)
	pods := []Receiver{{ID: "a", Address: "10.0.0.1:8081"}}
	prober.Watch(fleet, second, pods)
	prober.Nudged(fleet, "a", second)
	prober.Nudged(fleet, "gone", second)
	if known := prober.Watch(fleet, second, pods); known["a"] != (Answer{Nudged: second}) {
		t.Errorf("known: %+v", known)
	}
}

func TestAnAnswerThatIsNoRevisionIsNone(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		status int
	}{
		"no JSON":              {"Success", 0},
		"another status":       {says(first), http.StatusNotFound},
		"a redirect":           {says(first), http.StatusFound},
		"no revision":          {"{}", 0},
		"a revision too long":  {says(first + "0"), 0},
		"a revision of a sort": {says("ghijklmnopqrstuv"), 0},
		"an endless answer":    {`{"x":"` + strings.Repeat("x", maxAnswer) + `","revision":"` + first + `"}`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			prober, r, next := rig(t, c.answer)
			r.mu.Lock()
			r.status = c.status
			r.mu.Unlock()
			pods := []Receiver{{ID: "a", Address: "10.0.0.1:8081"}}
			prober.Watch(fleet, first, pods)
			next()
			if known := prober.Watch(fleet, first, pods); known["a"] != (Answer{Asked: true}) {
				t.Errorf("known: %+v", known)
			}
		})
	}
}
