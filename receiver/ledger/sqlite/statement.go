package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
)

// statement is a prepared statement of the writer's connection, and what it needs for one call at a time. It talks to
// the driver itself: one goroutine owns the connection, and database/sql would add a quarter to each call.
type statement struct {
	prepared interface {
		driver.StmtExecContext
		driver.StmtQueryContext
		io.Closer
	}
	args []driver.NamedValue
	row  []driver.Value
}

func prepare(conn driver.Conn, text string) (*statement, error) {
	prepared, err := conn.Prepare(text)
	if err != nil {
		return nil, fmt.Errorf("preparing %q: %w", text, err)
	}
	s := &statement{}
	var ok bool
	if s.prepared, ok = prepared.(interface {
		driver.StmtExecContext
		driver.StmtQueryContext
		io.Closer
	}); !ok {
		return nil, errors.New("the SQLite driver's statements take no context")
	}
	return s, nil
}

// bind numbers the values. Those of the last call are kept until the next one.
func (s *statement) bind(values []driver.Value) []driver.NamedValue {
	s.args = s.args[:0]
	for i, v := range values {
		s.args = append(s.args, driver.NamedValue{Ordinal: i + 1, Value: v})
	}
	return s.args
}

func (s *statement) exec(values ...driver.Value) error {
	_, err := s.affect(values...)
	return err
}

// affect returns how many rows were changed.
func (s *statement) affect(values ...driver.Value) (int64, error) {
	s.bind(values)
	return s.run()
}

// run executes the statement with the values that are bound, and returns how many rows were changed.
func (s *statement) run() (int64, error) {
	result, err := s.prepared.ExecContext(context.Background(), s.args)
	if err != nil {
		return 0, classify(err)
	}
	return result.RowsAffected()
}

// query calls each with every row, which is valid until each returns.
func (s *statement) query(each func(*row) error, values ...driver.Value) (err error) {
	rows, err := s.prepared.QueryContext(context.Background(), s.bind(values))
	if err != nil {
		return classify(err)
	}
	defer func() { err = errors.Join(err, classify(rows.Close())) }()
	if n := len(rows.Columns()); len(s.row) != n {
		s.row = make([]driver.Value, n)
	}
	for {
		switch err := rows.Next(s.row); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return classify(err)
		}
		if err := each(&row{values: s.row}); err != nil {
			return err
		}
	}
}

// run executes a script.
func run(conn driver.Conn, script string) error {
	execer, ok := conn.(driver.ExecerContext)
	if !ok {
		return errors.New("the SQLite driver's connections execute no scripts")
	}
	_, err := execer.ExecContext(context.Background(), script, nil)
	return classify(err)
}
