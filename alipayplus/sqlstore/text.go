package sqlstore

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// column makes a text for a column of type TEXT of s: s itself, except that NUL,
// bytes that are no UTF-8 and the backslash become \xNN. Two texts stay two.
func column(s string) string {
	if utf8.ValidString(s) && !strings.ContainsAny(s, "\x00\\") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == 0 || r == '\\' || r == utf8.RuneError && size == 1 {
			fmt.Fprintf(&b, `\x%02x`, s[i])
		} else {
			b.WriteString(s[i : i+size])
		}
		i += size
	}
	return b.String()
}

// original is the s that column made text of.
func original(text string) string {
	if !strings.Contains(text, `\`) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		var c byte
		if n, err := fmt.Sscanf(text[i:min(i+4, len(text))], `\x%02x`, &c); n == 1 && err == nil {
			b.WriteByte(c)
			i += 3
		} else {
			b.WriteByte(text[i])
		}
	}
	return b.String()
}

// recordFormat is what encodeRecord makes. A row with a higher one is from a
// newer version of this package.
const recordFormat = 1

// encodeRecord makes a text of JSON, which has neither NUL nor bytes that are no
// UTF-8. (A column for JSON would change it.)
func encodeRecord(r payment.Record) (string, error) {
	data, err := r.MarshalBinary()
	return string(data), err
}

func decodeRecord(text string) (r payment.Record, err error) {
	err = r.UnmarshalBinary([]byte(text))
	return r, err
}

// encodeMessage makes a text like encodeRecord.
func encodeMessage(m alipayplus.Message) (string, error) {
	data, err := m.MarshalBinary()
	return string(data), err
}

func decodeMessage(text string) (m alipayplus.Message, err error) {
	err = m.UnmarshalBinary([]byte(text))
	return m, err
}

// instant reads a time of the database: a timestamp, or milliseconds since 1970.
type instant struct{ time.Time }

// Scan implements sql.Scanner.
func (i *instant) Scan(value any) error {
	switch value := value.(type) {
	case time.Time:
		i.Time = value
	case int64:
		i.Time = time.UnixMilli(value)
	default:
		return errors.New("sqlstore: a column for times holds something else")
	}
	return nil
}

// loose is a column whose content is wrong for its own row alone: a query that
// reads it reads the other rows.
type loose[T any] struct {
	value T
	err   error
}

// Scan implements sql.Scanner.
func (l *loose[T]) Scan(value any) error {
	var read sql.Null[T]
	l.err = read.Scan(value)
	if l.err == nil && !read.Valid {
		l.err = errors.New("sqlstore: a column is NULL")
	}
	l.value = read.V
	return nil
}

// milliseconds is d in full milliseconds, rounded up: no lease is too short.
func milliseconds(d time.Duration) int64 {
	return int64((max(d, 0) + time.Millisecond - 1) / time.Millisecond)
}
