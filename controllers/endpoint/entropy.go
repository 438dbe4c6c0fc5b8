package endpoint

import "math"

// minEntropyBits is what a key needs so that nobody guesses it over the network.
const minEntropyBits = 64

// entropyBits is how many random bits a key can have at most, judged by its length and the characters it is made of. A key
// that repeats itself has fewer.
func entropyBits(key string) float64 {
	const decimal, hexadecimal, other = 10, 6, 20 // 0-9, a-f, g-z
	classes, distinct := map[string]float64{}, map[rune]bool{}
	for _, r := range key {
		distinct[r] = true
		switch {
		case r >= '0' && r <= '9':
			classes["digit"] = decimal
		case r >= 'a' && r <= 'f':
			classes["a-f"] = hexadecimal
		case r >= 'g' && r <= 'z':
			classes["g-z"] = other
		case r >= 'A' && r <= 'F':
			classes["A-F"] = hexadecimal
		case r >= 'G' && r <= 'Z':
			classes["G-Z"] = other
		default:
			classes["mark"] = 4
		}
	}
	var alphabet float64
	for _, size := range classes {
		alphabet += size
	}
	// Few different characters speak for a pattern; a random key of 8 characters or more rarely has so few.
	alphabet = min(alphabet, float64(len(distinct)*len(distinct)))
	return float64(len(key)) * math.Log2(max(alphabet, 1))
}
