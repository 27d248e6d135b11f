package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// cutTime splits a time around the fraction of its second.
func cutTime(text string) (second, fraction, zone string, ok bool) {
	if len(text) < len("2006-01-02T15:04:05") || text[10] != 'T' {
		return "", "", "", false
	}
	second, zone = text[:19], text[19:]
	if strings.HasPrefix(zone, ".") {
		end := 1
		for end < len(zone) && '0' <= zone[end] && zone[end] <= '9' {
			end++
		}
		fraction, zone = zone[1:end], zone[end:]
	}
	return second, fraction, zone, true
}

// fractions returns text with more or fewer digits of the same fraction.
func fractions(text string) (all []string) {
	second, fraction, zone, ok := cutTime(text)
	if !ok {
		return nil
	}
	all = append(all, second+zone)
	padded := (fraction + "000000000")[:9]
	for digits := 1; digits <= 9; digits++ {
		all = append(all, second+"."+padded[:digits]+zone)
	}
	return all
}

// lostMilliseconds returns all milliseconds of the second.
func lostMilliseconds(text string) (all []string) {
	second, _, zone, ok := cutTime(text)
	for ms := 0; ok && ms < 1000; ms++ {
		all = append(all, fmt.Sprintf("%s.%03d%s", second, ms, zone))
	}
	return all
}

// timeForms returns the same instant in other words.
func timeForms(text string) (all []string) {
	t, ok := instant(text)
	if !ok {
		return nil
	}
	layouts := []string{"2006-01-02T15:04:05", "2006-01-02T15:04:05.000"}
	if _, fraction, _, ok := cutTime(text); ok && fraction != "" {
		layouts = append(layouts, "2006-01-02T15:04:05."+strings.Repeat("0", len(fraction)))
	}
	for _, layout := range layouts {
		for _, zone := range []*time.Location{time.UTC, t.Location(), time.FixedZone("", 8*3600)} {
			for _, offset := range []string{"Z07:00", "-07:00", "-0700"} {
				all = append(all, t.In(zone).Format(layout+offset))
			}
		}
	}
	return append(all, strconv.FormatInt(t.UnixMilli(), 10), strconv.FormatInt(t.Unix(), 10))
}

func instant(text string) (time.Time, bool) {
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.UnixMilli(ms).UTC(), true
	}
	t, err := alipayplus.ParseTime(text)
	if err != nil {
		return time.Time{}, false
	}
	return t.Time()
}
