package wire

import "errors"

// restFormat is the version of the form in which Store writes.
const restFormat = 1

// Store encodes v, a struct, for a database: its JSON under the version of the
// form, {"format":1,"value":{…}}.
func Store(v any) ([]byte, error) {
	return EncodeUnchecked(struct {
		Format int `json:"format"`
		Value  any `json:"value"`
	}{restFormat, v})
}

// Load reads what Store wrote into a struct that into points to. Members that
// it does not know are ignored: a newer version may add some.
func Load[T any](data []byte, into *T) error {
	var stored struct {
		Format int `json:"format"`
		Value  T   `json:"value"`
	}
	if err := Restore(data, &stored); err != nil {
		return err
	}
	switch {
	case stored.Format < 1:
		return errors.New("not written by MarshalBinary")
	case stored.Format > restFormat:
		return errors.New("written by a newer version of this module")
	}
	*into = stored.Value
	return nil
}
