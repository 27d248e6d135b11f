package payment

import (
	"errors"
	"fmt"

	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
)

// MarshalBinary returns everything in r, secrets and personal data included,
// for the host's database. It is JSON with a version of its form; keep it as
// bytes or text, because a column that rewrites JSON may refuse or change it.
func (r Record) MarshalBinary() ([]byte, error) {
	data, err := wire.Store(r)
	if err != nil {
		return nil, fmt.Errorf("payment: the record cannot be stored: %w", err)
	}
	return data, nil
}

// UnmarshalBinary reads what MarshalBinary wrote. With an error r is unchanged:
// a record that cannot be read as a whole is not read at all.
func (r *Record) UnmarshalBinary(data []byte) error {
	var read Record
	err := wire.Load(data, &read)
	if err == nil && !read.hasState() {
		err = errors.New("it has no state, or one that this version does not know")
	}
	if err != nil {
		return fmt.Errorf("payment: the stored record cannot be read: %w", err)
	}
	*r = read
	return nil
}

// hasState reports whether r is in a state that there is. The empty one is that
// of a payment that was never seen: nobody stored it.
func (r Record) hasState() bool {
	switch r.State {
	case StateOpen, StateVerifying, StatePaying, StatePaid, StateFailed, StateClosed:
		return true
	}
	return r.State == "" && r.Version == 0
}

// MarshalJSON fails, also while r holds no secret yet, so that no host stores
// records with it until the first buyer comes.
func (Record) MarshalJSON() ([]byte, error) {
	return nil, wire.AtRest("payment: a Record is stored with its MarshalBinary and logged with alipayplus.Loggable, not marshaled as JSON")
}
