package suite

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/status/kstatuscheck"
)

// everyChild has a fleet make all that can be made of Kubernetes' own kinds.
const everyChild = `{store: {postgres: {dsnSecretRef: {name: database}}}, host: HOST,
	autoscaling: {minReplicas: 2, maxReplicas: 5}, ingress: {tlsSecretName: tls},
	certificate: {issuerRef: {name: letsencrypt, kind: ClusterIssuer}}, gateway: {parentRefs: [{name: public}]}, networkPolicy: {enabled: true}, podMonitor: {enabled: true}}`

// children reads everything that is in a namespace besides the declarations and pods.
func children(t *testing.T, namespace string) []client.Object {
	t.Helper()
	var all []client.Object
	for _, list := range []client.ObjectList{
		&appsv1.DeploymentList{}, &corev1.ServiceList{}, &corev1.SecretList{}, &corev1.PersistentVolumeClaimList{},
		&autoscalingv2.HorizontalPodAutoscalerList{}, &policyv1.PodDisruptionBudgetList{},
		&networkingv1.NetworkPolicyList{}, &networkingv1.IngressList{}, &corev1.ServiceAccountList{},
		untypedList("gateway.networking.k8s.io/v1", "HTTPRoute"), untypedList("cert-manager.io/v1", "Certificate"),
		untypedList("monitoring.coreos.com/v1", "PodMonitor"), untypedList("monitoring.coreos.com/v1", "PrometheusRule"),
	} {
		noError(t, admin.List(t.Context(), list, client.InNamespace(namespace),
			client.MatchingLabels{v1alpha1.LabelManagedBy: v1alpha1.LabelManagedByValue}))
		all = append(all, items(t, list)...)
	}
	return all
}

func TestRule1NothingOfTheUsersIsWrittenOrCopied(t *testing.T) {
	namespace := newNamespace(t, nil)
	secretOf(t, namespace, "database", map[string]string{"dsn": "postgres://canary-of-the-dsn@db/x"})
	fleet := fleetOf(t, namespace, "shared", strings.Replace(everyChild, "HOST", namespace+".example.com", 1))
	shop := endpointOf(t, namespace, "shop", "{currency: USD, fleetRef: {name: shared}}")
	own := endpointOf(t, namespace, "own", "{currency: USD}")
	declared := []any{fleet.Spec, shop.Spec, own.Spec, fleet.Labels, shop.Annotations}
	current(t, fleet, shop, own)
	if diff := cmp.Diff(declared, []any{fleet.Spec, shop.Spec, own.Spec, fleet.Labels, shop.Annotations}); diff != "" {
		t.Errorf("a declaration was changed:\n%s", diff)
	}
	found := children(t, namespace)
	if len(found) < 21 {
		t.Fatalf("only %d children", len(found))
	}
	for _, child := range found {
		name := fmt.Sprintf("%T %s", child, child.GetName())
		if data, _ := json.Marshal(child); strings.Contains(string(data), mark) {
			t.Errorf("%s has a label or annotation of a declaration", name)
		}
		if len(child.GetFinalizers()) > 0 && !strings.Contains(name, "PersistentVolumeClaim") {
			t.Errorf("%s has finalizers", name)
		}
		survives := child.GetName() == "own-key" || child.GetName() == "shop-key" || child.GetName() == "own-data"
		if owner := metav1.GetControllerOf(child); (owner == nil) != survives {
			t.Errorf("%s has the owner %v", name, owner)
		}
	}
	for _, entry := range get[appsv1.Deployment](t, namespace, "shared").ManagedFields {
		if entry.Manager == "postback-operator/suite" && strings.Contains(entry.FieldsV1.GetRawString(), "f:replicas") {
			t.Error("replicas are sent while autoscaling is on")
		}
	}
}

// collect does what the garbage collector would: it deletes the children of owners that are gone.
func collect(t *testing.T, namespace string, gone []types.UID) {
	t.Helper()
	for _, child := range children(t, namespace) {
		if owner := metav1.GetControllerOf(child); owner != nil && slices.Contains(gone, owner.UID) {
			noError(t, client.IgnoreNotFound(admin.Delete(t.Context(), child)))
		}
	}
}

