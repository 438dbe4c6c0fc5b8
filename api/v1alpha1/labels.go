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
	// LabelCampaign names the Campaign, in the same namespace, that an object belongs to.
	LabelCampaign = "postback.dev/campaign"
	// LabelRole says what a Secret holds, one of the roles below.
	LabelRole = "postback.dev/role"
)

// How operators that work in one namespace are told apart.
const (
	// AnnotationOperator on everything that an operator makes is its id. Another operator leaves that alone.
	AnnotationOperator = "postback.dev/operator"
	// LabelClass on a declaration says which operator takes it: one that runs with this --operator-class. Without the
	// label it is one without a class.
	LabelClass = "postback.dev/class"
)

// AnnotationStoreChange on a ReceiverFleet, or on the PostbackEndpoint of its own fleet, says that the receivers may
// start on another kind of store, the one that it names: their rows were moved there, or are not needed.
const AnnotationStoreChange = "postback.dev/store-change"

// Roles of Secrets.
const (
	RoleKey     = "key"     // a generated postback key and click token
	RoleKeyring = "keyring" // which keys are valid until when; digests, no keys
	RoleURL     = "url"     // the postback URL to paste at the network
	RoleConfig  = "config"  // documents of the configuration contract
	// RoleSnippets: what to paste into pages and sites, credentials and all.
	RoleSnippets = "snippets"
	// RoleOps: the bearer token of the receivers' read API.
	RoleOps = "ops"
	// RoleAdmin: the key of Keitaro's Admin API.
	RoleAdmin = "admin"
)

// How a Secret of yours opts in to being read: declarations name Secrets, and who may write declarations may not always
// read Secrets.
const (
	// LabelReadable with LabelReadableValue on a Secret lets declarations of its namespace name it.
	LabelReadable      = "postback.dev/readable"
	LabelReadableValue = "true"
	// SecretTypeCredentials is the type of a Secret that is readable without the label.
	SecretTypeCredentials = "postback.dev/credentials" //nolint:gosec // a type, no secret
	// AnnotationSharedWith on a Secret lists, separated by commas, the other namespaces that its values may go to: those
	// of fleets whose receivers need them.
	AnnotationSharedWith = "postback.dev/shared-with"
)

// Annotations on a Secret with generated credentials.
const (
	// AnnotationKeyRevision is the spec.key.revision, or the spec.token.revision of a campaign, for which it was made.
	AnnotationKeyRevision = "postback.dev/key-revision"
	// AnnotationClientKeyRevision is the spec.browser.revision for which the client key was made.
	AnnotationClientKeyRevision = "postback.dev/client-key-revision"
)

// AnnotationConfigRevision on the Secret with a fleet's manifest is the revision of the whole configuration; on a pod
// it is the one that its receiver was nudged to take up.
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
	// OpsSecretSuffix after a fleet's name: the bearer token of its receivers' read API, in its field OpsTokenField.
	OpsSecretSuffix = "-ops"
	OpsTokenField   = "token"
	// AdminSuffix after a fleet's name: the Secret with the generated key of its Admin API, in the field DefaultKeyField,
	// and the Service that leads to it.
	AdminSuffix = "-admin"
	// DefaultHMACField holds the secrets that sign postbacks, one per line, unless secretRef names another.
	DefaultHMACField = "hmac"
	// DefaultSignatureField is the same for the signature of an offer wall.
	DefaultSignatureField = "signature"
	// ClickTokenField of a key Secret is the credential of the click intake.
	ClickTokenField = "clickToken"
	// DefaultKeyField of a key Secret is the postback key, unless secretRef names another.
	DefaultKeyField = "key"
	// KeyringField of a keyring Secret is the keyring.
	KeyringField = "keyring.json"
	// URLSecretSuffix after the endpoint's name: the postback URL, key and all, in its field URLField, and the key alone
	// in DefaultKeyField. APITokenField has the token that reads the endpoint from its fleet's API.
	URLSecretSuffix = "-postback"
	URLField        = "url"
	APITokenField   = "apiToken"
	// ClientKeyField of a key Secret is the key of web pages.
	ClientKeyField = "clientKey"
	// SnippetsSecretSuffix after the endpoint's name: what to paste, one field per client.
	SnippetsSecretSuffix = "-snippets"
	// TokenSecretSuffix after the campaign's name: the generated token. It outlives the campaign.
	TokenSecretSuffix = "-campaign"
	// DefaultTokenField of a Secret is a campaign's token, unless secretRef names another.
	DefaultTokenField = "token"
	// CampaignKeyringSecretSuffix and CampaignSnippetsSecretSuffix after the campaign's name: its keyring, and what to
	// paste. The dot keeps them apart from every endpoint's Secrets.
	CampaignKeyringSecretSuffix  = ".campaign-keyring"
	CampaignSnippetsSecretSuffix = ".campaign-snippets"
	// DefaultDSNField of a Secret is the connection string of a database, unless dsnSecretRef names another.
	DefaultDSNField = "dsn"
)
