package resources

import (
	"strconv"

	corev1 "k8s.io/api/core/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/credential"
)

// TokenSecret keeps a generated token, and for which spec.token.revision it was generated. It has no owner: sites know
// the token, so it outlives the campaign.
func TokenSecret(campaign *v1alpha1.Campaign, g *credential.Generated) *corev1ac.SecretApplyConfiguration {
	return campaignSecret(campaign, TokenSecretName(campaign), v1alpha1.RoleKey).
		WithAnnotations(map[string]string{v1alpha1.AnnotationKeyRevision: strconv.FormatInt(g.Revision, 10)}).
		WithData(map[string][]byte{v1alpha1.DefaultTokenField: []byte(g.Key)})
}

// CampaignKeyringSecret keeps a campaign's encoded keyring.
func CampaignKeyringSecret(campaign *v1alpha1.Campaign, ring []byte) *corev1ac.SecretApplyConfiguration {
	return campaignSecret(campaign, CampaignKeyringSecretName(campaign), v1alpha1.RoleKeyring).
		WithOwnerReferences(ownedByCampaign(campaign)).
		WithData(map[string][]byte{v1alpha1.KeyringField: ring})
}

// CampaignSnippetsSecret holds what to paste into pages and sites, by field.
func CampaignSnippetsSecret(campaign *v1alpha1.Campaign,
	snippets map[string][]byte) *corev1ac.SecretApplyConfiguration {
	return campaignSecret(campaign, CampaignSnippetsSecretName(campaign), v1alpha1.RoleSnippets).
		WithOwnerReferences(ownedByCampaign(campaign)).
		WithData(snippets)
}

func campaignSecret(campaign *v1alpha1.Campaign, name, role string) *corev1ac.SecretApplyConfiguration {
	return corev1ac.Secret(name, campaign.Namespace).
		WithType(corev1.SecretTypeOpaque).
		WithLabels(map[string]string{
			v1alpha1.LabelManagedBy: v1alpha1.LabelManagedByValue,
			v1alpha1.LabelCampaign:  campaign.Name,
			v1alpha1.LabelRole:      role,
		})
}

func ownedByCampaign(campaign *v1alpha1.Campaign) *metav1ac.OwnerReferenceApplyConfiguration {
	return metav1ac.OwnerReference().WithAPIVersion(v1alpha1.GroupVersion.String()).WithKind(v1alpha1.KindCampaign).
		WithName(campaign.Name).WithUID(campaign.UID).WithController(true)
}

// Link is the public address of a campaign; fleet serves its endpoint.
func Link(campaign *v1alpha1.Campaign, fleet *v1alpha1.ReceiverFleet) string {
	return BaseURL(fleet) + "/" + campaign.LinkAlias()
}
