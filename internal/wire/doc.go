// Package wire holds the JSON rules of the Alipay+ protocol: what may come in,
// what may go out, and what may be logged.
//
//   - [Decode] checks a text and fills a struct. It is tolerant in form, and
//     strict where a tag says that the field decides about money.
//   - [Encode] validates a struct and encodes it. It is strict, and writes
//     neither an empty string nor an escape for HTML.
//   - [Store] encodes a record for a database, with its secrets. [Load] reads it,
//     and refuses what it cannot read.
//   - [LogValue] shows a struct to a log, redacted.
//
// [Check] is the first half of [Decode]: one object, valid UTF-8, no duplicate
// keys, at most 32 levels. It exists because encoding/json merges duplicate
// keys, repairs invalid UTF-8 and takes any depth without a word: two parsers
// would then read two different messages from the same signed bytes.
//
// # Tags
//
// A field has the wire name of its json tag, with the options omitzero and
// omitempty, and a wire tag with options between commas:
//
//	required         out and in: a zero, absent, empty or unreadable value is a
//	                 problem
//	check            in: the value may be absent; an unreadable one is a problem
//	max=64           out: at most 64 characters, or 64 items of a slice; never
//	                 applied to what comes in
//	https            out: an absolute https URL (http for a loopback host only)
//	alias=otherName  in: a further wire name; may be given several times
//	jsonstring       in: the object may come as a JSON-encoded string
//
// A tag that cannot work panics when its type is used for the first time.
//
// # Secrets
//
// A type that embeds [Held] is read, checked and written as the value that it
// holds, and redacted by [LogValue]. Its own methods make encoding/json fail,
// so that only this package writes what it holds. A MarshalJSON that returns
// [AtRest] is passed over in the same way.
//
// # What comes in
//
// Names match in any ASCII case. null, "", {} and [] mean absent, for every
// type. Scalars may be strings or native. Members that have no field are
// ignored. A value that cannot be read leaves its field zero, and is a problem
// only with required or check: an odd value that nobody reads must not refuse a
// payment. Two members that would fill the same field must be equal.
//
// A type may implement json.Unmarshaler to read itself; it never sees an absent
// value. If its error has a method WireRule() string, that text is in the
// Problem; any other error text is dropped, because it may quote the value.
//
// # What goes out
//
// Encoding is that of encoding/json, so that MarshalJSON and omitzero work as
// usual, without the escapes for HTML. A text that is not valid UTF-8 is not
// repaired: it is an error. A type may implement WireRules() []string to report
// rules of its own that its value breaks, and WireValue() any to name what is
// encoded instead of it.
//
// Problems and errors name paths and rules, never a value and never a member
// name that the sender chose.
package wire
