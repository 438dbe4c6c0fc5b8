package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// namespace has everything that is declared.
const namespace = "default"

// writers declare at a time.
const writers = 16

type scenario struct {
	settings
	admin    client.WithWatch
	operator *process
}

func (s scenario) run(ctx context.Context) error {
	empty, _, err := s.operator.residentMB()
	if err != nil {
		return err
	}
	began := time.Now()
	if err := s.declare(ctx); err != nil {
		return err
	}
	declared := time.Since(began)
	if err := s.programmed(ctx); err != nil {
		return err
	}
	programmed := time.Since(began)
	if err := s.quiet(ctx); err != nil {
		return err
	}
	settled := time.Since(began) - 5*time.Second
	writes, err := s.operator.writes(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("%d endpoints in %d fleets\n", s.endpoints, s.fleets)
	fmt.Printf("  declared after             %8.1f s\n", declared.Seconds())
	fmt.Printf("  all Programmed after       %8.1f s\n", programmed.Seconds())
	fmt.Printf("  nothing left to do after   %8.1f s\n", settled.Seconds())
	fmt.Printf("  writes per endpoint        %8.2f\n", writes/float64(s.endpoints))
	for _, controller := range []string{"postbackendpoint", "receiverfleet"} {
		p50, p99, err := s.operator.reconcileTimes(ctx, controller)
		if err != nil {
			return err
		}
		fmt.Printf("  reconcile %-16s p50 <= %v, p99 <= %v\n", controller, p50, p99)
	}
	resident, most, err := s.operator.residentMB()
	if err != nil {
		return err
	}
	fmt.Printf("  memory                     %8.1f MB resident, %.1f MB at most (%.1f MB with nothing declared)\n",
		resident, most, empty)
	fmt.Printf("  load average               %8s\n", load())
	for _, step := range []func(context.Context) error{s.rest, s.change, s.repair, s.foreigners} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s scenario) declare(ctx context.Context) error {
	if err := s.admin.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: "database",
			Labels: map[string]string{v1alpha1.LabelReadable: v1alpha1.LabelReadableValue},
		},
		StringData: map[string]string{"dsn": "postgres://postback@db/postback"},
	}); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(writers)
	for i := range s.fleets {
		group.Go(func() error {
			return s.admin.Create(ctx, &v1alpha1.ReceiverFleet{
				ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: fmt.Sprintf("fleet-%d", i)},
				Spec: v1alpha1.ReceiverFleetSpec{ReceiverSpec: v1alpha1.ReceiverSpec{Store: v1alpha1.Store{
					Postgres: &v1alpha1.PostgresStore{DSNSecretRef: v1alpha1.SecretKeyReference{Name: "database"}},
				}}},
			})
		})
	}
	for i := range s.endpoints {
		group.Go(func() error {
			return s.admin.Create(ctx, &v1alpha1.PostbackEndpoint{
				ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: fmt.Sprintf("endpoint-%d", i)},
				Spec: v1alpha1.PostbackEndpointSpec{
					Currency: "USD", FleetRef: &v1alpha1.FleetReference{Name: fmt.Sprintf("fleet-%d", i%s.fleets)},
					Training: []v1alpha1.TrainingRule{{Type: "sale", Statuses: []string{"approved", "billed"}}},
				},
			})
		})
	}
	return group.Wait()
}

// programmed waits until all endpoints are. It watches: listing them again and again would take the API server's time.
func (s scenario) programmed(ctx context.Context) error {
	events, err := s.admin.Watch(ctx, &v1alpha1.PostbackEndpointList{})
	if err != nil {
		return err
	}
	defer events.Stop()
	done := map[string]bool{}
	for len(done) < s.endpoints {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case event, open := <-events.ResultChan():
			if !open {
				return errors.New("the watch ended")
			}
			if e, ok := event.Object.(*v1alpha1.PostbackEndpoint); ok &&
				meta.IsStatusConditionTrue(e.Status.Conditions, v1alpha1.ConditionProgrammed) {
				done[e.Name] = true
			}
		}
	}
	return nil
}

