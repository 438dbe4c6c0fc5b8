package credential

import (
	"math"
	"strings"
)

// MinEntropyBits is what a key needs so that nobody guesses it over the network.
const MinEntropyBits = 64

// WeakKey reports whether a key may be guessed.
func WeakKey(key string) bool { return entropyBits(key) < MinEntropyBits }

// alphabets are the sets of characters that keys are drawn from. Letters count as hexadecimal while there are no
// others.
var alphabets = []struct {
	size    int
	telling string
	unless  string
}{
	{10, "0123456789", ""},
	{26, "ghijklmnopqrstuvwxyz", ""},
	{6, "abcdef", "ghijklmnopqrstuvwxyz"},
	{26, "GHIJKLMNOPQRSTUVWXYZ", ""},
	{6, "ABCDEF", "GHIJKLMNOPQRSTUVWXYZ"},
	{4, "-._~", ""},
}

// entropyBits is how many random bits a key can have at most, judged by its length and the characters it is made of. A
// key that repeats itself has fewer.
func entropyBits(key string) float64 {
	size := 0
	for _, a := range alphabets {
		if strings.ContainsAny(key, a.telling) && !strings.ContainsAny(key, a.unless) {
			size += a.size
		}
	}
	distinct := map[rune]bool{}
	for _, r := range key {
		distinct[r] = true
	}
	// Few different characters speak for a pattern; a random key of 8 characters or more rarely has so few.
	size = min(size, len(distinct)*len(distinct))
	return float64(len(key)) * math.Log2(float64(max(size, 1)))
}
