package v1alpha1

import (
	"fmt"
	"strings"
)

// Algorithm makes the digest of a [Signature].
type Algorithm string

// The algorithms that offer walls use.
const (
	AlgorithmMD5    Algorithm = "MD5"
	AlgorithmSHA1   Algorithm = "SHA1"
	AlgorithmSHA256 Algorithm = "SHA256"
)

// Signature demands the signature of an offer wall on every postback: the hex digest of a text that is made of
// parameters and a secret.
type Signature struct {
	Algorithm Algorithm `json:"algorithm"`
	// Template is the text, see [ParseSignature].
	Template string `json:"template"`
	// Parameter carries the signature.
	Parameter string `json:"parameter"`
	// Secrets, any of which may have signed.
	Secrets []Secret `json:"secrets"`
}

// MacroSecret stands for the secret in the template of a [Signature].
const MacroSecret = "secret"

// SignaturePart is a piece of a signature's template: text as it is, or the name of a parameter, or [MacroSecret].
type SignaturePart struct{ Text, Macro string }

// ParseSignature reads a template like `{user_id}:{amount}:{secret}`. A macro is the name of a parameter; one is
// {secret}.
func ParseSignature(template string) ([]SignaturePart, error) {
	var parts []SignaturePart
	secret := false
	for rest := template; rest != ""; {
		text, behind, found := strings.Cut(rest, "{")
		if strings.Contains(text, "}") {
			return nil, fmt.Errorf("a } without its {")
		}
		if text != "" {
			parts = append(parts, SignaturePart{Text: text})
		}
		if !found {
			break
		}
		macro, after, closed := strings.Cut(behind, "}")
		if !closed || !aliasName.MatchString(macro) {
			return nil, fmt.Errorf("write the name of a parameter between { and }, like {subid}")
		}
		parts = append(parts, SignaturePart{Macro: macro})
		secret = secret || macro == MacroSecret
		rest = after
	}
	if !secret {
		return nil, fmt.Errorf("the text must contain {secret}: without it everybody can sign")
	}
	return parts, nil
}

// Signing returns the parameter that carries the signature, and the secrets of which any may have signed; "" if no
// signature is demanded.
func (a *Access) Signing() (parameter string, secrets []Secret) {
	switch {
	case a.HMAC != nil:
		return a.HMAC.Parameter, a.HMAC.Secrets
	case a.Signature != nil:
		return a.Signature.Parameter, a.Signature.Secrets
	}
	return "", nil
}
