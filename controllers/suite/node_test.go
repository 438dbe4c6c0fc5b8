package suite

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/resources"
)

// node is the rest of a cluster: it makes the pods of Deployments, says that they are ready, and answers /configz for
// them. A receiver loads the configuration when it starts and when it is nudged, as a kubelet would bring it.
type node struct {
	http *httptest.Server
	done chan struct{}

	mu   sync.Mutex
	next int
	pods map[string]*pod // by IP
	// rounds over the whole cluster.
	rounds int
	// held namespaces' receivers take up nothing new; asleep ones' have no ready pods.
	held, asleep map[string]bool
	// offline namespaces' routes, certificates and load balancers are not looked at by anybody.
	offline map[string]bool
	// lost is what the spools of a namespace's receivers have lost when they start.
	lost map[string]int64
}

type pod struct {
	name     types.NamespacedName
	revision string
	nudge    string
	// missing is what its spool has lost.
	missing int64
}

func startNode(ctx context.Context) *node {
	n := &node{
		pods: map[string]*pod{}, held: map[string]bool{}, asleep: map[string]bool{}, offline: map[string]bool{},
		lost: map[string]int64{}, done: make(chan struct{}),
	}
	n.http = httptest.NewServer(http.HandlerFunc(n.configz))
	go func() {
		defer close(n.done)
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(50 * time.Millisecond):
				n.sync(ctx)
			}
		}
	}()
	return n
}

func (n *node) close() { n.http.Close() }

// dial reaches the one server for every pod; the Host header tells which one is meant.
func (n *node) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, network, n.http.Listener.Addr().String())
}

func (n *node) configz(w http.ResponseWriter, q *http.Request) {
	ip, port, _ := net.SplitHostPort(q.Host)
	n.mu.Lock()
	defer n.mu.Unlock()
	p := n.pods[ip]
	if p == nil || q.URL.Path != "/configz" || port != fmt.Sprint(resources.OpsPort) {
		http.NotFound(w, q)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{
		"revision": p.revision, "schema": config.APIVersion, "spool_missing": p.missing,
	})
}

// hold makes a namespace's receivers keep what they have, until the returned function is called.
func (n *node) hold(namespace string) (release func()) { return n.set(n.held, namespace) }

// sleep makes a namespace's receivers unready.
func (n *node) sleep(namespace string) (wake func()) { return n.set(n.asleep, namespace) }

// lose lets the next receivers of a namespace find that their spools have lost that many postbacks.
func (n *node) lose(namespace string, postbacks int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lost[namespace] = postbacks
}

func (n *node) set(where map[string]bool, namespace string) func() {
	n.mu.Lock()
	defer n.mu.Unlock()
	where[namespace] = true
	return func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(where, namespace)
	}
}

func (n *node) sync(ctx context.Context) {
	var deployments appsv1.DeploymentList
	if admin.List(ctx, &deployments) != nil {
		return
	}
	for i := range deployments.Items {
		n.syncDeployment(ctx, &deployments.Items[i])
	}
	n.syncRoutes(ctx)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.rounds++
}

// looked counts how often the whole cluster was looked at.
func (n *node) looked() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.rounds
}

func (n *node) syncDeployment(ctx context.Context, d *appsv1.Deployment) {
	n.mu.Lock()
	asleep, held := n.asleep[d.Namespace], n.held[d.Namespace]
	n.mu.Unlock()
	var pods corev1.PodList
	if admin.List(ctx, &pods, client.InNamespace(d.Namespace), client.MatchingLabels(d.Spec.Selector.MatchLabels)) != nil {
		return
	}
	wanted := 1
	if d.Spec.Replicas != nil {
		wanted = int(*d.Spec.Replicas)
	}
	for i := len(pods.Items); i < wanted; i++ {
		n.create(ctx, d)
	}
	for i := range pods.Items {
		if i >= wanted {
			_ = admin.Delete(ctx, &pods.Items[i], client.GracePeriodSeconds(0))
			continue
		}
		n.syncPod(ctx, &pods.Items[i], asleep, held)
	}
	available := int32(wanted)
	if asleep || len(pods.Items) < wanted {
		available = 0
	}
	status := appsv1.DeploymentStatus{
		ObservedGeneration: d.Generation, Replicas: int32(wanted), UpdatedReplicas: int32(wanted),
		ReadyReplicas: available, AvailableReplicas: available,
	}
	if d.Status.ObservedGeneration != d.Generation || d.Status.Replicas != status.Replicas ||
		d.Status.AvailableReplicas != available {
		d.Status = status
		_ = admin.Status().Update(ctx, d)
	}
}