func TestRule1GeneratedKeysSurviveTheirEndpoint(t *testing.T) {
	namespace := newNamespace(t, nil)
	shop := endpointOf(t, namespace, "shop", "{currency: USD}")
	current(t, shop)
	before := get[corev1.Secret](t, namespace, "shop-key").Data
	fleet := get[v1alpha1.ReceiverFleet](t, namespace, "shop")
	gone := []types.UID{shop.UID, fleet.UID}
	noError(t, admin.Delete(t.Context(), shop), admin.Delete(t.Context(), fleet))
	collect(t, namespace, gone)
	shop = endpointOf(t, namespace, "shop", "{currency: USD}")
	eventually(t, soon, func() error {
		collect(t, namespace, gone) // The operator may have written once more for the endpoint that is gone.
		return isCurrent(t, shop)
	})
	if diff := cmp.Diff(before, get[corev1.Secret](t, namespace, "shop-key").Data); diff != "" {
		t.Error("the key is another one")
	}
}

func TestRule2AtRestNothingIsWrittenNotEvenAfterARestart(t *testing.T) {
	namespace := newNamespace(t, nil)
	secretOf(t, namespace, "database", map[string]string{"dsn": "postgres://another-canary-dsn@db/x"})
	secretOf(t, namespace, "mine", map[string]string{"key": "canary-key-of-rule-2",
		"clickToken": "canary-token-of-rule-2"})
	secretOf(t, namespace, "signing", map[string]string{"hmac": "canary-hmac-one\ncanary-hmac-two"})
	secretOf(t, namespace, "oxr", map[string]string{"key": "canary-app-id"})
	secretOf(t, namespace, "capi", map[string]string{"token": "Bearer canary-header-of-rule-2"})
	fixtures := []client.Object{
		fleetOf(t, namespace, "shared", strings.Replace(everyChild, "HOST", namespace+".example.com", 1)),
		fleetOf(t, namespace, "spooled", "{store: {postgres: {dsnSecretRef: {name: database}, spool: {size: 1024Mi}}}, "+
			"rates: {providers: [{name: oxr, type: OpenExchangeRates, keySecretRef: {name: oxr}}]}}"),
		endpointOf(t, namespace, "plain", "{currency: USD, forwards: [{name: capi, url: 'https://capi.example/', method: "+
			"POST, body: {json: '{}'}, headers: [{name: A, valueFrom: {secretKeyRef: {name: capi, key: token}}}]}]}"),
		endpointOf(t, namespace, "joined", "{currency: EUR, fleetRef: {name: shared}, key: {secretRef: {name: mine}}}"),
		endpointOf(t, namespace, "signed", "{currency: EUR, fleetRef: {name: shared}, access: {hmac: {secretRef: {name: "+
			"signing}}}}"),
		endpointOf(t, namespace, "shaped", `{currency: EUR, receiver: {service: {type: NodePort, annotations: {a: b}}, podDisruptionBudget: {enabled: false},
			rates: {providers: [], fixed: [{from: EUR, to: USD, rate: "1.1"}]}, store: {embedded: {size: 1024Mi}},
			podTemplate: {spec: {nodeSelector: {pool: edge}, containers: [{name: receiver, resources: {limits: {memory: 1024Mi}}}, {name: side, image: side}]}}}}`),
		endpointOf(t, namespace, "lost", "{currency: EUR, fleetRef: {name: nowhere}}"),
		endpointOf(t, namespace, "keyless", "{currency: EUR, fleetRef: {name: shared}, key: {secretRef: {name: missing}}}"),
		endpointOf(t, namespace, "suspended", "{currency: EUR, suspend: true}"),
		endpointOf(t, namespace, "paged", "{currency: EUR, fleetRef: {name: shared}, browser: {types: [lead], origins: "+
			"['https://shop.example']}}"),
		campaignOf(t, namespace, "summer", "{endpointRef: {name: plain}, offerURL: 'https://offer.example/?s={subid}', "+
			"forwards: [{name: source, url: 'https://source.example/'}]}"),
		campaignOf(t, namespace, "autumn", "{endpointRef: {name: joined}, offerURL: 'https://offer.example/', token: "+
			"{secretRef: {name: missing}}}"),
		campaignOf(t, namespace, "winter", "{endpointRef: {name: nowhere}, offerURL: 'https://offer.example/'}"),
	}
	declareSamples(t, namespace)
	current(t, fixtures[0], fixtures[2], fixtures[3], fixtures[4], fixtures[5], fixtures[9], fixtures[10])
	says(t, fixtures[11], v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
	says(t, fixtures[12], v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonEndpointNotFound)
	operator.settle()
	operator.recorder.take()
	operator.stop()
	operator.start()
	operator.settle()
	if written := operator.recorder.take(); len(written) > 0 {
		t.Errorf("a second reconcile writes:\n%s", strings.Join(written, "\n"))
	}
}

// declareSamples declares what is in config/samples.
func declareSamples(t *testing.T, namespace string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "config", "samples", "*.yaml"))
	noError(t, err)
	declared := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		noError(t, err)
		for document := range strings.SplitSeq(string(data), "\n---\n") {
			object := &unstructured.Unstructured{}
			noError(t, yaml.Unmarshal([]byte(document), object))
			if kind := object.GetKind(); kind == "Namespace" || kind == "Kustomization" {
				continue
			}
			object.SetNamespace(namespace)
			noError(t, admin.Create(t.Context(), object))
			declared++
		}
	}
	if declared < 5 {
		t.Fatalf("%d samples", declared)
	}
}

