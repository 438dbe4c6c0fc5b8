// Package setup wires the operator: options, caches, manager, reconcilers. Nothing is decided here.
package setup

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/discovery"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/config/crd"
	"github.com/postback-dev/postback-operator/controllers/apply"
	"github.com/postback-dev/postback-operator/controllers/campaign"
	"github.com/postback-dev/postback-operator/controllers/endpoint"
	"github.com/postback-dev/postback-operator/controllers/fleet"
	"github.com/postback-dev/postback-operator/controllers/index"
	"github.com/postback-dev/postback-operator/controllers/lookup"
	"github.com/postback-dev/postback-operator/controllers/propagation"
	"github.com/postback-dev/postback-operator/controllers/resources"
	"github.com/postback-dev/postback-operator/controllers/schema"
	"github.com/postback-dev/postback-operator/controllers/served"
)

// leaseName is the name of the Lease of the leader election; that of a class has the class behind it.
const leaseName = "postback-operator"

// workers reconcile at a time, of each kind.
const workers = 4

// +kubebuilder:rbac:groups=authentication.k8s.io,resources=tokenreviews,verbs=create,roleName=postback-operator-cluster
// +kubebuilder:rbac:groups=authorization.k8s.io,resources=subjectaccessreviews,verbs=create,roleName=postback-operator-cluster
// +kubebuilder:rbac:groups=coordination.k8s.io,resources=leases,verbs=get;create;update,namespace=system,roleName=postback-operator-leader-election
// +kubebuilder:rbac:groups="",resources=events,verbs=create;patch,namespace=system,roleName=postback-operator-leader-election

// Run runs the operator until the context ends.
func Run(ctx context.Context, o Options) error {
	if o.Config == nil {
		var err error
		if o.Config, err = ctrl.GetConfig(); err != nil {
			return fmt.Errorf("finding the API server: %w", err)
		}
	}
	if err := o.checkCertificate(); err != nil {
		return err
	}
	mgr, err := ctrl.NewManager(o.Config, managerOptions(o, logs(o)))
	if err != nil {
		return fmt.Errorf("making the manager: %w", err)
	}
	if err := addReconcilers(ctx, mgr, o); err != nil {
		return err
	}
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return err
	}
	synced := func(request *http.Request) error {
		if !mgr.GetCache().WaitForCacheSync(request.Context()) {
			return fmt.Errorf("the cache is not filled yet")
		}
		return nil
	}
	if err := mgr.AddReadyzCheck("cache", synced); err != nil {
		return err
	}
	return mgr.Start(ctx)
}

// UseLogs makes everything in the process log where the operator does. It is called once, before Run.
func UseLogs(o Options) {
	logger := logs(o)
	ctrl.SetLogger(logger)
	klog.SetLogger(logger)
}

// logs never goes below debug: there client-go writes whole requests, and with them Secrets, into the log.
func logs(o Options) logr.Logger {
	options := &slog.HandlerOptions{Level: max(o.LogLevel, slog.LevelDebug)}
	if o.LogFormat == "text" {
		return logr.FromSlogHandler(slog.NewTextHandler(o.Logs, options))
	}
	return logr.FromSlogHandler(slog.NewJSONHandler(o.Logs, options))
}

// newScheme knows Kubernetes' kinds and the product's.
func newScheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	return scheme
}

func managerOptions(o Options, logger logr.Logger) ctrl.Options {
	yes := true
	options := ctrl.Options{
		Scheme:                  newScheme(),
		Logger:                  logger,
		Cache:                   cacheOptions(o.Namespaces, o.Class),
		Client:                  client.Options{Cache: &client.CacheOptions{Unstructured: true}},
		Metrics:                 metricsserver.Options{BindAddress: o.MetricsAddress},
		HealthProbeBindAddress:  o.ProbeAddress,
		LivenessEndpointName:    "/livez",
		ReadinessEndpointName:   "/readyz",
		LeaderElection:          o.LeaderElection,
		LeaderElectionID:        strings.TrimSuffix(leaseName+"-"+o.Class, "-"),
		LeaderElectionNamespace: o.LeaderElectionNamespace,
		// a client of its own, so that no burst of work makes it late
		LeaderElectionConfig:          rest.CopyConfig(o.Config),
		LeaderElectionReleaseOnCancel: true,
		Controller: config.Controller{
			EnableWarmup:       &yes,
			SkipNameValidation: &yes, // names are given once below; a process that ran the operator may run it again
		},
	}
	if !o.MetricsOpen {
		options.Metrics.SecureServing = true
		options.Metrics.CertDir = o.MetricsCertDir
		options.Metrics.FilterProvider = filters.WithAuthenticationAndAuthorization
	}
	return options
}

