package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	applicationName = "postback-receiver"
	connectTimeout  = 2 * time.Second
	maxDSN          = 16 << 10
)

// errDSN tells nothing of what is wrong in a DSN, because the driver's own words quote it.
var errDSN = errors.New("the database's DSN cannot be read as a postgres:// URL or as key=value pairs")

// dsn returns the DSN of the options, from its file if it has one.
func (o Options) dsn() (string, error) {
	if o.DSNFile == "" {
		return o.DSN, nil
	}
	info, err := os.Stat(o.DSNFile)
	if err != nil {
		return "", fmt.Errorf("reading the database's DSN: %w", err)
	}
	if info.Size() > maxDSN {
		return "", fmt.Errorf("reading the database's DSN: %s is larger than %d bytes", o.DSNFile, maxDSN)
	}
	text, err := os.ReadFile(o.DSNFile)
	if err != nil {
		return "", fmt.Errorf("reading the database's DSN: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// poolConfig reads the DSN and puts in what it leaves open.
func (o Options) poolConfig() (*pgxpool.Config, error) {
	text, err := o.dsn()
	if err != nil {
		return nil, err
	}
	if text == "" {
		return nil, errors.New("the database's DSN is empty")
	}
	config, err := pgxpool.ParseConfig(text)
	if err != nil {
		return nil, errDSN
	}
	config.MaxConns = int32(min(o.MaxConnections, 1000)) //nolint:gosec // bounded
	config.PingTimeout = connectTimeout
	config.BeforeConnect = o.freshCredentials
	config.AfterConnect = registerArrays
	conn := config.ConnConfig
	if conn.ConnectTimeout == 0 {
		conn.ConnectTimeout = connectTimeout
	}
	if conn.ValidateConnect == nil { // target_session_attrs=any, the default, would follow a failover to a standby
		conn.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	if conn.RuntimeParams["application_name"] == "" {
		conn.RuntimeParams["application_name"] = applicationName
	}
	if o.describe && !strings.Contains(text, "default_query_exec_mode") {
		conn.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	}
	return config, nil
}

// isPooled reports whether a pooler such as pgbouncer stands before the server: then the session that answers is not
// the one that the connection was made with, and prepared statements may not be where they are looked for.
func (o Options) isPooled(ctx context.Context) (bool, error) {
	config, err := o.poolConfig()
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, o.FlightTimeout)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, config.ConnConfig)
	if err != nil {
		return false, failure(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	var pid uint32
	err = conn.QueryRow(ctx, "select pg_backend_pid()", pgx.QueryExecModeExec).Scan(&pid)
	return pid != conn.PgConn().PID(), failure(err)
}

// freshCredentials reads a DSN file again before each new connection, so that a rotated password is taken up.
func (o Options) freshCredentials(_ context.Context, conn *pgx.ConnConfig) error {
	if o.DSNFile == "" {
		return nil
	}
	config, err := o.poolConfig()
	if err != nil {
		return err
	}
	*conn = *config.ConnConfig
	return nil
}