func TestRule2ForeignFieldsSurvive(t *testing.T) {
	namespace := newNamespace(t, nil)
	secretOf(t, namespace, "database", map[string]string{"dsn": "postgres://canary-dsn-of-rule-2@db/x"})
	fleet := fleetOf(t, namespace, "shared", strings.Replace(everyChild, "HOST", namespace+".example.com", 1))
	deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "shared"}}
	eventually(t, soon, func() error { return admin.Get(t.Context(), client.ObjectKeyFromObject(deployment), deployment) })
	four := int32(4)
	change(t, deployment, func(d *appsv1.Deployment) {
		d.Spec.Replicas = &four // as the HorizontalPodAutoscaler
		d.Spec.Template.Annotations = map[string]string{"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}
	})
	change(t, fleet, func(f *v1alpha1.ReceiverFleet) { f.Spec.Image = "registry.example/receiver:v2" })
	current(t, fleet)
	read(t, deployment)
	if *deployment.Spec.Replicas != 4 || deployment.Spec.Template.Annotations["kubectl.kubernetes.io/restartedAt"] == "" {
		t.Errorf("foreign fields are gone: %v, %v", *deployment.Spec.Replicas, deployment.Spec.Template.Annotations)
	}
	if image := deployment.Spec.Template.Spec.Containers[0].Image; image != "registry.example/receiver:v2" {
		t.Errorf("image: %s", image)
	}
}

