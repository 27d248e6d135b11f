// Package wire holds the JSON rules of the Alipay+ protocol: what may come in, what may go out, and what may be printed.
//
// A message travels in four steps, each of them one function:
//
//	Check    is this text safe to decode? One object, valid UTF-8, no duplicate keys, at most 32 levels.
//	Decode   fill a struct; tolerant in form, strict where a tag says that the field decides about money.
//	Encode   validate a struct and encode it; strict. Never an empty string, never an HTML escape.
//	Format   print a struct (with LogValue for log/slog), private fields redacted, in every verb.
//
// Check exists because encoding/json merges duplicate keys, repairs invalid UTF-8 and takes any depth without a word: two
// parsers would then read two different messages from the same signed bytes.
//
// # Tags
//
// A field has the wire name of its json tag, which works as in encoding/json, and a wire tag with options between commas:
//
//	required         outbound and inbound: a zero, absent, empty or unreadable value is a problem
//	check            inbound: the value may be absent, but an unreadable one is a problem
//	max=64           outbound: at most 64 characters, or 64 items of a slice; never applied to what comes in
//	https            outbound: an absolute https URL (http for a loopback host only)
//	private          Format and LogValue print [redacted]
//	alias=otherName  inbound: a further wire name; may stand several times
//	jsonstring       inbound: the object may come as a JSON-encoded string
//
// A tag that cannot work panics when its type is used for the first time.
//
// # What comes in
//
// Names match in any ASCII case. null, "", {} and [] mean absent, for every type. Scalars may be strings or native. Members
// that have no field are ignored. A value that cannot be read leaves its field zero, and is a problem only with required or
// check: an odd value that nobody reads must not refuse a payment. Two members that would fill the same field must be equal.
//
// A type may implement json.Unmarshaler to read itself; it never sees an absent value. If its error has a method
// WireRule() string, that text stands in the Problem; any other error text is dropped, because it may quote the value.
//
// # What goes out
//
// Encoding is that of encoding/json, so that MarshalJSON and omitzero work as usual. A type may implement
// WireRules() []string to report rules of its own that its value breaks, and WireText() string to say which text max and
// https are about.
//
// # What is printed
//
// A type with a method Reveal() string is a secret and always redacted. Problems and errors name paths and rules, never a
// value and never a member name that the sender chose.
package wire
