package suite

import (
	"context"
	"errors"
	"fmt"
	"sync"

	kstatus "github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/status/kstatuscheck"
)

// statusWatch holds every status that is written during the run to the rules of kstatus.
type statusWatch struct {
	mu     sync.Mutex
	seen   int
	broken []error
	// first is how each object was read when its status appeared.
	first map[string]kstatuscheck.State
	// ready holds what is said of Ready to what is the case.
	ready readyWatch
}

func watchStatuses(ctx context.Context) (*statusWatch, error) {
	s := &statusWatch{first: map[string]kstatuscheck.State{}}
	for _, list := range []client.ObjectList{&v1alpha1.PostbackEndpointList{}, &v1alpha1.ReceiverFleetList{},
		&v1alpha1.CampaignList{}} {
		events, err := admin.Watch(ctx, list)
		if err != nil {
			return nil, err
		}
		go func() {
			for event := range events.ResultChan() {
				s.see(ctx, event)
			}
		}()
	}
	return s, nil
}

// readable returns what kstatus reads of an object.
func readable(object any) (kind string, read kstatuscheck.Object) {
	declared, _ := object.(client.Object)
	switch o := object.(type) {
	case *v1alpha1.PostbackEndpoint:
		kind, read.ObservedGeneration, read.Conditions = "PostbackEndpoint", o.Status.ObservedGeneration, o.Status.Conditions
	case *v1alpha1.ReceiverFleet:
		kind, read.ObservedGeneration, read.Conditions = "ReceiverFleet", o.Status.ObservedGeneration, o.Status.Conditions
	case *v1alpha1.Campaign:
		kind, read.ObservedGeneration, read.Conditions = "Campaign", o.Status.ObservedGeneration, o.Status.Conditions
	default:
		return "", kstatuscheck.Object{}
	}
	read.Generation, read.Deleted = declared.GetGeneration(), declared.GetDeletionTimestamp() != nil
	return kind + " " + declared.GetNamespace() + "/" + declared.GetName(), read
}

func (s *statusWatch) see(ctx context.Context, event watch.Event) {
	name, read := readable(event.Object)
	if name == "" || event.Type == watch.Deleted {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// Before the operator has said anything, too: what is new must not be read as done.
	switch state, err := computed(event.Object); {
	case err != nil:
		s.broken = append(s.broken, fmt.Errorf("%s: %w", name, err))
	case string(state) != string(kstatuscheck.Read(read)):
		s.broken = append(s.broken, fmt.Errorf("%s: Helm and Flux call it %s, the checker %s", name, state,
			kstatuscheck.Read(read)))
	}
	if len(read.Conditions) == 0 {
		return
	}
	s.ready.see(ctx, event.Object.(client.Object), read)
	s.seen++
	if _, found := s.first[name]; !found {
		s.first[name] = kstatuscheck.Read(read)
	}
	if err := kstatuscheck.Check(read); err != nil {
		s.broken = append(s.broken, fmt.Errorf("%s: %w", name, err))
	}
}

// computed is what Helm 4's --wait and Flux read, by the library that they use.
func computed(object any) (kstatus.Status, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return "", err
	}
	result, err := kstatus.Compute(&unstructured.Unstructured{Object: content})
	if err != nil {
		return "", err
	}
	return result.Status, nil
}

// verdict says what was broken over the whole run.
func (s *statusWatch) verdict() error {
	ready := s.ready.verdict()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = append(s.broken, ready)
	if s.seen == 0 {
		return errors.New("no status was seen")
	}
	for name, state := range s.first {
		if state == kstatuscheck.Current {
			s.broken = append(s.broken, fmt.Errorf("%s was Current from the first", name))
		}
	}
	return errors.Join(s.broken...)
}