func (n *node) create(ctx context.Context, d *appsv1.Deployment) {
	n.mu.Lock()
	n.next++
	ip := fmt.Sprintf("10.1.%d.%d", n.next/250, n.next%250+1)
	name := fmt.Sprintf("%s-%d", d.Name, n.next)
	n.mu.Unlock()
	manifest, err := manifestOf(ctx, d)
	if err != nil {
		return // a kubelet waits for the Secret
	}
	created := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: d.Namespace, Name: name, Labels: d.Spec.Template.Labels},
		Spec:       d.Spec.Template.Spec,
	}
	if admin.Create(ctx, created) != nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.pods[ip] = &pod{name: client.ObjectKeyFromObject(created), revision: manifest, missing: n.lost[d.Namespace]}
}

func (n *node) syncPod(ctx context.Context, live *corev1.Pod, asleep, held bool) {
	n.mu.Lock()
	var ip string
	for candidate, p := range n.pods {
		if p.name == client.ObjectKeyFromObject(live) {
			ip = candidate
			if nudge := live.Annotations["postback.dev/config-revision"]; nudge != p.nudge && !held {
				p.nudge, p.revision = nudge, nudge
			}
		}
	}
	n.mu.Unlock()
	ready := corev1.ConditionTrue
	if asleep {
		ready = corev1.ConditionFalse
	}
	for _, c := range live.Status.Conditions {
		if c.Type == corev1.PodReady && c.Status == ready {
			return
		}
	}
	live.Status.Phase, live.Status.PodIP = corev1.PodRunning, ip
	live.Status.PodIPs = []corev1.PodIP{{IP: ip}}
	live.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: ready,
		LastTransitionTime: metav1.Now()}}
	_ = admin.Status().Update(ctx, live)
}

// manifestOf returns the revision that is in the configuration of a Deployment's receivers.
func manifestOf(ctx context.Context, d *appsv1.Deployment) (string, error) {
	for _, volume := range d.Spec.Template.Spec.Volumes {
		if volume.Projected != nil {
			return manifestIn(ctx, d.Namespace, volume.Projected.Sources[0].Secret.Name)
		}
	}
	return "", fmt.Errorf("no configuration is mounted")
}

func manifestIn(ctx context.Context, namespace, secret string) (string, error) {
	var held corev1.Secret
	if err := admin.Get(ctx, types.NamespacedName{Namespace: namespace, Name: secret}, &held); err != nil {
		return "", err
	}
	var manifest config.Manifest
	err := json.Unmarshal(held.Data[config.ManifestFile], &manifest)
	return manifest.Revision, err
}

// served returns the configuration that a fleet's Secrets hold, as the pods' volume shows it.
func served(ctx context.Context, fleet types.NamespacedName) (*config.Config, error) {
	files := config.Documents{}
	names := []string{resources.ManifestSecretName(fleet.Name)}
	for i := range 32 {
		names = append(names, resources.ShardSecretName(fleet.Name, i))
	}
	for i, name := range names {
		var held corev1.Secret
		err := admin.Get(ctx, types.NamespacedName{Namespace: fleet.Namespace, Name: name}, &held)
		if apierrors.IsNotFound(err) && i > 0 {
			break
		}
		if err != nil {
			return nil, err
		}
		maps.Copy(files, held.Data)
	}
	return config.Open(func(name string) ([]byte, error) {
		if files[name] == nil {
			return nil, fs.ErrNotExist
		}
		return files[name], nil
	})
}