// How long it takes is measured by make perf-operator: a test can't tell a slow operator from a busy machine.
func TestRule2EditedAndDeletedChildrenAreBack(t *testing.T) {
	namespace := newNamespace(t, nil)
	secretOf(t, namespace, "database", map[string]string{"dsn": "postgres://third-canary-dsn@db/x"})
	fleet := fleetOf(t, namespace, "shared", strings.Replace(everyChild, "HOST", namespace+".example.com", 1))
	shop := endpointOf(t, namespace, "shop", "{currency: USD, fleetRef: {name: shared}}")
	current(t, fleet, shop)
	operator.settle()
	for _, child := range children(t, namespace) {
		kind := strings.TrimPrefix(fmt.Sprintf("%T", child), "*v1.")
		if foreign, ok := child.(*unstructured.Unstructured); ok {
			kind = foreign.GetKind()
		}
		if child.GetName() == "shop-key" {
			continue // of it there is another test
		}
		t.Run("deleted "+kind+" "+child.GetName(), func(t *testing.T) {
			uid := child.GetUID()
			noError(t, admin.Delete(t.Context(), child))
			eventually(t, soon, func() error {
				err := admin.Get(t.Context(), client.ObjectKeyFromObject(child), child)
				if err == nil && child.GetUID() == uid {
					return fmt.Errorf("it is still there")
				}
				return err
			})
		})
		t.Run("unlabelled "+kind+" "+child.GetName(), func(t *testing.T) {
			labels := child.GetLabels()
			change(t, child, func(c client.Object) { c.SetLabels(map[string]string{"mine": "too"}) })
			eventually(t, soon, func() error {
				read(t, child)
				for key, value := range labels {
					if child.GetLabels()[key] != value {
						return fmt.Errorf("label %s is not back", key)
					}
				}
				return nil
			})
		})
	}
	t.Run("an edited image", func(t *testing.T) {
		deployment := get[appsv1.Deployment](t, namespace, "shared")
		change(t, deployment, func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Image = "evil" })
		eventually(t, soon, func() error {
			read(t, deployment)
			if image := deployment.Spec.Template.Spec.Containers[0].Image; image != "registry.example/receiver:v1" {
				return fmt.Errorf("image %s", image)
			}
			return nil
		})
	})
	t.Run("an edited configuration", func(t *testing.T) {
		held := get[corev1.Secret](t, namespace, "shared-config")
		change(t, held, func(s *corev1.Secret) { s.Data["shard-000.json"] = []byte("{}") })
		eventually(t, soon, func() error {
			_, err := served(t.Context(), types.NamespacedName{Namespace: namespace, Name: "shared"})
			return err
		})
	})
}

func TestRule2DeletedFieldsRemoveChildren(t *testing.T) {
	namespace := newNamespace(t, nil)
	secretOf(t, namespace, "database", map[string]string{"dsn": "postgres://fourth-canary-dsn@db/x"})
	fleet := fleetOf(t, namespace, "shared", strings.Replace(everyChild, "HOST", namespace+".example.com", 1))
	current(t, fleet)
	optional := []client.Object{
		&autoscalingv2.HorizontalPodAutoscaler{}, &networkingv1.Ingress{}, &networkingv1.NetworkPolicy{},
		&policyv1.PodDisruptionBudget{}, untyped("gateway.networking.k8s.io/v1", "HTTPRoute"),
		untyped("monitoring.coreos.com/v1", "PodMonitor"),
		untyped("monitoring.coreos.com/v1", "PrometheusRule"), untyped("cert-manager.io/v1", "Certificate"),
	}
	for _, there := range optional {
		noError(t, admin.Get(t.Context(), client.ObjectKeyFromObject(fleet), there))
	}
	change(t, fleet, func(f *v1alpha1.ReceiverFleet) {
		f.Spec.Autoscaling, f.Spec.Ingress, f.Spec.Gateway, f.Spec.Certificate = nil, nil, nil, nil
		f.Spec.NetworkPolicy.Enabled, f.Spec.PodMonitor.Enabled = false, false
	})
	off := client.RawPatch(types.MergePatchType, []byte(`{"spec":{"podDisruptionBudget":{"enabled":false}}}`))
	noError(t, admin.Patch(t.Context(), fleet, off))
	current(t, fleet)
	operator.settle()
	for _, gone := range optional {
		if err := admin.Get(t.Context(), client.ObjectKeyFromObject(fleet), gone); !apierrors.IsNotFound(err) {
			t.Errorf("%T is still there: %v", gone, err)
		}
	}
	if replicas := get[appsv1.Deployment](t, namespace, "shared").Spec.Replicas; replicas == nil || *replicas != 1 {
		t.Errorf("replicas: %v", replicas)
	}
}

func TestRule2WhatIsNotTheOperatorsIsLeftAlone(t *testing.T) {
	namespace := newNamespace(t, nil)
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "shop"},
		Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 9}}},
	}
	noError(t, admin.Create(t.Context(), service))
	shop := endpointOf(t, namespace, "shop", "{currency: USD}")
	eventually(t, soon, func() error {
		return admin.Get(t.Context(), client.ObjectKeyFromObject(shop), &v1alpha1.ReceiverFleet{})
	})
	fleet := get[v1alpha1.ReceiverFleet](t, namespace, "shop")
	message := says(t, fleet, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonInvalid)
	if !strings.Contains(message, "Service shop exists and is not the operator's") {
		t.Errorf("message: %s", message)
	}
	read(t, service)
	if service.Spec.Ports[0].Port != 9 || len(service.OwnerReferences) > 0 {
		t.Errorf("the Service was taken over: %v", service.Spec.Ports)
	}
	noError(t, admin.Delete(t.Context(), service))
	current(t, fleet, shop)
}

