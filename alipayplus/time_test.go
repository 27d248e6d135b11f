package alipayplus_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

func TestTimeForms(t *testing.T) {
	instant := time.Date(2019, 11, 27, 4, 1, 1, 0, time.UTC)
	for _, test := range []struct {
		text string
		want time.Time
		ok   bool
	}{
		{"2019-11-27T12:01:01+08:00", instant, true},
		{"2019-11-27T12:01:01+0800", instant, true},
		{"2019-11-27T04:01:01Z", instant, true},
		{"2019-11-27T04:01:01.090Z", instant.Add(90 * time.Millisecond), true},
		{"2019-11-27T12:01:01.123456789+08:00", instant.Add(123456789), true},
		{"2019-11-27T12:01:01.5+0800", instant.Add(500 * time.Millisecond), true},
		{"2019-11-26T23:31:01-04:30", instant, true},
		{"1574827261000", instant, true},
		{"", time.Time{}, false},
		{"2019-11-27T12:01:01", time.Time{}, false}, // of no zone
		{"2019-11-27T12:01:01.500", time.Time{}, false},
		{"2019-11-27 12:01:01+08:00", time.Time{}, false},
		{"2019-11-27T12:01+08:00", instant.Add(-time.Second), true}, // java.time at second 0
		{"2019-11-27T12:01+0800", instant.Add(-time.Second), true},
		{"2019-11-27T12:01+08", instant.Add(-time.Second), true},
		{"2019-11-27T04:01Z", instant.Add(-time.Second), true},
		{"2019-11-27T12:01:01+08", instant, true},
		{"2019-11-27T12:01:01,5+08", instant.Add(500 * time.Millisecond), true},
		{"2019-11-27T12:01:01,123456789012345678901+08:00", instant.Add(123456789), true},
		{"2019-11-27T12:01:01.0000000019Z", instant.Add(8*time.Hour + time.Nanosecond), true},
		{"2019-11-27T22:01:01+18:00", instant, true},
		{"2019-11-26T10:01:01-18:00", instant, true},
		{"2019-11-26T10:01:01-18", instant, true},
		{"0999999999999", time.UnixMilli(999999999999), true},
		{"2019-11-27T12:01:01+18:01", time.Time{}, false},
		{"2019-11-27T12:01:01-18:01", time.Time{}, false},
		{"2019-11-27T12:01:01+19", time.Time{}, false},
		{"2019-11-27T12:01:01+24:00", time.Time{}, false},
		{"2019-11-27T12:01:01+08:60", time.Time{}, false},
		{"2019-11-27T12:01:01+8", time.Time{}, false},
		{"2019-11-27T12:01:01+08:", time.Time{}, false},
		{"2019-11-27T12:01:01+08:0", time.Time{}, false},
		{"2019-11-27T12:01:01+:0800", time.Time{}, false},
		{"2019-11-27T12:01:01+08:00:00", time.Time{}, false},
		{"2019-11-27T12:01:01.+08:00", time.Time{}, false},
		{"2019-11-27T12:01:01.", time.Time{}, false},
		{"2019-11-27T12:01.5+08:00", time.Time{}, false}, // of a minute
		{"2019-11-27T12:01:+08:00", time.Time{}, false},
		{"2019-11-27T12:01:1Z", time.Time{}, false},
		{"2019-11-27T12:1:01Z", time.Time{}, false},
		{"2019-11-27T12+08:00", time.Time{}, false},
		{"2019-11-27T12:01", time.Time{}, false},
		{"2019-11-27t12:01:01z", time.Time{}, false},
		{"2019-11-27T24:00Z", time.Time{}, false},
		{"999999999999", time.Time{}, false}, // 12 digits
		{"2019-11-27", time.Time{}, false},
		{"2019-02-30T12:01:01Z", time.Time{}, false},
		{"2019-11-27T25:01:01Z", time.Time{}, false},
		{"2019-11-27T12:01:60Z", time.Time{}, false},
		{"2019-11-27T12:01:01+25:00", time.Time{}, false},
		{"2019-11-27T12:01:01Z ", time.Time{}, false},
		{"1574827261", time.Time{}, false}, // seconds
		{"15748272610000", time.Time{}, false},
		{"-574827261000", time.Time{}, false},
		{"now", time.Time{}, false},
	} {
		parsed, err := alipayplus.ParseTime(test.text)
		if (err == nil) != test.ok {
			t.Errorf("ParseTime %q: %v", test.text, err)
		}
		if err != nil && test.text != "" && strings.Contains(err.Error(), test.text) {
			t.Errorf("%v quotes %q", err, test.text)
		}
		// What comes in is kept, known or not, and is sent again as it came.
		var kept alipayplus.Time
		if err := json.Unmarshal(testkit.Must(json.Marshal(test.text)), &kept); err != nil {
			t.Errorf("Unmarshal %q: %v", test.text, err)
		}
		if kept.String() != test.text {
			t.Errorf("kept %q, want %q", kept, test.text)
		}
		at, ok := kept.Time()
		if ok != test.ok || !at.Equal(test.want) {
			t.Errorf("%q: %v, %v; want %v", test.text, at, ok, test.want)
		}
		if test.ok && (!kept.Equal(parsed) || !cmp.Equal(kept, parsed) || len(kept.WireRules()) != 0) {
			t.Errorf("%q: not equal to itself", test.text)
		}
		if !test.ok && test.text != "" && len(kept.WireRules()) != 1 {
			t.Errorf("%q may be sent", test.text)
		}
	}
}

