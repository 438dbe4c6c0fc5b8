package v1alpha1

import "time"

// Limits of the content. The kinds' schema has the same ones, so that nothing which a cluster accepts is refused here.
const (
	MaxEndpoints = 20_000

	MaxKeys             = 16 // of one purpose, per endpoint
	MaxAliases          = 16 // per parameter
	MaxIgnoreParameters = 64
	// MaxSignatureTemplate bounds the template of a [Signature], in bytes.
	MaxSignatureTemplate = 1024
	MaxTrainingRules     = 64  // per endpoint
	MaxStatuses          = 128 // per training rule
	MaxStatusLength      = 64
	MaxTypes             = 32 // custom conversion types per endpoint
	MaxCIDRs             = 256
	MaxForwards          = 32 // that the endpoint declares itself
	MaxForwardMatches    = 32 // sources, and campaigns, per forward
	MaxHeaders           = 16 // per forward
	MaxHeaderLength      = 1024
	MaxBodyLength        = 8192 // of a forward's body template, in bytes
	MaxExpected          = 16   // statuses and ranges per forward
	MaxMatchLength       = 128
	MaxURLLength         = 2048
	MaxProviders         = 8
	MaxFixedRates        = 256
	MaxSecretLength      = 4096
	MaxOrigins           = 32
	MaxOriginLength      = 267 // scheme, host name and port
	MaxRatePerMinute     = 60_000

	MaxRequestsPerSecond = 100_000
	MaxBurst             = 1_000_000

	MaxCampaigns        = 512 // per endpoint
	MaxCampaignForwards = 8   // per campaign; they stand among the endpoint's forwards

	// MaxEndpointBytes is the size of one endpoint, encoded, with its campaigns and forwards.
	MaxEndpointBytes = 512 << 10
	// MaxSuccessBody is the longest reply text, in bytes.
	MaxSuccessBody = 1 << 10

	MinRefreshEvery  = time.Minute
	MaxHoldFor       = 30 * 24 * time.Hour
	MaxClickLookback = 10 * 365 * 24 * time.Hour
	MaxSignatureAge  = 30 * 24 * time.Hour
)
