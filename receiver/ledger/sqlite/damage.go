package sqlite

import (
	"errors"

	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// noticed returns err, and remembers it if it says that the file is damaged. From then on nothing is written: it would
// be acknowledged and gone with the file. Reads go on as far as they can.
func (s *Store) noticed(err error) error {
	if errors.Is(err, ledger.ErrCorrupt) && s.damage.CompareAndSwap(nil, &err) {
		s.log.Error("Store is damaged and takes nothing more: restore a backup", "store", s.path, "error", err)
	}
	return err
}

// damaged returns what was noticed, nil while the file is intact as far as is known.
func (s *Store) damaged() error {
	if err := s.damage.Load(); err != nil {
		return *err
	}
	return nil
}
