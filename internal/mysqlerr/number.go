// Package mysqlerr knows the errors of go-sql-driver/mysql without importing
// it.
package mysqlerr

import (
	"errors"
	"reflect"
)

// Duplicate is the number of an error about a unique key that is taken. It
// undoes one statement, not the transaction.
const Duplicate = 1062

// Number returns the number of an error of MySQL, which the driver has in a
// field and not in a method; 0 for other errors.
func Number(err error) uint64 {
	for ; err != nil; err = errors.Unwrap(err) {
		v := reflect.ValueOf(err)
		if v.Kind() != reflect.Pointer || v.IsNil() || v.Type().Elem().Name() != "MySQLError" || v.Elem().Kind() != reflect.Struct {
			continue
		}
		if number := v.Elem().FieldByName("Number"); number.IsValid() && number.CanUint() {
			return number.Uint()
		}
	}
	return 0
}