func TestTimeOf(t *testing.T) {
	at := time.Date(2019, 11, 27, 12, 1, 1, 999, time.FixedZone("", 8*3600))
	for want, in := range map[string]time.Time{
		"2019-11-27T12:01:01+08:00": at,
		"2019-11-27T04:01:01+00:00": at.UTC(),
		"":                          {},
	} {
		got := alipayplus.TimeOf(in)
		if got.String() != want || got.IsZero() != in.IsZero() {
			t.Errorf("%q, want %q", got, want)
		}
		text, err := json.Marshal(got)
		if err != nil || want != "" && string(text) != `"`+want+`"` || want == "" && string(text) != "null" {
			t.Errorf("%s, %v", text, err)
		}
	}
	far := alipayplus.TimeOf(time.Date(12019, 1, 1, 0, 0, 0, 0, time.UTC))
	if len(far.WireRules()) != 1 {
		t.Errorf("%q may be sent", far)
	}
}

// Equal compares instants where it can, and texts where it cannot.
func TestTimeEqual(t *testing.T) {
	read := func(text string) (tm alipayplus.Time) {
		if err := json.Unmarshal(testkit.Must(json.Marshal(text)), &tm); err != nil {
			t.Fatal(err)
		}
		return tm
	}
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{"2019-11-27T12:01:01+08:00", "2019-11-27T04:01:01.000Z", true},
		{"2019-11-27T12:01:01+08:00", "2019-11-27T12:01:01Z", false},
		{"soon", "soon", true},
		{"soon", "later", false},
		{"soon", "2019-11-27T12:01:01Z", false},
		{"", "", true},
		{"", "2019-11-27T12:01:01Z", false},
	} {
		if read(test.a).Equal(read(test.b)) != test.want || cmp.Equal(read(test.a), read(test.b)) != test.want {
			t.Errorf("%q and %q: want %v", test.a, test.b, test.want)
		}
	}
}

func TestTimeUnmarshalRefuses(t *testing.T) {
	for _, text := range []string{`{}`, `[1]`, `"` + strings.Repeat("1", 65) + `"`} {
		var tm alipayplus.Time
		if err := json.Unmarshal([]byte(text), &tm); err == nil {
			t.Errorf("%.20s is a time", text)
		}
	}
	var tm alipayplus.Time
	if err := json.Unmarshal([]byte("null"), &tm); err != nil || !tm.IsZero() {
		t.Errorf("null: %q, %v", tm, err)
	}
	if err := json.Unmarshal([]byte("1574827261000"), &tm); err != nil || tm.String() != "1574827261000" {
		t.Errorf("a number: %q, %v", tm, err)
	}
}
