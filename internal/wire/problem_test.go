package wire_test

import (
	"errors"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
)

// A message that breaks off in its depth leaves nothing over for the paths of
// the next one's problems.
func TestPathsStartAfresh(t *testing.T) {
	for range 100 {
		if wire.Decode([]byte(`{"labels":{"a":`), new(payRequest)) == nil {
			t.Fatal("taken")
		}
		for what, err := range map[string]error{
			"Decode":   wire.Decode([]byte(`{}`), new(payRequest)),
			"Validate": wire.Validate(payRequest{}),
		} {
			var invalid *wire.InvalidError
			if !errors.As(err, &invalid) || invalid.Problems[0].Path != "paymentRequestId" {
				t.Fatalf("%s: %v", what, err)
			}
		}
	}
}