// quiet waits until nothing was written for five seconds.
func (s scenario) quiet(ctx context.Context) error {
	last, since := -1.0, time.Now()
	return until(ctx, 10*time.Minute, func() (bool, error) {
		writes, err := s.operator.writes(ctx)
		if writes != last {
			last, since = writes, time.Now()
		}
		return time.Since(since) > 5*time.Second, err
	})
}

// written counts the writes of a step, until nothing more is written.
func (s scenario) written(ctx context.Context, step func() error) (float64, error) {
	before, err := s.operator.writes(ctx)
	if err != nil {
		return 0, err
	}
	if err := step(); err != nil {
		return 0, err
	}
	if err := s.quiet(ctx); err != nil {
		return 0, err
	}
	after, err := s.operator.writes(ctx)
	return after - before, err
}

func (s scenario) rest(ctx context.Context) error {
	writes, err := s.written(ctx, func() error { return nil })
	fmt.Printf("at rest\n  writes                     %8.0f\n", writes)
	return err
}

func (s scenario) change(ctx context.Context) error {
	var endpoint v1alpha1.PostbackEndpoint
	var took time.Duration
	writes, err := s.written(ctx, func() error {
		key := client.ObjectKey{Namespace: namespace, Name: fmt.Sprintf("endpoint-%d", s.endpoints/2)}
		if err := s.admin.Get(ctx, key, &endpoint); err != nil {
			return err
		}
		endpoint.Spec.Currency = "EUR"
		began := time.Now()
		if err := s.admin.Update(ctx, &endpoint); err != nil {
			return err
		}
		err := until(ctx, time.Minute, func() (bool, error) {
			err := s.admin.Get(ctx, key, &endpoint)
			return endpoint.Status.ObservedGeneration == endpoint.Generation, err
		})
		took = time.Since(began)
		return err
	})
	fmt.Printf("one endpoint changed\n  writes                     %8.0f\n  programmed after           %8.2f s\n", writes,
		took.Seconds())
	return err
}

// repair deletes a child and edits another: how long until they are restored?
func (s scenario) repair(ctx context.Context) error {
	key := client.ObjectKey{Namespace: namespace, Name: "fleet-0"}
	var service corev1.Service
	if err := s.admin.Get(ctx, key, &service); err != nil {
		return err
	}
	began := time.Now()
	if err := s.admin.Delete(ctx, &service); err != nil {
		return err
	}
	err := until(ctx, time.Minute, func() (bool, error) {
		err := s.admin.Get(ctx, key, &service)
		return err == nil && service.DeletionTimestamp == nil, client.IgnoreNotFound(err)
	})
	if err != nil {
		return err
	}
	deleted := time.Since(began)
	var deployment appsv1.Deployment
	if err := s.admin.Get(ctx, key, &deployment); err != nil {
		return err
	}
	image := deployment.Spec.Template.Spec.Containers[0].Image
	deployment.Spec.Template.Spec.Containers[0].Image = "another"
	began = time.Now()
	if err := s.admin.Update(ctx, &deployment); err != nil {
		return err
	}
	err = until(ctx, time.Minute, func() (bool, error) {
		err := s.admin.Get(ctx, key, &deployment)
		return deployment.Spec.Template.Spec.Containers[0].Image == image, err
	})
	fmt.Printf("children\n  deleted, back after        %8.2f s\n  edited, back after         %8.2f s\n", deleted.Seconds(),
		time.Since(began).Seconds())
	return err
}

func (s scenario) foreigners(ctx context.Context) error {
	if s.foreign == 0 {
		return nil
	}
	before, err := s.operator.heapMB(ctx)
	if err != nil {
		return err
	}
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(writers)
	for i := range s.foreign {
		group.Go(func() error {
			return s.admin.Create(groupCtx, &corev1.Secret{
				ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: fmt.Sprintf("foreign-%d", i)},
				StringData: map[string]string{"x": strings.Repeat("x", 10<<10)},
			})
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if err := s.quiet(ctx); err != nil {
		return err
	}
	after, err := s.operator.heapMB(ctx)
	if err != nil {
		return err
	}
	resident, _, err := s.operator.residentMB()
	fmt.Printf("%d foreign Secrets of 10 kB\n  heap added                 %8.1f MB\n  memory                     %8.1f "+
		"MB resident\n", s.foreign, after-before, resident)
	return err
}
