package access

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"

	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/request"
)

// macValid reports whether the request bears a valid HMAC (docs/semantics.md §3.2).
//
// The signature is the hex HMAC-SHA-256, in either letter case, over the raw query without the signature's own parameter,
// followed by a newline and the raw body if that is not empty. To cut the parameter out, split the raw query at every `&`,
// drop the pairs of that name, and join the rest with `&`:
//
//	subid=c1&signature=5f…&status=sale   is signed as   subid=c1&status=sale
//	subid=c1&status=sale&signature=5f…   is signed as   subid=c1&status=sale
//
// Nothing is decoded or sorted. The signature must be in the query; of several the last non-empty one counts. It is
// compared in constant time with what each of the endpoint's secrets gives.
func macValid(ep *endpoint.Endpoint, rawQuery string, body []byte) bool {
	signed, presented := cutParameter(rawQuery, ep.SignatureParameter)
	given, err := hex.DecodeString(presented)
	valid := false
	for _, secret := range ep.SignatureSecrets {
		mac := hmac.New(sha256.New, []byte(secret.Reveal()))
		_, _ = io.WriteString(mac, signed)
		if len(body) > 0 {
			_, _ = mac.Write([]byte{'\n'})
			_, _ = mac.Write(body)
		}
		if hmac.Equal(mac.Sum(nil), given) {
			valid = true
		}
	}
	return valid && err == nil
}

// cutParameter returns the query without the pairs of that name, which it compares as package request reads it, and their last
// non-empty value.
func cutParameter(rawQuery, name string) (rest, value string) {
	kept := make([]string, 0, strings.Count(rawQuery, "&")+1)
	for pair := range strings.SplitSeq(rawQuery, "&") {
		pairName, pairValue, _ := strings.Cut(pair, "=")
		if request.Unescape(pairName) != name {
			kept = append(kept, pair)
			continue
		}
		if v := strings.TrimSpace(request.Unescape(pairValue)); v != "" {
			value = v
		}
	}
	return strings.Join(kept, "&"), value
}
