package v1alpha1

// Condition types of a PostbackEndpoint.
const (
	// ConditionAccepted: the declaration is valid, its fleet takes it and no older endpoint has its key.
	ConditionAccepted = "Accepted"
	// ConditionKeyResolved: every Secret that the endpoint needs is there.
	ConditionKeyResolved = "KeyResolved"
	// ConditionProgrammed: the endpoint stands in the configuration that its receivers load.
	ConditionProgrammed = "Programmed"
)

// Condition types of a ReceiverFleet.
const (
	// ConditionAvailable: enough receivers are ready to serve.
	ConditionAvailable = "Available"
	// ConditionConfigPropagated: every ready receiver confirmed the wanted revision.
	ConditionConfigPropagated = "ConfigPropagated"
)

// Condition types of both kinds. Reconciling and Stalled are present only while true, as kstatus wants it.
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

	ReasonResolved       = "Resolved"
	ReasonSecretNotFound = "SecretNotFound"
	ReasonSecretInvalid  = "SecretInvalid"
	// ReasonKeyWeak: the key works, but it may be guessed.
	ReasonKeyWeak = "KeyWeak"

	ReasonProgrammed = "Programmed"
	ReasonSuspended  = "Suspended"

	ReasonAvailable   = "Available"
	ReasonUnavailable = "Unavailable"
	ReasonConfirmed   = "Confirmed"
	ReasonPropagating = "Propagating"

	ReasonReady       = "Ready"
	ReasonProgressing = "Progressing"
)
