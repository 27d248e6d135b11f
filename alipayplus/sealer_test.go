package alipayplus_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

func newSealer(t *testing.T, keys ...byte) *alipayplus.Sealer {
	t.Helper()
	var all [][]byte
	for _, k := range keys {
		all = append(all, bytes.Repeat([]byte{k}, 32))
	}
	s, err := alipayplus.NewSealer(all...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSealer(t *testing.T) {
	s := newSealer(t, 1)
	sealed := s.Seal("purpose", []byte("text"))
	if bytes.Contains(sealed, []byte("text")) || bytes.Equal(sealed, s.Seal("purpose", []byte("text"))) {
		t.Error("a sealed text shows what it is")
	}
	rotated := newSealer(t, 2, 1)
	for name, by := range map[string]*alipayplus.Sealer{"the same": s, "a rotated one": rotated} {
		if text, err := by.Open("purpose", sealed); err != nil || string(text) != "text" {
			t.Errorf("%s opens %q, %v", name, text, err)
		}
	}
	if _, err := s.Open("purpose", rotated.Seal("purpose", []byte("text"))); !errors.Is(err, alipayplus.ErrSealed) {
		t.Errorf("the first key does not seal: %v", err)
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if _, err := s.Open("purpose", changed); !errors.Is(err, alipayplus.ErrSealed) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
	}
	for name, open := range map[string]func() ([]byte, error){
		"another purpose": func() ([]byte, error) { return s.Open("other", sealed) },
		"another key":     func() ([]byte, error) { return newSealer(t, 3).Open("purpose", sealed) },
		"nothing":         func() ([]byte, error) { return s.Open("purpose", nil) },
		"no Sealer":       func() ([]byte, error) { return (*alipayplus.Sealer)(nil).Open("purpose", sealed) },
	} {
		if _, err := open(); !errors.Is(err, alipayplus.ErrSealed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNewSealerChecksKeys(t *testing.T) {
	for _, keys := range [][][]byte{nil, {nil}, {make([]byte, 32)}, {bytes.Repeat([]byte{1}, 16)}, {bytes.Repeat([]byte{1}, 32), nil}} {
		if _, err := alipayplus.NewSealer(keys...); err == nil {
			t.Errorf("%d keys are taken", len(keys))
		}
	}
}

// A sealed message can be neither moved to another one nor sent elsewhere.
func TestSealedMessage(t *testing.T) {
	s := newSealer(t, 1)
	m := alipayplus.Message{Operation: "o", Key: "k", Path: "/p", URL: "https://open-sea.alipayplus.com/n", Body: alipayplus.Conceal("a token")}
	sealed := s.SealMessage(m)
	if again := s.SealMessage(sealed); !again.Body.Equal(sealed.Body) {
		t.Error("it is sealed twice")
	}
	if opened, err := s.OpenMessage(sealed); err != nil || fmt.Sprint(opened) != fmt.Sprint(m) || opened.Body.Reveal() != "a token" || opened.Sealed {
		t.Errorf("%v, %v", opened, err)
	}
	if opened, err := s.OpenMessage(m); err != nil || opened.Body.Reveal() != "a token" {
		t.Errorf("a message that is not sealed: %v", err)
	}
	for name, change := range map[string]func(*alipayplus.Message){
		"operation": func(m *alipayplus.Message) { m.Operation = "other" },
		"key":       func(m *alipayplus.Message) { m.Key = "other" },
		"path":      func(m *alipayplus.Message) { m.Path = "/other" },
		"URL":       func(m *alipayplus.Message) { m.URL = "https://attacker.example/" },
		"body":      func(m *alipayplus.Message) { m.Body = alipayplus.Conceal(m.Body.Reveal()[1:]) },
	} {
		changed := sealed
		change(&changed)
		if opened, err := s.OpenMessage(changed); !errors.Is(err, alipayplus.ErrSealed) || opened.Body.Reveal() == "a token" {
			t.Errorf("with another %s it opens: %v", name, err)
		}
	}
}
