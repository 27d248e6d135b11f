package auth

import (
	"fmt"

	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
)

// MarshalBinary returns everything in t for a database: JSON with a version
// of its form.
func (t Token) MarshalBinary() ([]byte, error) {
	data, err := wire.Store(t)
	if err != nil {
		return nil, fmt.Errorf("auth: the token cannot be stored: %w", err)
	}
	return data, nil
}

// UnmarshalBinary reads what MarshalBinary wrote. With an error t is unchanged.
func (t *Token) UnmarshalBinary(data []byte) error {
	if err := wire.Load(data, t); err != nil {
		return fmt.Errorf("auth: the stored token cannot be read: %w", err)
	}
	return nil
}

// MarshalJSON fails: what is stored is written by MarshalBinary.
func (Token) MarshalJSON() ([]byte, error) {
	return nil, wire.AtRest("auth: a Token is stored with its MarshalBinary and logged with alipayplus.Loggable, not marshaled as JSON")
}

// MarshalBinary returns everything in c for a database: JSON with a version
// of its form.
func (c Code) MarshalBinary() ([]byte, error) {
	data, err := wire.Store(c)
	if err != nil {
		return nil, fmt.Errorf("auth: the code cannot be stored: %w", err)
	}
	return data, nil
}

// UnmarshalBinary reads what MarshalBinary wrote. With an error c is unchanged.
func (c *Code) UnmarshalBinary(data []byte) error {
	if err := wire.Load(data, c); err != nil {
		return fmt.Errorf("auth: the stored code cannot be read: %w", err)
	}
	return nil
}

// MarshalJSON fails: what is stored is written by MarshalBinary.
func (Code) MarshalJSON() ([]byte, error) {
	return nil, wire.AtRest("auth: a Code is stored with its MarshalBinary and logged with alipayplus.Loggable, not marshaled as JSON")
}
