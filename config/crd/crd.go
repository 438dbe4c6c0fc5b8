// Package crd holds the CustomResourceDefinitions, generated from api/v1alpha1, for code that has to know the schema
// without asking a cluster. It imports nothing but embed.
package crd

import "embed"

// Files are the definitions, one YAML document per file below bases/.
//
//go:embed bases/*.yaml
var Files embed.FS