// startedWithCaches makes the manager start a cache where it starts its own.
type startedWithCaches struct{ cache.Cache }

// GetCache tells the manager what it is.
func (c startedWithCaches) GetCache() cache.Cache { return c.Cache }

func addReconcilers(ctx context.Context, mgr ctrl.Manager, o Options) error {
	if err := index.Register(ctx, mgr.GetFieldIndexer()); err != nil {
		return err
	}
	foreignCache := foreignOptions(o.Namespaces, mgr.GetScheme())
	foreignCache.HTTPClient, foreignCache.Mapper = mgr.GetHTTPClient(), mgr.GetRESTMapper()
	foreign, err := cache.New(mgr.GetConfig(), foreignCache)
	if err != nil {
		return fmt.Errorf("making the cache of metadata: %w", err)
	}
	if err := mgr.Add(startedWithCaches{foreign}); err != nil {
		return err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	recorder := mgr.GetEventRecorder("postback-operator")
	defaultFleet, err := schema.Defaults(crd.Files, "bases/postback.dev_receiverfleets.yaml")
	if err != nil {
		return fmt.Errorf("reading the definition of ReceiverFleets: %w", err)
	}
	writer := &apply.Writer{
		Client: mgr.GetClient(),
		Live:   mgr.GetAPIReader(),
		Events: recorder,
		ID:     o.id(),
		Now:    o.Now,

		DefaultFleet: defaultFleet,
	}
	secrets := &lookup.Secrets{Own: mgr.GetClient(), Metadata: foreign, Live: mgr.GetAPIReader()}
	verdicts := &propagation.VerdictStore{Endpoints: &propagation.Trigger{}}
	onCampaigns := &propagation.VerdictStore{Endpoints: &propagation.Trigger{}}
	prober := propagation.NewProber(&propagation.Trigger{}, o.Dial)
	if err := mgr.Add(prober); err != nil {
		return err
	}
	clusterWide := len(o.Namespaces) == 0
	fleets := &fleet.Reconciler{
		Writer: writer, Cache: mgr.GetClient(), Live: mgr.GetAPIReader(), Secrets: secrets,
		Verdicts: verdicts, Campaigns: onCampaigns, Prober: prober, History: &propagation.History{},
		Now: o.Now,
	}
	kinds, err := followKinds(mgr, o, fleets)
	if err != nil {
		return err
	}
	fleets.Facts = resources.Facts{Image: o.Image, Permitted: o.Permitted, Serves: kinds.Serves}
	if clusterWide {
		fleets.Foreign = foreign
	}
	if err := fleets.Setup(mgr, foreign, clusterWide, controllerOptions()); err != nil {
		return fmt.Errorf("adding the reconciler of ReceiverFleets: %w", err)
	}
	tools := served.Tools{
		Writer:   writer,
		Cache:    mgr.GetClient(),
		Live:     mgr.GetAPIReader(),
		Secrets:  secrets,
		Verdicts: verdicts,
		Now:      o.Now,
	}
	endpoints := &endpoint.Reconciler{Tools: tools, Foreign: fleets.Foreign}
	if err := endpoints.Setup(mgr, foreign, controllerOptions()); err != nil {
		return fmt.Errorf("adding the reconciler of PostbackEndpoints: %w", err)
	}
	tools.Verdicts = onCampaigns
	campaigns := &campaign.Reconciler{Tools: tools}
	if err := campaigns.Setup(mgr, foreign, controllerOptions()); err != nil {
		return fmt.Errorf("adding the reconciler of Campaigns: %w", err)
	}
	return nil
}

func controllerOptions() controller.Options {
	return controller.Options{
		MaxConcurrentReconciles: workers,
		RateLimiter: workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](100*time.Millisecond,
			time.Minute),
	}
}

// followKinds looks for the kinds of others' operators, now and again.
func followKinds(mgr ctrl.Manager, o Options, fleets *fleet.Reconciler) (*lookup.Kinds, error) {
	asking, err := discovery.NewDiscoveryClientForConfigAndClient(mgr.GetConfig(), mgr.GetHTTPClient())
	if err != nil {
		return nil, fmt.Errorf("making the client of discovery: %w", err)
	}
	kinds := &lookup.Kinds{
		Wanted:   resources.ForeignKinds,
		Discover: asking.ServerResourcesForGroupVersion,
		Every:    cmp.Or(o.DiscoverEvery, time.Minute/2),
		Changed:  fleets.KindsChanged,
	}
	if _, _, err := kinds.Refresh(); err != nil {
		return nil, err
	}
	return kinds, mgr.Add(kinds)
}
