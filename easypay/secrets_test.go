package easypay_test

import (
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/easypay"
	"github.com/alipayplus-mpp/alipayplus-go/internal/canary"
)

// No exported type shows a secret, in any way of showing it.
func TestNothingShowsSecrets(t *testing.T) {
	canary.Package{
		Structs: []any{
			easypay.Evaluation{}, easypay.Creation{}, easypay.OneClick{}, easypay.Account{}, easypay.Eligible{}, easypay.Verification{}, easypay.Paid{},
		},
		Others: map[string]string{"Tokens": "an interface", "Service": "functions"},
	}.Run(t)
}
