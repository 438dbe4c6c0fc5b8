package visit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/postback"
)

// Token names a click to the receiver itself: the campaign's alias, the subid, and a seal that only receivers can make.
// The browser of the click's own visitor keeps it. A campaign without a token of its own has no key for a seal.
func Token(c *endpoint.Campaign, click *conversion.Click) string {
	name := c.Alias + "." + click.SubID
	if len(c.SealKeys) == 0 {
		return name
	}
	return name + "." + seal(c.SealKeys[0], name)
}

// SplitToken takes a [Token], with its seal or without, apart; ok is false for what is none. It says nothing about who
// sends it: see [Proves].
func SplitToken(token string) (alias, subid string, ok bool) {
	alias, rest, ok := strings.Cut(token, ".")
	subid = withoutSeal(rest)
	return alias, subid, ok && config.IsAlias(alias) && postback.CheckSubID(subid) == ""
}

// Proves reports whether the token proves that who sends it is the visitor of the campaign's click of that subid: in
// constant time.
func Proves(c *endpoint.Campaign, token, subid string) bool {
	name := c.Alias + "." + subid
	proven := false
	for _, key := range c.SealKeys {
		if hmac.Equal([]byte(name+"."+seal(key, name)), []byte(token)) {
			proven = true
		}
	}
	return proven
}

// sealBytes is how much of the HMAC is in the seal: enough against guessing, and short in a URL.
const sealBytes = 16

var sealText = base64.RawURLEncoding

func seal(key []byte, name string) string {
	mac := hmac.New(sha256.New, key)
	_, _ = mac.Write([]byte("visitor\n" + name))
	return sealText.EncodeToString(mac.Sum(nil)[:sealBytes])
}

// withoutSeal returns the subid, which may have dots of its own, before the seal.
func withoutSeal(text string) string {
	dot := strings.LastIndexByte(text, '.')
	if dot < 0 || len(text)-dot-1 != sealText.EncodedLen(sealBytes) {
		return text
	}
	return text[:dot]
}
