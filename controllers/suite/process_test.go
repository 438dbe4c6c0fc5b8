package suite

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/postback-dev/postback-operator/controllers/setup"
)

// process is an operator inside the test's process.
type process struct {
	user     string
	options  setup.Options
	recorder *recorder

	cancel context.CancelFunc
	ended  chan error
}

func newProcess(user string, namespaces ...string) *process {
	p := &process{user: user, recorder: &recorder{}}
	processes = append(processes, p)
	config := rest.CopyConfig(server)
	config.Impersonate = rest.ImpersonationConfig{UserName: user}
	config.WrapTransport = p.recorder.wrap
	p.options = setup.Options{
		Image: "registry.example/receiver:v1", Namespaces: namespaces, Config: config,
		MetricsAddress: "0", ProbeAddress: "0", ID: "suite",
		LogFormat: "text", LogLevel: mostVerbose, Logs: logs,
		Dial: receivers.dial, DiscoverEvery: 500 * time.Millisecond,
	}
	return p
}

func (p *process) start() {
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel, p.ended = cancel, make(chan error, 1)
	go func() { p.ended <- setup.Run(ctx, p.options) }()
}

func (p *process) stop() {
	p.cancel()
	if err := <-p.ended; err != nil {
		panic(fmt.Sprintf("the operator ended with %v\n%s", err, logs.tail()))
	}
}

// processes are all that ever ran.
var processes []*process

// settle waits until nothing has been reconciled for a while and nothing waits to be. The rest of the cluster has
// looked at everything meanwhile, twice: the round that had begun before may have missed it.
func (p *process) settle() {
	var last float64
	looked := receivers.looked()
	for quiet := 0; quiet < 15 || receivers.looked() < looked+3; quiet++ {
		time.Sleep(100 * time.Millisecond)
		if now := activity(); now != last {
			last, quiet, looked = now, 0, receivers.looked()
		}
	}
}

// activity counts reconciles and what waits to be.
func activity() float64 {
	families, err := metrics.Registry.Gather()
	if err != nil {
		panic(err)
	}
	var sum float64
	for _, family := range families {
		for _, m := range family.GetMetric() {
			switch family.GetName() {
			case "controller_runtime_reconcile_total":
				sum += m.GetCounter().GetValue()
			case "workqueue_adds_total":
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

// request is what RBAC sees of a request.
type request struct {
	verb, group, resource string
}

// recorder notes the requests that go through it.
type recorder struct {
	mu       sync.Mutex
	requests map[request]int
	// writes since the last call of take, as "PATCH /path".
	writes []string
	// whole are the lists and watches of Secrets that get more than metadata, with their label selectors.
	whole map[string]bool
}

func (r *recorder) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(q *http.Request) (*http.Response, error) {
		seen := r.note(q)
		response, err := next.RoundTrip(q)
		if err == nil && seen.verb == "patch" && response.StatusCode == http.StatusCreated {
			seen.verb = "create" // which the API server asked for too
			r.count(seen)
		}
		return response, err
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(q *http.Request) (*http.Response, error) { return f(q) }

func (r *recorder) note(q *http.Request) (seen request) {
	seen, named := resourceOf(strings.Split(strings.Trim(q.URL.Path, "/"), "/"))
	if seen.resource == "" {
		return seen
	}
	switch q.Method {
	case http.MethodGet:
		seen.verb = "get"
		if !named {
			seen.verb = "list"
			if q.URL.Query().Get("watch") != "" {
				seen.verb = "watch"
			}
		}
	default:
		seen.verb = map[string]string{
			http.MethodPost: "create", http.MethodPut: "update", http.MethodPatch: "patch", http.MethodDelete: "delete",
		}[q.Method]
	}
	r.count(seen)
	r.mu.Lock()
	defer r.mu.Unlock()
	if q.Method != http.MethodGet && seen.resource != "leases" && !strings.HasSuffix(seen.resource, "reviews") {
		r.writes = append(r.writes, q.Method+" "+q.URL.Path)
	}
	if seen.resource == "secrets" && !named && !strings.Contains(q.Header.Get("Accept"), "PartialObjectMetadata") {
		if r.whole == nil {
			r.whole = map[string]bool{}
		}
		r.whole[q.URL.Query().Get("labelSelector")] = true
	}
	return seen
}

func (r *recorder) count(seen request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.requests == nil {
		r.requests = map[request]int{}
	}
	r.requests[seen]++
}

// resourceOf reads the path of a request: group and resource with subresource, and whether it names an object.
func resourceOf(path []string) (seen request, named bool) {
	switch {
	case len(path) > 2 && path[0] == "api":
		path = path[2:]
	case len(path) > 3 && path[0] == "apis":
		seen.group, path = path[1], path[3:]
	default:
		return seen, false
	}
	if path[0] == "namespaces" && len(path) > 2 {
		path = path[2:]
	}
	seen.resource = path[0]
	if len(path) > 2 {
		seen.resource += "/" + path[2]
	}
	return seen, len(path) > 1
}

// take returns the writes since the last call.
func (r *recorder) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.writes
	r.writes = nil
	return taken
}

// mostVerbose is below anything that anybody logs at.
const mostVerbose = slog.Level(-10)

// logs are those of all operators.
var logs = &lockedBuffer{}

// lockedBuffer keeps everything that is written to it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *lockedBuffer) tail() string {
	all := l.String()
	return all[max(0, len(all)-4000):]
}
