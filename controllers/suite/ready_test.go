package suite

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/render"
	"github.com/postback-dev/postback-operator/controllers/resources"
	"github.com/postback-dev/postback-operator/controllers/status/kstatuscheck"
)

// lieFor is how long a status may say Ready while that is untrue: an operator takes a moment to see what has changed.
const lieFor = 15 * time.Second

// readyWatch holds every Ready that is said during the run to what is the case.
type readyWatch struct {
	mu       sync.Mutex
	running  map[types.UID]context.CancelFunc // guarded by mu
	held     int                              // guarded by mu
	broken   []error                          // guarded by mu
	checking sync.WaitGroup
	// contents are what is in the configuration of a revision: the own revision of each endpoint and campaign.
	contents map[string]map[string]string // guarded by mu
}

// see looks whether what a status says becomes untrue for too long, or never was true. A later status of the object
// ends that.
func (r *readyWatch) see(ctx context.Context, object client.Object, read kstatuscheck.Object) {
	ctx, cancel := context.WithCancel(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running == nil {
		r.running = map[types.UID]context.CancelFunc{}
	}
	if before := r.running[object.GetUID()]; before != nil {
		before()
	}
	r.running[object.GetUID()] = cancel
	if read.Deleted || !meta.IsStatusConditionTrue(read.Conditions, v1alpha1.ConditionReady) ||
		read.ObservedGeneration != read.Generation {
		cancel()
		return
	}
	r.checking.Go(func() { r.hold(ctx, object, read) })
}

func (r *readyWatch) hold(ctx context.Context, object client.Object, read kstatuscheck.Object) {
	deadline := time.Now().Add(lieFor)
	for {
		world, err := r.worldOf(ctx, object)
		if err == nil {
			err = kstatuscheck.CheckReady(read, world)
		}
		switch {
		case ctx.Err() != nil || goneSince(ctx, object):
			return
		case err == nil:
			r.mu.Lock()
			r.held++
			r.mu.Unlock()
			return
		case time.Now().After(deadline):
			name, _ := readable(object)
			r.mu.Lock()
			r.broken = append(r.broken, fmt.Errorf("%s: for %v %w", name, lieFor, err))
			r.mu.Unlock()
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// again looks once more at all that is said at the end of the run: what changes in the world changes no status.
func (r *readyWatch) again(ctx context.Context) error {
	for _, list := range []client.ObjectList{&v1alpha1.PostbackEndpointList{}, &v1alpha1.ReceiverFleetList{},
		&v1alpha1.CampaignList{}} {
		if err := admin.List(ctx, list); err != nil {
			return err
		}
		objects, err := meta.ExtractList(list)
		if err != nil {
			return err
		}
		for _, object := range objects {
			_, read := readable(object)
			r.see(ctx, object.(client.Object), read)
		}
	}
	r.checking.Wait()
	return nil
}

// goneSince reports whether an object is gone, or was changed.
func goneSince(ctx context.Context, object client.Object) bool {
	live := object.DeepCopyObject().(client.Object)
	err := admin.Get(ctx, client.ObjectKeyFromObject(object), live)
	return apierrors.IsNotFound(err) || err == nil && live.GetResourceVersion() != object.GetResourceVersion()
}

// worldOf finds what is the case.
func (r *readyWatch) worldOf(ctx context.Context, object client.Object) (w kstatuscheck.World, err error) {
	var fleet v1alpha1.ReceiverFleet
	name, item := client.ObjectKeyFromObject(object), ""
	var address string
	switch o := object.(type) {
	case *v1alpha1.PostbackEndpoint:
		name, item, w.Revision = fleetName(o.Status.Fleet), "endpoint/"+o.Namespace+"/"+o.Name,
			o.Status.Revision
		var held corev1.Secret
		secret := client.ObjectKey{Namespace: o.Namespace, Name: resources.URLSecretName(o)}
		if err := admin.Get(ctx, secret, &held); err != nil {
			return w, err
		}
		address = string(held.Data[v1alpha1.URLField])
	case *v1alpha1.Campaign:
		name, item, w.Revision = fleetName(o.Status.Fleet), "campaign/"+o.Namespace+"/"+o.Name,
			o.Status.Revision
		address = o.Status.Link
	case *v1alpha1.ReceiverFleet:
		address = resources.BaseURL(o)
	}
	if err := admin.Get(ctx, name, &fleet); err != nil {
		return w, err
	}
	if item == "" {
		if w.Revision, err = manifestIn(ctx, fleet.Namespace, resources.ManifestSecretName(fleet.Name)); err != nil {
			return w, err
		}
	}
	if err := r.learn(ctx, name); err != nil {
		return w, err
	}
	for _, revision := range receivers.serving(ctx, &fleet) {
		w.Receivers = append(w.Receivers, r.of(revision, item))
	}
	w.Address = leads(ctx, &fleet, address)
	return w, nil
}

func fleetName(ref *v1alpha1.FleetReference) (name client.ObjectKey) {
	if ref != nil {
		name = client.ObjectKey{Namespace: ref.Namespace, Name: ref.Name}
	}
	return name
}

// learn keeps what is in a fleet's configuration now.
func (r *readyWatch) learn(ctx context.Context, fleet types.NamespacedName) error {
	before, err := manifestIn(ctx, fleet.Namespace, resources.ManifestSecretName(fleet.Name))
	if err != nil {
		return err
	}
	content, err := served(ctx, fleet)
	if err != nil {
		return err
	}
	if after, err := manifestIn(ctx, fleet.Namespace, resources.ManifestSecretName(fleet.Name)); err != nil ||
		after != before {
		return errors.Join(errors.New("it changes at this moment"), err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.contents == nil {
		r.contents = map[string]map[string]string{}
	}
	r.contents[before] = contentsOf(content.Endpoints)
	return nil
}

func contentsOf(endpoints []config.Endpoint) map[string]string {
	contents := map[string]string{}
	for _, e := range endpoints {
		own, links := render.Detach(e)
		contents["endpoint/"+e.Namespace+"/"+e.Name] = own.Revision()
		for _, link := range links {
			contents["campaign/"+e.Namespace+"/"+link.Campaign.Name] = link.Revision()
		}
	}
	return contents
}

// of returns the revision of an item in a configuration that a receiver serves; of none the configuration's own.
func (r *readyWatch) of(revision, item string) string {
	if item == "" {
		return revision
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.contents[revision][item]
}

// serving returns the revisions that the ready pods of a fleet serve.
func (n *node) serving(ctx context.Context, fleet *v1alpha1.ReceiverFleet) (revisions []string) {
	var pods corev1.PodList
	if admin.List(ctx, &pods, client.InNamespace(fleet.Namespace),
		client.MatchingLabels(resources.SelectorLabels(fleet.Name))) != nil {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for i := range pods.Items {
		p := n.pods[pods.Items[i].Status.PodIP]
		ready := slices.ContainsFunc(pods.Items[i].Status.Conditions, func(c corev1.PodCondition) bool {
			return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
		})
		if p != nil && ready && pods.Items[i].DeletionTimestamp == nil {
			revisions = append(revisions, p.revision)
		}
	}
	return revisions
}

// leads follows the address that users are given to the receivers of a fleet, as far as a cluster can tell.
func leads(ctx context.Context, fleet *v1alpha1.ReceiverFleet, address string) error {
	at, err := url.Parse(address)
	if err != nil || at.Hostname() == "" {
		return fmt.Errorf("%q is no address: %w", address, err)
	}
	name := client.ObjectKeyFromObject(fleet)
	var service corev1.Service
	if err := admin.Get(ctx, name, &service); err != nil {
		return err
	}
	if !maps.Equal(service.Spec.Selector, resources.SelectorLabels(fleet.Name)) {
		return fmt.Errorf("the Service selects %v", service.Spec.Selector)
	}
	if service.Spec.Type == corev1.ServiceTypeLoadBalancer && len(service.Status.LoadBalancer.Ingress) == 0 {
		return errors.New("the load balancer has no address")
	}
	external, _ := url.Parse(fleet.Spec.ExternalURL)
	switch at.Hostname() {
	case external.Hostname():
		return nil // what stands in front is nothing of the cluster's
	case fleet.Name + "." + fleet.Namespace + ".svc":
		return nil
	case fleet.Spec.Host:
		return errors.Join(throughIngress(ctx, fleet, at), throughOthers(ctx, fleet))
	}
	return fmt.Errorf("%s is a host of somebody else", at.Hostname())
}

func throughIngress(ctx context.Context, fleet *v1alpha1.ReceiverFleet, at *url.URL) error {
	if fleet.Spec.Ingress == nil {
		return nil
	}
	var ingresses networkingv1.IngressList
	if err := admin.List(ctx, &ingresses); err != nil {
		return err
	}
	leads, secure := false, false
	for _, ingress := range ingresses.Items {
		here := ingress.Namespace == fleet.Namespace && ingress.Name == fleet.Name
		for _, rule := range ingress.Spec.Rules {
			leads = leads || here && rule.Host == at.Hostname() && rule.HTTP.Paths[0].Backend.Service.Name == fleet.Name
		}
		secure = secure || here && len(ingress.Spec.TLS) > 0
	}
	switch {
	case !leads:
		return fmt.Errorf("no Ingress leads from %s to it", at.Hostname())
	case secure && at.Scheme != "https" && fleet.Spec.Gateway == nil:
		return errors.New("the key travels in clear")
	}
	return nil
}

// throughOthers believes what the controllers of the route and of the certificate say.
func throughOthers(ctx context.Context, fleet *v1alpha1.ReceiverFleet) error {
	for kind, declared := range map[string]bool{
		"HTTPRoute gateway.networking.k8s.io/v1": fleet.Spec.Gateway != nil,
		"Certificate cert-manager.io/v1":         fleet.Spec.Certificate != nil,
	} {
		if !declared {
			continue
		}
		var of, version string
		_, _ = fmt.Sscan(kind, &of, &version)
		object := untyped(version, of)
		if err := admin.Get(ctx, client.ObjectKeyFromObject(fleet), object); err != nil {
			return err
		}
		if object.Object["status"] == nil {
			return fmt.Errorf("nobody has looked at the %s", of)
		}
	}
	return nil
}

// verdict waits for what is being held, and says what was broken.
func (r *readyWatch) verdict() error {
	done := make(chan struct{})
	go func() { r.checking.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(2 * lieFor):
		return errors.New("the statuses that say Ready were not all looked at")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.held == 0 {
		r.broken = append(r.broken, errors.New("no status that says Ready was held to what is the case"))
	}
	return errors.Join(r.broken...)
}
