package v1alpha1

import "time"

// Text returns nil for the empty string.
func Text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// UTC returns the time in UTC, nil for the zero time.
func UTC(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// Day returns the date in UTC, nil for the zero time.
func Day(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	return Text(t.UTC().Format(time.DateOnly))
}
