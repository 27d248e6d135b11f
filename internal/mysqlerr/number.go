// Package mysqlerr knows the errors of go-sql-driver/mysql without importing it.
package mysqlerr

import "reflect"

// Numbers of errors.
const (
	Duplicate   = 1062 // a unique key is taken; it undoes one statement, not the transaction
	NoSavepoint = 1305 // there is no such savepoint
)

// Number is the number of an error of MySQL, which the driver has in a field
// and not in a method; 0 for other errors. Like errors.As it looks into all
// that err wraps, also where an error wraps several.
func Number(err error) uint64 {
	if err == nil {
		return 0
	}
	v := reflect.ValueOf(err)
	if v.Kind() == reflect.Pointer && !v.IsNil() && v.Type().Elem().Name() == "MySQLError" && v.Elem().Kind() == reflect.Struct {
		if number := v.Elem().FieldByName("Number"); number.IsValid() && number.CanUint() {
			return number.Uint()
		}
	}
	switch wrapping := err.(type) { //nolint:errorlint // this is the walk
	case interface{ Unwrap() error }:
		return Number(wrapping.Unwrap())
	case interface{ Unwrap() []error }:
		for _, one := range wrapping.Unwrap() {
			if n := Number(one); n != 0 {
				return n
			}
		}
	}
	return 0
}