func TestRule3CurrentOnlyWhenEveryReadyReceiverConfirmed(t *testing.T) {
	namespace := newNamespace(t, nil)
	secretOf(t, namespace, "database", map[string]string{"dsn": "postgres://fifth-canary-dsn@db/x"})
	fleet := fleetOf(t, namespace, "shared", "{replicas: 2, store: {postgres: {dsnSecretRef: {name: database}}}}")
	shop := endpointOf(t, namespace, "shop", "{currency: USD, fleetRef: {name: shared}}")
	neighbour := endpointOf(t, namespace, "neighbour", "{currency: USD, fleetRef: {name: shared}}")
	current(t, fleet, shop, neighbour)
	if fleet.Status.ConfirmedReplicas != 2 || fleet.Status.Replicas != 2 || fleet.Status.Endpoints.Accepted != 2 {
		t.Errorf("status: %+v", fleet.Status)
	}
	operator.settle()
	read(t, neighbour)
	untouched := neighbour.ResourceVersion

	release := receivers.hold(namespace)
	change(t, shop, func(e *v1alpha1.PostbackEndpoint) { e.Spec.Currency = "EUR" })
	says(t, shop, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonPropagating)
	says(t, shop, v1alpha1.ConditionProgrammed, metav1.ConditionTrue, v1alpha1.ReasonProgrammed)
	says(t, fleet, v1alpha1.ConditionConfigPropagated, metav1.ConditionFalse, v1alpha1.ReasonPropagating)
	operator.settle()
	if _, seen := readable(shop); kstatuscheck.Read(seen) != kstatuscheck.InProgress {
		t.Error("it is not in progress while no receiver has taken the change up")
	}
	release()
	current(t, shop, fleet)
	operator.settle()
	if read(t, neighbour); neighbour.ResourceVersion != untouched {
		t.Error("a neighbour's change wrote to an endpoint")
	}

	wake := receivers.sleep(namespace)
	says(t, neighbour, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonUnavailable)
	wake()
	current(t, neighbour, fleet)
}

func TestRule4NoKeyIsRecognisableInWhatEverybodyMayRead(t *testing.T) {
	namespace := newNamespace(t, nil)
	weak := secret("ba1ec3c")
	secretOf(t, namespace, "mine", map[string]string{"key": weak})
	shop := endpointOf(t, namespace, "shop", "{currency: USD, key: {allowWeak: true, secretRef: {name: mine}}}")
	current(t, shop)
	message := says(t, shop, v1alpha1.ConditionKeyResolved, metav1.ConditionTrue, v1alpha1.ReasonKeyWeak)
	if !strings.Contains(message, "64 bits") {
		t.Errorf("message: %s", message)
	}
	url := string(get[corev1.Secret](t, namespace, "shop-postback").Data["url"])
	if url != strings.Replace(shop.Status.URLTemplate, "{key}", weak, 1) {
		t.Errorf("the template %s is not that of the URL", shop.Status.URLTemplate)
	}
	held := get[corev1.Secret](t, namespace, "shop-config")
	if strings.Contains(string(held.Data["shard-000.json"]), weak) {
		t.Error("the receivers' configuration holds the key itself")
	}
	places, err := outside(t.Context())
	noError(t, err)
	for _, form := range forms(weak) {
		for place, text := range places {
			if strings.Contains(string(text), form) {
				t.Errorf("%s shows the key", place)
			}
		}
	}
}

