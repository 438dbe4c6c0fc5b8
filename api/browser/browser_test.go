package browser

import (
	"regexp"
	"testing"
)

func TestIntegrityHashesAreOfTheScriptsAndNotOfEachOther(t *testing.T) {
	form := regexp.MustCompile(`^sha384-[A-Za-z0-9+/]{64}$`)
	for name, hash := range map[string]string{"script": ScriptIntegrity(), "adapter": AdapterIntegrity()} {
		if !form.MatchString(hash) {
			t.Errorf("%s: %q is no integrity hash", name, hash)
		}
	}
	const known = "sha384-HT2E9NfWiuQ/w1PRai+hTyqW16NIoCGA/m8VQDUopfAtcz6YQjtsMmQd5uRbVDpW"
	if ScriptIntegrity() == AdapterIntegrity() || integrity([]byte("alert(1)")) != known {
		t.Error("the hash is not SHA-384 of the content")
	}
}
