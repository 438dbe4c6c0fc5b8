package v1alpha1

// AliasName is a parameter name that the network uses.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=64
type AliasName string

// AliasList are the aliases of one parameter, in the order in which they are looked at.
//
// +listType=set
// +kubebuilder:validation:MaxItems=16
type AliasList []AliasName

// Aliases by canonical parameter. A map and not a struct, because CEL can compare the lists with one another only when
// it knows a bound of their sizes, and it loses that bound when it reads fields by name.
//
// +kubebuilder:validation:MaxProperties=51
// +kubebuilder:validation:XValidation:rule="self.all(p, p in ['subid','status','tid','payout','cost','currency','date','keyword','external_id','creative_id','ad_campaign_id','source','return','from','ignore_status','lead_status','sale_status','rejected_status','registration_status','deposit_status','trash_status'] || p.matches('^sub_id_([1-9]|[12][0-9]|30)$'))",message="aliases: use the parameters' own names: subid, status, tid, payout, cost, currency, date, keyword, external_id, creative_id, ad_campaign_id, source, sub_id_1 to sub_id_30, return, from, ignore_status, lead_status, sale_status, rejected_status, registration_status, deposit_status, trash_status"
// +kubebuilder:validation:XValidation:rule="self.all(p, self[p].all(a, a.matches('^[A-Za-z0-9_.:\\\\[\\\\]-]+$')))",message="aliases: write parameter names of letters, digits and _ . : [ ] -"
// +kubebuilder:validation:XValidation:rule="!self.exists(p, self[p].exists(a, a in ['subid','status','tid','payout','cost','currency','date','keyword','external_id','creative_id','ad_campaign_id','source','return','from','ignore_status','lead_status','sale_status','rejected_status','registration_status','deposit_status','trash_status'] || a.matches('^sub_id_([1-9]|[12][0-9]|30)$')))",message="aliases: an alias can't be the name of a parameter itself"
// +kubebuilder:validation:XValidation:rule="self.all(p, self[p].all(a, self.exists_one(q, a in self[q])))",message="aliases: an alias may stand for one parameter only"
// +kubebuilder:validation:XValidation:rule="self.all(p, !self[p].exists(a, a in ['sub_id','revenue','profit','ignore','reject_status'] && {'sub_id':'subid','revenue':'payout','profit':'payout','ignore':'ignore_status','reject_status':'rejected_status'}[a] != p))",message="aliases: sub_id always stands for subid, revenue and profit for payout, ignore for ignore_status, reject_status for rejected_status"
type Aliases map[string]AliasList
