package alipayplus

import (
	"strconv"
	"time"
)

// Time is a Datetime of the protocol: ISO 8601 with an offset, for example
// 2019-11-27T12:01:01+08:00. It keeps the text that came in, so that storing
// and sending it again changes nothing, and gives the instant on request. The
// zero Time is absent.
type Time struct{ text string }

// TimeOf returns t with seconds and t's own offset, the form that the SDK
// sends. A zero t gives the zero Time.
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

// Time returns the instant, and false if there is none: t is zero, or what came
// in has no known form. Known forms are ISO 8601 with an offset (Z, +08:00,
// +0800 or +08, at most 18 hours), with or without seconds and a fraction, and
// milliseconds since 1970 in 13 digits.
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

// String returns the text that came in or goes out.
func (t Time) String() string { return t.text }

// MarshalJSON returns the text as a JSON string, null if absent.
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

// WireRules returns the rules that t breaks as a value to send.
func (t Time) WireRules() []string {
	if _, ok := t.Time(); !ok && !t.IsZero() {
		return []string{"is not an ISO 8601 time with an offset"}
	}
	return nil
}

// parseInstant reads every form of time that occurs on the wire: milliseconds
// since 1970 in 13 digits, or
//
//	2026-12-01T10:30[:00[.123]](Z|+08:00|+0800|+08)
//
// where the fraction may be of any length, after a point or a comma, and counts
// to the nanosecond; an offset is at most 18 hours.
func parseInstant(text string) (time.Time, bool) {
	if len(text) == 13 && allDigits(text) {
		ms, err := strconv.ParseInt(text, 10, 64)
		return time.UnixMilli(ms), err == nil
	}
	const minutes = len("2006-01-02T15:04")
	if len(text) <= minutes {
		return time.Time{}, false
	}
	clock, rest := text[:minutes]+":00", text[minutes:]
	if rest[0] == ':' {
		if len(rest) < 3 {
			return time.Time{}, false
		}
		clock, rest = text[:minutes+3], rest[3:]
	}
	at, err := time.Parse("2006-01-02T15:04:05", clock)
	if err != nil || len(clock) != len("2006-01-02T15:04:05") {
		return time.Time{}, false
	}
	var nanoseconds time.Duration
	if rest != "" && (rest[0] == '.' || rest[0] == ',') && text[minutes] == ':' {
		digits := 1
		for digits < len(rest) && '0' <= rest[digits] && rest[digits] <= '9' {
			digits++
		}
		if digits == 1 {
			return time.Time{}, false
		}
		for i, unit := 1, 100*time.Millisecond; i < digits && unit > 0; i, unit = i+1, unit/10 {
			nanoseconds += time.Duration(rest[i]-'0') * unit
		}
		rest = rest[digits:]
	}
	offset, ok := parseOffset(rest)
	if !ok {
		return time.Time{}, false
	}
	return at.Add(nanoseconds - offset).In(time.FixedZone("", int(offset/time.Second))), true
}

// parseOffset reads Z, +08:00, +0800 and +08, up to 18 hours on either side.
func parseOffset(text string) (offset time.Duration, ok bool) {
	if text == "Z" {
		return 0, true
	}
	if text == "" || text[0] != '+' && text[0] != '-' {
		return 0, false
	}
	digits := text[1:]
	if len(digits) == 5 && digits[2] == ':' {
		digits = digits[:2] + digits[3:]
	}
	if len(digits) == 2 {
		digits += "00"
	}
	if len(digits) != 4 || !allDigits(digits) {
		return 0, false
	}
	hours, minutes := int(digits[0]-'0')*10+int(digits[1]-'0'), int(digits[2]-'0')*10+int(digits[3]-'0')
	offset = time.Duration(60*hours+minutes) * time.Minute
	if minutes > 59 || offset > 18*time.Hour {
		return 0, false
	}
	if text[0] == '-' {
		offset = -offset
	}
	return offset, true
}

func allDigits(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return text != ""
}
