package mysqlerr_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/internal/mysqlerr"
)

// MySQLError is like that of the driver.
type MySQLError struct{ Number uint16 }

func (e *MySQLError) Error() string { return "an error of MySQL" }

type other struct{ Number uint16 }

func (e *other) Error() string { return "another error" }

func TestNumber(t *testing.T) {
	for _, c := range []struct {
		err  error
		want uint64
	}{
		{nil, 0}, {errors.New("text"), 0}, {&other{1062}, 0}, {(*MySQLError)(nil), 0},
		{&MySQLError{1062}, mysqlerr.Duplicate}, {fmt.Errorf("wrapped: %w", &MySQLError{1213}), 1213},
		{errors.Join(errors.New("text"), fmt.Errorf("one of several: %w", &MySQLError{1205})), 1205},
		{errors.Join(&other{1}, errors.New("text")), 0},
	} {
		if got := mysqlerr.Number(c.err); got != c.want {
			t.Errorf("%T: %d, want %d", c.err, got, c.want)
		}
	}
}
