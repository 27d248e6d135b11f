package alipayplus

import (
	"fmt"
	"log/slog"

	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
)

// Marshal returns the JSON of v as it is sent to Alipay+, with the text of
// every [Secret] and the object of every [Personal] in it: mind where it goes.
// It takes messages, records, and structs, slices and maps of them. It does not
// validate v; [Outbound.Prepare] does that for a message to send. The error of
// a v that cannot be encoded, because a text is not valid UTF-8, for example,
// is a [*ValidationError].
func Marshal(v any) ([]byte, error) {
	data, err := wire.EncodeUnchecked(v)
	if err != nil {
		return nil, publicError(err)
	}
	return data, nil
}

// Unmarshal reads into the struct that v points to what Marshal wrote, or the
// body of a message. Members that v does not have are ignored. A value that
// cannot be read is an error, a [*ValidationError] that lists all of them and
// quotes none; nothing is required.
func Unmarshal(data []byte, v any) error {
	if err := wire.Restore(data, v); err != nil {
		return fmt.Errorf("alipayplus: cannot be read: %w", publicError(err))
	}
	return nil
}

// Loggable returns v, a message, a record or an answer for the app, as a group
// for log/slog. The group has the fields that are set, by their names on the
// wire: secrets are redacted, and a slice shows its first three items. Without
// it slog's JSON handler logs an error instead of a struct that holds a
// [Secret], because it calls json.Marshal.
//
//	logger.Info("paid", "record", alipayplus.Loggable(record))
func Loggable(v any) slog.LogValuer { return loggable{v} }

type loggable struct{ v any }

func (l loggable) LogValue() slog.Value { return wire.LogValue(l.v) }
