package v1alpha1

// Condition types of a PostbackEndpoint and of a Campaign.
const (
	// ConditionAccepted: the declaration is valid, its fleet takes it and no older one has its key, alias or token.
	ConditionAccepted = "Accepted"
	// ConditionKeyResolved: every Secret that it needs is there.
	ConditionKeyResolved = "KeyResolved"
	// ConditionProgrammed: it is in the configuration that its receivers load.
	ConditionProgrammed = "Programmed"
)

// Condition types of a ReceiverFleet.
const (
	// ConditionAvailable: enough receivers are ready to serve.
	ConditionAvailable = "Available"
	// ConditionReachable: nothing through which networks reach the receivers reports a problem.
	ConditionReachable = "Reachable"
	// ConditionConfigPropagated: every ready receiver confirmed the wanted revision.
	ConditionConfigPropagated = "ConfigPropagated"
	// ConditionAcknowledgedMissing: receivers have lost postbacks that they had acknowledged. It is present only while
	// true.
	ConditionAcknowledgedMissing = "AcknowledgedMissing"
)

// Condition types of all kinds. Reconciling and Stalled are present only while true, as kstatus wants it.
const (
	ConditionReady       = "Ready"
	ConditionReconciling = "Reconciling"
	ConditionStalled     = "Stalled"
)

// Reasons of conditions.
const (
	ReasonAccepted          = "Accepted"
	ReasonInvalid           = "Invalid"
	ReasonFleetNotFound     = "FleetNotFound"
	ReasonFleetNotPermitted = "FleetNotPermitted"
	ReasonKeyTaken          = "KeyTaken"
	// Of campaigns.
	ReasonEndpointNotFound    = "EndpointNotFound"
	ReasonEndpointNotAccepted = "EndpointNotAccepted"
	ReasonAliasTaken          = "AliasTaken"
	ReasonTokenTaken          = "TokenTaken"
	// ReasonOfferWithoutSubid: the link works, but its offer gets no subid.
	ReasonOfferWithoutSubid = "OfferWithoutSubid"

	ReasonResolved       = "Resolved"
	ReasonSecretNotFound = "SecretNotFound"
	ReasonSecretInvalid  = "SecretInvalid"
	// ReasonStoreChanged: another kind of store is declared than the receivers have, and nobody said that this is meant.
	ReasonStoreChanged = "StoreChanged"
	// ReasonHostTaken: an older fleet routes the fleet's host.
	ReasonHostTaken = "HostTaken"
	// ReasonSecretNotReadable: the Secret lacks the label by which it opts in to being read, or the annotation by which it
	// may leave its namespace.
	ReasonSecretNotReadable = "SecretNotReadable"
	// ReasonKeyWeak: the key works, but it may be guessed.
	ReasonKeyWeak = "KeyWeak"
	// ReasonTokenInQuery: the click API takes the campaign's token in URLs, which servers and proxies log.
	ReasonTokenInQuery = "TokenInQuery"

	ReasonProgrammed = "Programmed"
	ReasonSuspended  = "Suspended"

	ReasonAvailable   = "Available"
	ReasonUnavailable = "Unavailable"
	ReasonReachable   = "Reachable"
	// ReasonKindMissing: the cluster lacks a kind that the fleet needs, like HTTPRoute.
	ReasonKindMissing = "KindMissing"
	// The following are said by the controllers of the fleet's children.
	ReasonCertificateNotReady = "CertificateNotReady"
	ReasonRouteNotAccepted    = "RouteNotAccepted"
	ReasonLoadBalancerPending = "LoadBalancerPending"

	// ReasonScaledToZero: the fleet is declared to have no receiver.
	ReasonScaledToZero = "ScaledToZero"
	// ReasonProgressDeadlineExceeded: receivers have not come up for so long that waiting won't help.
	ReasonProgressDeadlineExceeded = "ProgressDeadlineExceeded"

	ReasonConfirmed   = "Confirmed"
	ReasonPropagating = "Propagating"

	// ReasonSpoolDamaged: the disk of a spool has lost what it had promised to keep.
	ReasonSpoolDamaged = "SpoolDamaged"

	// ReasonAPIRefused: the API server does not take what the operator writes, or cannot be reached.
	ReasonAPIRefused = "APIRefused"
	// ReasonContested: somebody changes back what the operator writes, each time.
	ReasonContested = "Contested"
	// ReasonManagedByOther: another operator made the objects of a declaration.
	ReasonManagedByOther = "ManagedByOther"

	ReasonReady       = "Ready"
	ReasonProgressing = "Progressing"
)
