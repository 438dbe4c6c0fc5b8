package credential

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
)

func TestKeysAreReadFromSecrets(t *testing.T) {
	cases := map[string]struct {
		value, want, says string
		allowWeak         bool
	}{
		"as it stands":                      {"Abc-123._~Abc", "Abc-123._~Abc", "", false},
		"without the last line feed":        {"abcd1234abcd\n", "abcd1234abcd", "", false},
		"as short as Keitaro's, if allowed": {"ba1ec3c", "ba1ec3c", "", true},
		"not as short as Keitaro's":         {"hunter2", "", "fewer than 12 characters and may be guessed", false},
		"not a character too short":         {"hunter2-abc", "", "fewer than 12 characters", false},
		"not when it is empty":              {" \n", "", "is empty", true},
		"not when it is far too short":      {"abc", "", "12 to 128", true},
		"not with a slash":                  {"hunter2/x/abc", "", "12 to 128", false},
		"not when it is endless":            {strings.Repeat("a", 129), "", "12 to 128", false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := Key(map[string][]byte{"key": []byte(c.value)}, "key", c.allowWeak)
			if got != c.want || (err == nil) != (c.says == "") {
				t.Fatalf("%q, %v", got, err)
			}
			if err != nil && (!strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "hunter2")) {
				t.Errorf("error: %v", err)
			}
		})
	}
	if _, err := Key(nil, "key", false); err == nil || !strings.Contains(err.Error(), "is missing") {
		t.Errorf("a Secret without the field: %v", err)
	}
}

func TestAClickTokenMayBeMissingButNotMalformed(t *testing.T) {
	if _, found, err := ClickToken(map[string][]byte{}, "clickToken"); found || err != nil {
		t.Errorf("missing: %v, %v", found, err)
	}
	if token, found, err := ClickToken(map[string][]byte{"clickToken": []byte("abcdefgh+/==\n")},
		"clickToken"); token != "abcdefgh+/==" || !found || err != nil {
		t.Errorf("good: %q, %v, %v", token, found, err)
	}
	for _, bad := range []string{"", "short", "with a space in it", strings.Repeat("a", 257)} {
		if _, _, err := ClickToken(map[string][]byte{"clickToken": []byte(bad)}, "clickToken"); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestASecretMayHoldSeveralSigningSecrets(t *testing.T) {
	got, err := Secrets(map[string][]byte{"hmac": []byte("one\r\n\n two \none\n")}, "hmac")
	if diff := cmp.Diff([]string{"one", "two"}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	lines := strings.Join(strings.Split("abcdefghijklmnopq", ""), "\n")
	if _, err := Secrets(map[string][]byte{"hmac": []byte(lines)}, "hmac"); err == nil {
		t.Errorf("more than %d are taken", config.MaxKeys)
	}
}
