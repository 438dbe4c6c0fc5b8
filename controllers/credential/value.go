package credential

import (
	"fmt"
	"regexp"
	"strings"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
)

var (
	// The unreserved characters of RFC 3986, so that a key looks the same in every URL.
	keyForm = regexp.MustCompile(`^[A-Za-z0-9._~-]{4,128}$`)
	// The characters of a bearer token, RFC 6750.
	tokenForm = regexp.MustCompile(`^[A-Za-z0-9._~+/-]{8,256}=*$`)
)

// minKeyLength is the shortest key that nobody need ask for. Keys of other trackers are as short as 7 hexadecimal
// digits: they are found by guessing.
const minKeyLength = 12

// Key reads a postback key out of a Secret's field. White space around it, like an editor's last line feed, is dropped.
// allowWeak lets it be as short as 4 characters. The error says what is wrong without showing the value.
func Key(data map[string][]byte, field string, allowWeak bool) (string, error) {
	value, err := text(data, field)
	switch {
	case err != nil:
	case !keyForm.MatchString(value):
		err = fmt.Errorf("field %q: a key has %d to 128 letters, digits and . _ ~ -", field, minKeyLength)
	case len(value) < minKeyLength && !allowWeak:
		err = fmt.Errorf("field %q: the key has fewer than %d characters and may be guessed: take a longer one, or set "+
			"spec.key.allowWeak", field, minKeyLength)
	}
	if err != nil {
		return "", err
	}
	return value, nil
}

// ClickToken reads the credential of the click intake. A Secret without the field has none: found is false.
func ClickToken(data map[string][]byte, field string) (token string, found bool, err error) {
	if _, found := data[field]; !found {
		return "", false, nil
	}
	token, err = Token(data, field)
	return token, err == nil, err
}

// ClientKey reads the key of web pages, which has the form of a postback key. It may be short, since pages show it to
// everybody. A Secret without the field has none: found is false.
func ClientKey(data map[string][]byte, field string) (key string, found bool, err error) {
	if _, found := data[field]; !found {
		return "", false, nil
	}
	key, err = Key(data, field, true)
	return key, err == nil, err
}

// Token reads a token of the click API.
func Token(data map[string][]byte, field string) (string, error) {
	value, err := text(data, field)
	if err == nil && !tokenForm.MatchString(value) {
		err = fmt.Errorf("field %q: a token has 8 to 256 letters, digits and . _ ~ + / - =", field)
	}
	if err != nil {
		return "", err
	}
	return value, nil
}

// Secrets reads one secret per line, so that several are valid while signers change over.
func Secrets(data map[string][]byte, field string) ([]string, error) {
	value, err := text(data, field)
	if err != nil {
		return nil, err
	}
	var secrets []string
	seen := map[string]bool{}
	for line := range strings.Lines(value) {
		if line = strings.TrimSpace(line); line != "" && !seen[line] {
			seen[line] = true
			secrets = append(secrets, line)
		}
	}
	if len(secrets) > config.MaxKeys {
		return nil, fmt.Errorf("field %q: %d secrets, %d is the limit", field, len(secrets), config.MaxKeys)
	}
	return secrets, nil
}

func headerValue(data map[string][]byte, field string) (string, error) {
	value, err := text(data, field)
	if err == nil && (len(value) > config.MaxSecretLength || !config.IsHeaderValue(value)) {
		err = fmt.Errorf("field %q: the value of a header has at most %d printing ASCII characters, with spaces between them",
			field, config.MaxSecretLength)
	}
	if err != nil {
		return "", err
	}
	return value, nil
}

func text(data map[string][]byte, field string) (string, error) {
	value, found := data[field]
	if !found {
		return "", fmt.Errorf("field %q is missing", field)
	}
	trimmed := strings.TrimSpace(string(value))
	if trimmed == "" {
		return "", fmt.Errorf("field %q is empty", field)
	}
	return trimmed, nil
}
