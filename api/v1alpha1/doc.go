// Package v1alpha1 holds the kinds a user declares, group postback.dev: PostbackEndpoint, one tenant's configuration;
// Campaign, a link whose visits are clicks of an endpoint; and ReceiverFleet, the workload that serves them. It owns
// their schema, defaults and validation rules, and the names of conditions, reasons and labels.
//
// It imports neither clients nor controllers. What the receivers load is another package, api/config/v1alpha1.
//
// +kubebuilder:object:generate=true
// +kubebuilder:ac:generate=true
// +kubebuilder:ac:output:package=applyconfiguration
// +groupName=postback.dev
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is the group and version of the kinds of this package. SchemeGroupVersion is the name under which
// generated code looks for it.
var (
	GroupVersion       = schema.GroupVersion{Group: "postback.dev", Version: "v1alpha1"}
	SchemeGroupVersion = GroupVersion
)

// Kinds of this package.
const (
	KindPostbackEndpoint = "PostbackEndpoint"
	KindReceiverFleet    = "ReceiverFleet"
	KindCampaign         = "Campaign"
)

// AddToScheme registers the kinds.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion,
		&PostbackEndpoint{}, &PostbackEndpointList{},
		&ReceiverFleet{}, &ReceiverFleetList{},
		&Campaign{}, &CampaignList{})
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
