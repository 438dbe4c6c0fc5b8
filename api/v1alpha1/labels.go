package v1alpha1

// Labels on what the operator makes. The cache holds Secrets in full only where they carry [LabelRole].
const (
	// LabelManagedBy and its value stand on every object the operator makes.
	LabelManagedBy      = "app.kubernetes.io/managed-by"
	LabelManagedByValue = "postback-operator"
	// LabelEndpoint names the PostbackEndpoint, in the same namespace, that an object belongs to.
	LabelEndpoint = "postback.dev/endpoint"
	// LabelFleet names the ReceiverFleet, in the same namespace, that an object belongs to.
	LabelFleet = "postback.dev/fleet"
	// LabelRole says what a Secret holds, one of the roles below.
	LabelRole = "postback.dev/role"
)

// Roles of Secrets.
const (
	RoleKey     = "key"     // a generated postback key and click token
	RoleKeyring = "keyring" // which keys are valid until when; digests, no keys
	RoleURL     = "url"     // the postback URL to paste at the network
	RoleConfig  = "config"  // documents of the configuration contract
)

// AnnotationKeyRevision on a generated key Secret is the spec.key.revision for which its key was made.
const AnnotationKeyRevision = "postback.dev/key-revision"

// AnnotationConfigRevision on the Secret with a fleet's manifest is the revision of the whole configuration; on a pod it is
// the one that its receiver was nudged to take up.
const AnnotationConfigRevision = "postback.dev/config-revision"

// Names and fields of the Secrets of an endpoint or fleet.
const (
	// KeySecretSuffix after the endpoint's name: the generated key and click token. It outlives the endpoint.
	KeySecretSuffix = "-key"
	// KeyringSecretSuffix after the endpoint's name: the keyring.
	KeyringSecretSuffix = "-keyring"
	// RatesKeyringSecretSuffix after a fleet's name: the keyring of its rate providers. The dot keeps it apart from every
	// endpoint's Secrets, whose names have none.
	RatesKeyringSecretSuffix = ".rates-keyring" //nolint:gosec // a name, no secret
	// DefaultHMACField holds the secrets that sign postbacks, one per line, unless secretRef names another.
	DefaultHMACField = "hmac"
	// ClickTokenField of a key Secret is the credential of the click intake.
	ClickTokenField = "clickToken"
	// DefaultKeyField of a key Secret is the postback key, unless secretRef names another.
	DefaultKeyField = "key"
	// KeyringField of a keyring Secret is the keyring.
	KeyringField = "keyring.json"
	// URLSecretSuffix after the endpoint's name: the postback URL, key and all, in its field URLField.
	URLSecretSuffix = "-postback"
	URLField        = "url"
	// DefaultDSNField of a Secret is the connection string of a database, unless dsnSecretRef names another.
	DefaultDSNField = "dsn"
)
