package v1alpha1

import (
	"fmt"
	"log/slog"
)

// Redacted holds a secret that no formatter shows: printing, logging and %v of anything around it give "[redacted]".
// Only encoding/json writes the value, because the documents of this package are themselves kept as Secrets.
type Redacted string

const redacted = "[redacted]"

// Reveal returns the secret itself.
func (r Redacted) Reveal() string { return string(r) }

// String implements [fmt.Stringer].
func (Redacted) String() string { return redacted }

// GoString implements [fmt.GoStringer].
func (Redacted) GoString() string { return redacted }

// Format implements [fmt.Formatter], so that no verb reaches the bytes.
func (Redacted) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte(redacted)) }

// LogValue implements [slog.LogValuer].
func (Redacted) LogValue() slog.Value { return slog.StringValue(redacted) }
