package access

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/request"
)

// macValid reports whether the request bears a valid HMAC (docs/semantics.md §3.2).
//
// The signature is the hex HMAC-SHA-256, in either letter case, over the raw query without the signature's own
// parameter, followed by a newline and the raw body if that is not empty. To cut the parameter out, split the raw query
// at every `&`, drop the pairs of that name, and join the rest with `&`:
//
//	subid=c1&signature=5f…&status=sale   is signed as   subid=c1&status=sale
//	subid=c1&status=sale&signature=5f…   is signed as   subid=c1&status=sale
//
// Where the endpoint is signed as well, its name and a newline go before. Nothing is decoded or sorted. The signature
// must be in the query; of several the last non-empty one counts. It is compared in constant time with what each of the
// endpoint's secrets gives.
func macValid(ep *endpoint.Endpoint, rawQuery string, body []byte) bool {
	signed, presented := cutParameter(rawQuery, ep.SignatureParameter)
	given, err := hex.DecodeString(presented)
	valid := false
	for _, secret := range ep.SignatureSecrets {
		mac := hmac.New(sha256.New, []byte(secret.Reveal()))
		if ep.SignsEndpoint {
			_, _ = io.WriteString(mac, ep.Name+"\n")
		}
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

// signatureID names a signature, and the endpoint for which it was made: it is the same however often the request
// comes.
func signatureID(ep *endpoint.Endpoint, rawQuery string) uuid.UUID {
	_, presented := cutParameter(rawQuery, ep.SignatureParameter)
	given, _ := hex.DecodeString(presented) // It is valid.
	return uuid.NewHash(sha256.New(), uuid.Nil, append([]byte(ep.Name+"\n"), given...), 8)
}

// maxAhead is how far the clock of a signer may be ahead.
const maxAhead = time.Minute

// isFresh reports whether a request, whose HMAC is valid, was signed within the endpoint's maximum age. The time is a
// parameter of the query, of several the last non-empty one: whichever it is, it is signed.
func isFresh(ep *endpoint.Endpoint, rawQuery string, now time.Time) bool {
	_, sent := cutParameter(rawQuery, ep.SignatureTime)
	signed, ok := readTime(sent)
	age := now.Sub(signed)
	return ok && age <= ep.SignatureMaxAge && age >= -maxAhead
}

// readTime reads unix seconds or RFC 3339, whose `+` may have become a space.
func readTime(text string) (time.Time, bool) {
	if seconds, err := strconv.ParseUint(text, 10, 40); err == nil {
		return time.Unix(int64(seconds), 0), true
	}
	at, err := time.Parse(time.RFC3339, strings.ReplaceAll(text, " ", "+"))
	return at, err == nil
}

// cutParameter returns the query without the pairs of that name, which it compares as package request reads it, and
// their last non-empty value.
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