func TestRule5TheYoungerOfTwoWithTheSameKeyLoses(t *testing.T) {
	namespace, other := newNamespace(t, nil), newNamespace(t, nil)
	key := map[string]string{"key": "canary-key-of-two-endpoints", "clickToken": "canary-token-of-the-elder"}
	secretOf(t, namespace, "mine", key)
	secretOf(t, other, "mine", map[string]string{"key": key["key"]})
	fleet := fleetOf(t, namespace, "shared", "{allowedEndpoints: {namespaces: All}}")
	elder := endpointOf(t, namespace, "elder", "{currency: USD, fleetRef: {name: shared}, key: {secretRef: {name: mine}}}")
	current(t, elder)
	time.Sleep(time.Second) // creation times have seconds
	younger := endpointOf(t, other, "younger",
		fmt.Sprintf("{currency: USD, fleetRef: {name: shared, namespace: %s}, key: {secretRef: {name: mine}}}", namespace))
	message := says(t, younger, v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonKeyTaken)
	if strings.Contains(message, namespace) || strings.Contains(message, "elder") {
		t.Errorf("the message tells of another namespace: %s", message)
	}
	current(t, elder)
	eventually(t, soon, func() error {
		read(t, fleet)
		if fleet.Status.Endpoints != (v1alpha1.EndpointCounts{Accepted: 1, Rejected: 1}) {
			return fmt.Errorf("counts: %+v", fleet.Status.Endpoints)
		}
		return nil
	})
	mine := get[corev1.Secret](t, other, "mine")
	change(t, mine, func(s *corev1.Secret) { s.Data["key"] = []byte(secret("canary-key-of-the-younger")) })
	current(t, younger, elder)
}

func TestRule6OnlyLabelledSecretsAreCachedWhole(t *testing.T) {
	operator.recorder.mu.Lock()
	defer operator.recorder.mu.Unlock()
	for selector := range operator.recorder.whole {
		if selector != v1alpha1.LabelRole {
			t.Errorf("Secrets are listed whole by the selector %q", selector)
		}
	}
	if len(operator.recorder.whole) == 0 {
		t.Error("no list of Secrets was seen")
	}
}

func TestRule6ForeignSecretsAreNeverRead(t *testing.T) {
	namespace := newNamespace(t, nil)
	operator.settle()
	before := reads("get", "", "secrets")
	for i := range 20 {
		secretOf(t, namespace, fmt.Sprintf("foreign-%d", i),
			map[string]string{"x": fmt.Sprintf("canary-foreign-%d-", i) + strings.Repeat("x", 10<<10)})
	}
	operator.settle()
	if after := reads("get", "", "secrets"); after != before {
		t.Errorf("%d foreign Secrets were read", after-before)
	}
}

func reads(verb, group, resource string) int {
	operator.recorder.mu.Lock()
	defer operator.recorder.mu.Unlock()
	return operator.recorder.requests[request{verb, group, resource}]
}

func TestRule7TheSelectorIsTwoFixedLabels(t *testing.T) {
	namespace := newNamespace(t, nil)
	shop := endpointOf(t, namespace, "shop", "{currency: USD}")
	current(t, shop)
	deployment := get[appsv1.Deployment](t, namespace, "shop")
	want := map[string]string{"app.kubernetes.io/name": "postback-receiver", "postback.dev/fleet": "shop"}
	if diff := cmp.Diff(want, deployment.Spec.Selector.MatchLabels); diff != "" {
		t.Errorf("selector (-want +got):\n%s", diff)
	}
	pod := deployment.Spec.Template.Spec
	receiver := pod.Containers[0]
	if *pod.AutomountServiceAccountToken || !*pod.SecurityContext.RunAsNonRoot ||
		!*receiver.SecurityContext.ReadOnlyRootFilesystem {
		t.Errorf("pod: %+v", pod)
	}
	budget := get[policyv1.PodDisruptionBudget](t, namespace, "shop")
	if budget.Spec.MaxUnavailable.IntValue() != 1 || *budget.Spec.UnhealthyPodEvictionPolicy != policyv1.AlwaysAllow {
		t.Errorf("the budget may block a drain: %+v", budget.Spec)
	}
	if !slices.Contains(receiver.Args, "--drain=5s") || *pod.TerminationGracePeriodSeconds <= 5 {
		t.Errorf("a stop may lose postbacks: %v, %d s", receiver.Args, *pod.TerminationGracePeriodSeconds)
	}
}
