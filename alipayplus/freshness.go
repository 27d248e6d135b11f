package alipayplus

import "time"

// freshness judges the signed time of a message.
type freshness struct {
	max     time.Duration
	enforce bool
}

func newFreshness(maxSkew time.Duration) freshness {
	switch {
	case maxSkew < 0:
		return freshness{15 * time.Minute, false}
	case maxSkew == 0:
		return freshness{15 * time.Minute, true}
	}
	return freshness{maxSkew, true}
}

// age returns how far text lies in the past, negative for the future; known is
// false for a time of no known form. far says that it is further away than it
// may be.
func (f freshness) age(text string) (age time.Duration, known, far bool) {
	t, ok := parseInstant(text)
	if !ok {
		return 0, false, false
	}
	age = time.Since(t)
	return age, true, age > f.max || age < -f.max
}

// headerTime returns t as the SDK writes it into a header: milliseconds, UTC.
func headerTime(t time.Time) string {
	return t.UTC().Format("2006-01-02T15:04:05.000Z07:00")
}
