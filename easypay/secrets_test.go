package easypay_test

import (
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/easypay"
	"github.com/alipayplus-mpp/alipayplus-go/internal/canary"
)

// No exported type shows a secret, in any way of showing it.
func TestNothingShowsSecrets(t *testing.T) {
	canary.Package{
		Structs: []any{easypay.Account{}, easypay.Page{}},
		Others:  map[string]string{"Tokens": "an interface", "Service": "functions and a Sealer", "Config": "functions and a Sealer"},
	}.Run(t)
}
