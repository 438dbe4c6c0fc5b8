package v1alpha1

import "time"

// Limits of the content. The kinds' schema has the same ones, so that nothing which a cluster accepts is refused here.
const (
	MaxEndpoints = 20_000

	MaxKeys           = 16  // of one purpose, per endpoint
	MaxAliases        = 16  // per parameter
	MaxTrainingRules  = 64  // per endpoint
	MaxStatuses       = 128 // per training rule
	MaxStatusLength   = 64
	MaxTypes          = 32 // custom conversion types per endpoint
	MaxCIDRs          = 256
	MaxForwards       = 32
	MaxForwardMatches = 32 // sources, and campaigns, per forward
	MaxMatchLength    = 128
	MaxURLLength      = 2048
	MaxProviders      = 8
	MaxFixedRates     = 256
	MaxSecretLength   = 4096
	// MaxSuccessBody is the longest reply text, in bytes.
	MaxSuccessBody = 1 << 10

	MinRefreshEvery  = time.Minute
	MaxHoldFor       = 30 * 24 * time.Hour
	MaxClickLookback = 10 * 365 * 24 * time.Hour
)
