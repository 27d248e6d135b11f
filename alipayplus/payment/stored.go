package payment

import (
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
	if err := wire.Load(data, r); err != nil {
		return fmt.Errorf("payment: the stored record cannot be read: %w", err)
	}
	return nil
}

// MarshalJSON fails, also while r holds no secret yet, so that no host stores
// records with it until the first buyer comes.
func (Record) MarshalJSON() ([]byte, error) {
	return nil, wire.AtRest("payment: a Record is stored with its MarshalBinary and logged with alipayplus.Loggable, not marshaled as JSON")
}
