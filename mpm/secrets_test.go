package mpm_test

import (
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/internal/canary"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
)

// No exported type shows a secret, in any way of showing it. The steps and the
// result page are for the app: their JSON holds what it needs.
func TestNothingShowsSecrets(t *testing.T) {
	canary.Package{
		Structs: []any{
			mpm.Cashier{}, mpm.Failed{}, mpm.Launch{}, mpm.Limit{}, mpm.Local{}, mpm.UserMessage{}, mpm.ResultPage{},
			mpm.Pending{}, mpm.Rejected{}, mpm.SDKAction{}, mpm.Unsupported{}, mpm.UserInitiatedPayRequest{}, mpm.UserInitiatedPayResponse{},
		},
		Answers: []string{"Launch", "SDKAction", "ResultPage"},
		Others: map[string]string{
			"Step": "an interface", "Origin": "a word", "Excess": "a number", "Identifier": "an interface", "Config": "interfaces and functions", "Flow": "a Config",
		},
	}.Run(t)
}
