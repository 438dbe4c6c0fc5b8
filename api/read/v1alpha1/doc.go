// Package v1alpha1 is the contract between receivers and everybody who reads what they recorded: the JSON of the API
// under /api/v1. It needs the standard library only, so that a client can import it without a store or Kubernetes.
//
// Every field is always present, and null where there is nothing to say. Amounts are exact decimals in plain notation,
// as strings, without trailing zeros. Times are RFC 3339 in UTC. Fields are added over time, never renamed or removed.
package v1alpha1
