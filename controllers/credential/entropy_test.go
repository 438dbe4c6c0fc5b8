package credential

import "testing"

func TestWhichKeysAreWeak(t *testing.T) {
	for key, weak := range map[string]bool{
		"ba1ec3c":                              true,  // 7 hexadecimal digits
		"password":                             true,  // 8 letters
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa":     true,  // one letter
		"0123456789abcdef":                     false, // 16 hexadecimal digits
		"4f3c2b1a9d8e7f605a4b3c2d1e0f9a8b":     false,
		"kq3zj6m2x7yt5w4hn6bq3zj6m2":           false, // what the operator generates
		"Zx8Kq2LmTfa":                          false, // 11 of 62: 65 bits
		"1234567890":                           true,
		"4f3c2b1a-9d8e-7f60-5a4b-3c2d1e0f9a8b": false,
	} {
		if got := WeakKey(key); got != weak {
			t.Errorf("%s: weak %v", key, got)
		}
	}
}
