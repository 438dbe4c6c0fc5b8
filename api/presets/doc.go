// Package presets is the catalog of affiliate networks, affiliate platforms, trackers and traffic sources: which macros
// they replace in a postback URL, which status words they send, and what a PostbackEndpoint has to declare to
// understand them.
//
// The catalog is data: one YAML file per entry in the folder entries, embedded in the binary. Every fact names how sure
// it is ([Confidence]) and is covered by a [Source] that somebody has read. Nothing refers to the catalog at run time:
// [Apply] writes what an entry knows into the declaration as explicit aliases, training and policies, so that an
// upgrade of the operator never changes what an endpoint does.
//
// Everything here is pure. The package imports the contract (api/config/v1alpha1) for the names of parameters and
// types, and a YAML library; it knows neither Kubernetes nor the receiver.
package presets
