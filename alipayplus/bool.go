package alipayplus

import "fmt"

// Bool is a Boolean of the protocol, which travels as a string. It has three
// states because an absent flag is not a false one.
type Bool uint8

// The states of a Bool.
const (
	Unset Bool = iota // absent from the message
	False             // "false"
	True              // "true"
)

// String returns "true", "false" or "unset".
func (b Bool) String() string {
	switch b {
	case Unset:
		return "unset"
	case False:
		return "false"
	case True:
		return "true"
	}
	return fmt.Sprintf("Bool(%d)", uint8(b))
}

// MarshalJSON returns "true" or "false" as a JSON string, null if unset.
func (b Bool) MarshalJSON() ([]byte, error) {
	switch b {
	case Unset:
		return []byte("null"), nil
	case False:
		return []byte(`"false"`), nil
	case True:
		return []byte(`"true"`), nil
	}
	return nil, fmt.Errorf("alipayplus: %v is no Bool", b)
}

// UnmarshalJSON reads true and false, as strings in any case or native. null
// and "" leave it unset; everything else is an error.
func (b *Bool) UnmarshalJSON(data []byte) error {
	text, err := scalarText(data)
	if err != nil {
		return scalarError(`is neither "true" nor "false"`)
	}
	switch {
	case text == "":
		*b = Unset
	case sameWord(text, "true"):
		*b = True
	case sameWord(text, "false"):
		*b = False
	default:
		return scalarError(`is neither "true" nor "false"`)
	}
	return nil
}
