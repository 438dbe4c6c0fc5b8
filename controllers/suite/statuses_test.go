package suite

import (
	"context"
	"errors"
	"fmt"
	"sync"

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
}

func watchStatuses(ctx context.Context) (*statusWatch, error) {
	s := &statusWatch{first: map[string]kstatuscheck.State{}}
	for _, list := range []client.ObjectList{&v1alpha1.PostbackEndpointList{}, &v1alpha1.ReceiverFleetList{}} {
		events, err := admin.Watch(ctx, list)
		if err != nil {
			return nil, err
		}
		go func() {
			for event := range events.ResultChan() {
				s.see(event)
			}
		}()
	}
	return s, nil
}

// readable returns what kstatus reads of an object.
func readable(object any) (kind string, read kstatuscheck.Object) {
	switch o := object.(type) {
	case *v1alpha1.PostbackEndpoint:
		return "PostbackEndpoint " + o.Namespace + "/" + o.Name, kstatuscheck.Object{
			Generation: o.Generation, ObservedGeneration: o.Status.ObservedGeneration, Conditions: o.Status.Conditions,
		}
	case *v1alpha1.ReceiverFleet:
		return "ReceiverFleet " + o.Namespace + "/" + o.Name, kstatuscheck.Object{
			Generation: o.Generation, ObservedGeneration: o.Status.ObservedGeneration, Conditions: o.Status.Conditions,
		}
	}
	return "", kstatuscheck.Object{}
}

func (s *statusWatch) see(event watch.Event) {
	name, read := readable(event.Object)
	if name == "" || len(read.Conditions) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen++
	if _, found := s.first[name]; !found {
		s.first[name] = kstatuscheck.Read(read)
	}
	if err := kstatuscheck.Check(read); err != nil {
		s.broken = append(s.broken, fmt.Errorf("%s: %w", name, err))
	}
}

// verdict says what was broken over the whole run.
func (s *statusWatch) verdict() error {
	s.mu.Lock()
	defer s.mu.Unlock()
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
