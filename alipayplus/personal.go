package alipayplus

import (
	"bytes"
	"database/sql/driver"
	"fmt"
	"io"
	"log/slog"
	"reflect"

	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
)

// Personal holds an object with personal data, a struct: a buyer, where the
// goods go, the user's device. It prints as "[redacted]" and cannot be encoded,
// like a [Secret]. What Reveal returns is a plain struct, which
// prints everything.
//
// Personals are compared with Equal. The zero Personal is absent; it equals
// [PersonalOf] the zero T.
type Personal[T any] struct{ held[T] }

type held[T any] = wire.Held[T]

// PersonalOf makes a Personal of v.
func PersonalOf[T any](v T) Personal[T] {
	if reflect.ValueOf(&v).Elem().IsZero() {
		return Personal[T]{}
	}
	return Personal[T]{wire.Hold(v)}
}

// Reveal returns the object.
func (p Personal[T]) Reveal() T { return wire.Look(p.held) }

// IsZero reports whether p is absent.
func (p Personal[T]) IsZero() bool {
	v := p.Reveal()
	return reflect.ValueOf(&v).Elem().IsZero()
}

// Equal reports whether both hold equal objects.
func (p Personal[T]) Equal(q Personal[T]) bool { return reflect.DeepEqual(p.Reveal(), q.Reveal()) }

// String returns "[redacted]", or "" for the zero Personal.
func (p Personal[T]) String() string {
	if p.IsZero() {
		return ""
	}
	return redacted
}

// Format prints String for every verb.
func (p Personal[T]) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, p.String()) }

// LogValue returns String for log/slog.
func (p Personal[T]) LogValue() slog.Value { return slog.StringValue(p.String()) }

// MarshalJSON fails, unless p is zero; see [Marshal].
func (p Personal[T]) MarshalJSON() ([]byte, error) {
	if !p.IsZero() {
		return nil, errConcealed
	}
	return []byte("null"), nil
}

// MarshalText fails, unless p is zero.
func (p Personal[T]) MarshalText() ([]byte, error) {
	if !p.IsZero() {
		return nil, errConcealed
	}
	return nil, nil
}

// Value fails, unless p is zero.
func (p Personal[T]) Value() (driver.Value, error) {
	if !p.IsZero() {
		return nil, errConcealed
	}
	return nil, nil
}

// UnmarshalJSON reads a JSON object.
func (p *Personal[T]) UnmarshalJSON(data []byte) error {
	var v T
	if !bytes.Equal(data, []byte("null")) && wire.Restore(data, &v) != nil {
		return scalarError("is not a readable object") // the cause's own text may quote values
	}
	*p = PersonalOf(v)
	return nil
}
