// Package exit holds the exit codes of kubectl-postback, which scripts and CI rely on.
package exit

import "errors"

// The exit codes.
const (
	OK            = 0
	Failed        = 1
	Usage         = 2 // the command line is wrong
	NotAsExpected = 3 // the command worked, and its answer is not the wanted one
)

type coded struct {
	error
	code int
}

func (c coded) Unwrap() error { return c.error }

// WithUsage marks an error of the command line; nil stays nil.
func WithUsage(err error) error { return with(err, Usage) }

// WithNotAsExpected marks an answer that is not the wanted one; nil stays nil.
func WithNotAsExpected(err error) error { return with(err, NotAsExpected) }

func with(err error, code int) error {
	if err == nil {
		return nil
	}
	return coded{err, code}
}

// Code returns the exit code for what a command returned.
func Code(err error) int {
	var c coded
	switch {
	case err == nil:
		return OK
	case errors.As(err, &c):
		return c.code
	}
	return Failed
}
