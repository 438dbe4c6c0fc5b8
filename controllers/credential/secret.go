// Package credential decides about everything that authenticates: postback keys, client keys, click tokens, tokens of
// campaigns, secrets that sign, secret headers of forwards and the keys of rate providers. It reads them out of
// Secrets, generates what nobody declares, has rotation advance the keyring, settles who owns a key that two have, and
// says what is wrong. The reconcilers and the offline renderer call it with what they have found.
//
// It is pure: Secrets, the time and a source of randomness go in. No sentence that it makes shows a value.
package credential

import (
	"errors"
	"fmt"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// ErrNotFound says that there is no Secret of a name.
var ErrNotFound = errors.New("not found")

// Secret is what was found of one Secret.
type Secret struct {
	Name string
	// Data by field, for reading only.
	Data map[string][]byte
	// Err says why there is no Data: [ErrNotFound], a [DeniedError], or why the Secret is broken; nil if there is.
	Err error
}

// IsNotFound reports whether an error says that a Secret is missing, and no more.
func IsNotFound(err error) bool {
	problem := new(Problem)
	return errors.Is(err, ErrNotFound) || errors.As(err, &problem) && problem.Reason == v1alpha1.ReasonSecretNotFound
}

// Problem says what is wrong with a credential, and is the user's to repair.
type Problem struct {
	// Reason is that of the condition KeyResolved.
	Reason  string
	says    string
	revoked bool
}

// Error implements error.
func (p *Problem) Error() string { return p.says }

// message is what the condition KeyResolved says.
func (p *Problem) message() string {
	if p.revoked {
		return p.says + "."
	}
	return p.says + ". What was valid stays valid."
}

// problem is about the Secret that is named at a field of the declaration. content says what is wrong with what is in
// it.
func (s *Secret) problem(at string, content error) *Problem {
	err, reason := content, v1alpha1.ReasonSecretInvalid
	if s.Err != nil {
		err = s.Err
	}
	if denied := new(DeniedError); errors.As(err, &denied) {
		reason = v1alpha1.ReasonSecretNotReadable
	} else if errors.Is(err, ErrNotFound) {
		reason = v1alpha1.ReasonSecretNotFound
	}
	return &Problem{Reason: reason, says: fmt.Sprintf("%s: Secret %s: %v", at, s.Name, err)}
}

// Unusable says why the Secret that is named at a field can't be used; nil if it can.
func (s *Secret) Unusable(at string) error {
	if s.Err == nil {
		return nil
	}
	return fmt.Errorf("%s: Secret %s: %w", at, s.Name, s.Err)
}

// read reads a value out of a Secret, unless the Secret is unusable.
func read[T any](s *Secret, at string, value func(data map[string][]byte) (T, error)) (T, *Problem) {
	var none T
	if s.Err != nil {
		return none, s.problem(at, nil)
	}
	found, err := value(s.Data)
	if err != nil {
		return none, s.problem(at, err)
	}
	return found, nil
}
