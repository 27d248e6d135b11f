package alipayplus

import "time"

// Time is a Datetime of the protocol: ISO 8601 with an offset, for example
// 2019-11-27T12:01:01+08:00. It keeps the text that came in, so that storing
// and sending it again changes nothing, and gives the instant on request. The
// zero Time is absent.
type Time struct{ text string }

// TimeOf is t with seconds and t's own offset, the form that the SDK sends. A
// zero t gives the zero Time.
func TimeOf(t time.Time) Time {
	if t.IsZero() {
		return Time{}
	}
	return Time{t.Format("2006-01-02T15:04:05-07:00")}
}

// ParseTime reads a Datetime. It fails for a text that names no instant.
func ParseTime(text string) (Time, error) {
	t := Time{text}
	if _, ok := t.Time(); !ok {
		return Time{}, scalarError("is not an ISO 8601 time with an offset")
	}
	return t, nil
}

// Time is the instant, and false if there is none: t is zero, or what came in
// has no known form. Known forms are ISO 8601 with an offset (Z, +08:00 or
// +0800), with or without a fraction, and milliseconds since 1970.
func (t Time) Time() (time.Time, bool) { return parseInstant(t.text) }

// IsZero reports whether t is absent.
func (t Time) IsZero() bool { return t.text == "" }

// Equal reports whether t and u are the same instant, or, where one has no
// known form, the same text.
func (t Time) Equal(u Time) bool {
	a, aok := t.Time()
	b, bok := u.Time()
	if aok && bok {
		return a.Equal(b)
	}
	return t.text == u.text
}

// String is the text that came in or goes out.
func (t Time) String() string { return t.text }

// MarshalJSON is the text as a JSON string, null if absent.
func (t Time) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return quoteJSON(t.text)
}

// UnmarshalJSON keeps the text. A text of no known form is kept, too; Time then
// reports false.
func (t *Time) UnmarshalJSON(data []byte) error {
	text, err := scalarText(data)
	if err != nil || len(text) > 64 {
		return scalarError("is not an ISO 8601 time with an offset")
	}
	t.text = text
	return nil
}

// WireRules are the rules that t breaks as a value to send.
func (t Time) WireRules() []string {
	if _, ok := t.Time(); !ok && !t.IsZero() {
		return []string{"is not an ISO 8601 time with an offset"}
	}
	return nil
}

var instantLayouts = []string{
	time.RFC3339Nano,
	"2006-01-02T15:04:05.999999999-0700",
}

// parseInstant reads every form of time that was seen on the wire.
func parseInstant(text string) (time.Time, bool) {
	if (len(text) == 13 || len(text) == 12) && allDigits(text) { // milliseconds since 1970; synctest lives in 2000
		var ms int64
		for i := range len(text) {
			ms = ms*10 + int64(text[i]-'0')
		}
		return time.UnixMilli(ms), true
	}
	if len(text) < len("2006-01-02T15:04:05Z") {
		return time.Time{}, false
	}
	for _, layout := range instantLayouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

func allDigits(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return text != ""
}
