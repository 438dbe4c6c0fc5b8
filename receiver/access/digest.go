package access

import (
	"crypto/md5"  //nolint:gosec // Offer walls choose it, see below.
	"crypto/sha1" //nolint:gosec // The same.
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"slices"
	"strings"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/postback"
	"github.com/postback-dev/postback-operator/receiver/request"
)

// digestValid reports whether the request bears the signature of an offer wall (docs/endpoint.md, "Access"): the hex
// digest, in either letter case, of a text made of parameters and a secret.
//
// The values are those by which the postback is judged, so that no other name for a signed parameter can smuggle in
// another value. Parameters that are not in the text are not protected. MD5 and SHA-1 are what offer walls offer; for
// this use, where nobody can choose two texts with one digest to their gain, they still do. It is compared in constant
// time with what each of the endpoint's secrets gives.
func digestValid(ep *endpoint.Endpoint, values request.Values) bool {
	f, kept := postback.Resolve(ep, values)
	given, err := hex.DecodeString(f[endpoint.FieldSignature])
	valid := false
	for _, secret := range ep.SignatureSecrets {
		want := digest(ep.SignatureAlgorithm, signedText(ep, f, kept, secret.Reveal()))
		if subtle.ConstantTimeCompare(want, given) == 1 {
			valid = true
		}
	}
	return valid && err == nil
}

// signedText puts the values and the secret into the text that is signed. A parameter that was not sent is empty.
func signedText(ep *endpoint.Endpoint, f postback.Fields, kept conversion.Params, secret string) []byte {
	var text strings.Builder
	for _, part := range ep.SignatureText {
		switch field, _, known := ep.Lookup(part.Macro); {
		case part.Macro == "":
			text.WriteString(part.Text)
		case part.Macro == config.MacroSecret:
			text.WriteString(secret)
		case known:
			text.WriteString(f[field])
		default:
			text.WriteString(kept.Get(part.Macro))
		}
	}
	return []byte(text.String())
}

func digest(algorithm config.Algorithm, text []byte) []byte {
	switch algorithm {
	case config.AlgorithmMD5:
		sum := md5.Sum(text) //nolint:gosec // See digestValid.
		return slices.Clone(sum[:])
	case config.AlgorithmSHA1:
		sum := sha1.Sum(text) //nolint:gosec // See digestValid.
		return slices.Clone(sum[:])
	default:
		sum := sha256.Sum256(text)
		return slices.Clone(sum[:])
	}
}
