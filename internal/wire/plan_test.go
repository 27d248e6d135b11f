package wire_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
)

type unknownOption struct {
	A string `json:"a" wire:"requird"`
}

// A tag that cannot work is a mistake in the program and shows at once, also in
// a type that is used only further down.
func TestWrongTagsPanic(t *testing.T) {
	for want, v := range map[string]any{
		`unknown option "requird"`: &unknownOption{},
		`unknownOption.A`: &struct {
			B []*unknownOption `json:"b,omitzero"`
		}{},
		`unknown option " max=1"`: &struct {
			A string `json:"a" wire:"required, max=1"`
		}{},
		`unknown option "alias"`: &struct {
			A string `json:"a" wire:"alias"`
		}{},
		`max needs a number above 0`: &struct {
			A string `json:"a" wire:"max=x"`
		}{},
		`"max=5" does not fit a field of type int`: &struct {
			A int `json:"a" wire:"max=5"`
		}{},
		`"https" does not fit a field of type bool`: &struct {
			A bool `json:"a" wire:"https"`
		}{},
		`"jsonstring" does not fit a field of type string`: &struct {
			A string `json:"a" wire:"jsonstring"`
		}{},
		`the name B is taken`: &struct {
			A string `json:"b"`
			B string
		}{},
		`the name b is taken`: &struct {
			B string `json:"b"`
			A string `json:"a" wire:"alias=b"`
		}{},
		`the name orderdescription is taken`: &struct {
			Header
			Twin
		}{},
		`embeds time.Time`: &struct{ time.Time }{},
	} {
		for name, use := range map[string]func(){
			"Decode":   func() { _ = wire.Decode([]byte("{}"), v) },
			"Validate": func() { _ = wire.Validate(v) },
			"LogValue": func() { _ = wire.LogValue(v) },
		} {
			t.Run(want+" "+name, func(t *testing.T) {
				defer func() {
					if got := fmt.Sprint(recover()); !strings.Contains(got, want) {
						t.Errorf("got %q, want %q", got, want)
					}
				}()
				use()
			})
		}
	}
}

type Twin struct {
	Description string `json:"orderdescription"`
}

type first struct {
	A string `json:"a"`
	B *first `json:"b,omitzero"`
}

// Several requests may be the first to use a type.
func TestFirstUseIsConcurrent(t *testing.T) {
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			var got first
			if err := wire.Decode([]byte(`{"b":{"b":{"a":"x"}}}`), &got); err != nil || got.B.B.A != "x" {
				t.Error(err)
			}
		})
	}
	all.Wait()
}
