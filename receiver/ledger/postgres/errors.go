package postgres

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// storeError says what a caller can do about a failure, and why it failed in words that hold nothing of the DSN.
type storeError struct {
	kind   error // one of the ledger's errors
	reason string
}

func (e *storeError) Error() string   { return e.kind.Error() + ": " + e.reason }
func (e *storeError) Unwrap() []error { return []error{e.kind} }

// failure turns an error of the driver into one of the ledger's.
func failure(err error) error {
	var known *storeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known), errors.Is(err, ledger.ErrSchema), errors.Is(err, ledger.ErrConflict),
		errors.Is(err, ledger.ErrPoisoned), errors.Is(err, ledger.ErrNotFound):
		return err
	}
	return &storeError{kind: kindOf(err), reason: reasonOf(err)}
}

// kindOf classifies: what the server says by its SQLSTATE, anything else is a lost connection or a server that does
// not answer.
func kindOf(err error) error {
	var server *pgconn.PgError
	if !errors.As(err, &server) {
		return ledger.ErrUnavailable
	}
	switch server.Code {
	case "40001", "40P01", "23505":
		return ledger.ErrConflict
	case "42P01", "42703": // no such table, no such column
		return ledger.ErrSchema
	case "42501", "25006": // no privilege, read-only: what a server in the midst of a failover also says
		return ledger.ErrUnavailable
	}
	switch server.Code[:min(2, len(server.Code))] {
	case "22", "23", "42":
		return ledger.ErrPoisoned
	}
	return ledger.ErrUnavailable
}

// reasonOf describes an error in one line of known words.
func reasonOf(err error) string {
	var (
		server *pgconn.PgError
		lookup *net.DNSError
		number syscall.Errno
		verify *tls.CertificateVerificationError
	)
	switch {
	case errors.As(err, &server):
		return serverReason(server)
	case errors.As(err, &lookup):
		return "the database's host name cannot be resolved"
	case errors.As(err, &verify), errors.As(err, new(x509.UnknownAuthorityError)), errors.As(err, new(x509.HostnameError)):
		return "the database's certificate is not to be trusted"
	case errors.As(err, &number):
		return "connection failed: " + number.Error()
	case errors.Is(err, context.Canceled):
		return "canceled"
	case isTimeout(err):
		return "no answer in time"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed),
		pgconn.SafeToRetry(err):
		return "connection lost"
	case strings.Contains(err.Error(), "read only connection"):
		return "no server that can be written: the database is read-only"
	case strings.Contains(err.Error(), "server refused TLS"):
		return "the database does not offer TLS, which the DSN demands"
	}
	return fmt.Sprintf("connection failed (%T)", rootOf(err))
}

// serverReason shows the server's own message, except where that names users, hosts or databases.
func serverReason(e *pgconn.PgError) string {
	switch e.Code {
	case "28P01", "28000":
		return fmt.Sprintf("the database refuses the user or the password (SQLSTATE %s)", e.Code)
	case "3D000":
		return "the database does not exist (SQLSTATE 3D000)"
	case "25006":
		return "the database is read-only (SQLSTATE 25006)"
	}
	if errors.Is(kindOf(e), ledger.ErrPoisoned) { // the message may quote the data
		return fmt.Sprintf("the database refuses a value (SQLSTATE %s)", e.Code)
	}
	message, _, _ := strings.Cut(e.Message, "\n")
	return fmt.Sprintf("%s (SQLSTATE %s)", message, e.Code)
}

func isTimeout(err error) bool {
	var network net.Error
	return errors.Is(err, context.DeadlineExceeded) || pgconn.Timeout(err) || errors.As(err, &network) && network.Timeout()
}

func rootOf(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}

// isReadOnly reports whether the server was, or has become, one that cannot be written.
func isReadOnly(err error) bool {
	var server *pgconn.PgError
	return errors.As(err, &server) && server.Code == "25006"
}
