package sqlite

import (
	"context"
	"database/sql/driver"
	"embed"
	"fmt"
	"io/fs"

	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// Migrations are numbered from 1 without gaps; user_version is the number of the last one applied. One that was ever
// released is never edited.
//
//go:embed migrations/*.sql
var migrations embed.FS

// applicationID marks the file as a ledger: "PbkL".
const applicationID = 0x50626b4c

// inspect refuses a file that is not empty and not a ledger of this program or an older one, before anything is written
// to it.
func inspect(ctx context.Context, path string) error {
	db, err := readOnly(path)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	var tables, application, version int
	err = db.QueryRowContext(ctx, `select (select count(*) from sqlite_schema), a.application_id, v.user_version
		from pragma_application_id a, pragma_user_version v`).Scan(&tables, &application, &version)
	if err != nil {
		return classify(err)
	}
	known, err := fs.Glob(migrations, "migrations/*.sql")
	switch {
	case err != nil:
		return err
	case tables == 0 && version == 0:
		return nil
	case application != applicationID:
		return fmt.Errorf("%w: the file is another program's database", ledger.ErrSchema)
	case version > len(known):
		return fmt.Errorf("%w: version %d is newer than this program's %d", ledger.ErrSchema, version, len(known))
	}
	return nil
}

// migrate applies the migrations that the store lacks, in one transaction. The script's statements end up prepared and
// stepped one by one by the driver.
func migrate(conn driver.Conn, version int64) error {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	if version >= int64(len(files)) {
		return nil
	}
	script := "begin immediate;"
	for _, name := range files[version:] {
		text, err := migrations.ReadFile(name)
		if err != nil {
			return err
		}
		script += string(text)
	}
	script += fmt.Sprintf("pragma application_id = %d; pragma user_version = %d; commit", applicationID, len(files))
	if err := run(conn, script); err != nil {
		_ = run(conn, "rollback")
		return fmt.Errorf("%w: migrating from version %d: %w", ledger.ErrSchema, version, err)
	}
	return nil
}
