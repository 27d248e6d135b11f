package authtest

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// digest returns 64 random hexadecimal characters.
func digest() string {
	var b [32]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// moment returns a random time between 2100 and 2130, in microseconds as
// databases keep them.
func moment() time.Time {
	const years = 30 * 365 * 24 * time.Hour
	after, err := rand.Int(rand.Reader, big.NewInt(int64(years/time.Second)))
	if err != nil {
		panic("authtest: no randomness")
	}
	return time.Date(2100, 1, 1, 0, 0, 0, 123456000, time.UTC).Add(time.Duration(after.Int64()) * time.Second)
}

// longAgo returns a time of which everything has expired.
func longAgo() time.Time { return time.Date(2020, 1, 2, 3, 4, 5, 123456000, time.UTC) }

// allBytes returns a text of every byte.
func allBytes() string {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	return string(every)
}

// same compares two records by their JSON, with times in UTC.
func same(t *testing.T, got, want any) {
	t.Helper()
	if a, b := text(t, got), text(t, want); a != b {
		t.Fatalf("the store returned another record:\n got %s\nwant %s", a, b)
	}
}

func text(t *testing.T, record any) string {
	t.Helper()
	data, err := alipayplus.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	var members any
	if err := json.Unmarshal(data, &members); err != nil {
		t.Fatal(err)
	}
	data, err = json.MarshalIndent(inUTC(members), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func inUTC(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name := range v {
			v[name] = inUTC(v[name])
		}
	case []any:
		for i := range v {
			v[i] = inUTC(v[i])
		}
	case string:
		if at, err := time.Parse(time.RFC3339Nano, v); err == nil {
			return at.UTC()
		}
	}
	return v
}
