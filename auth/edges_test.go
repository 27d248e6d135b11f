package auth_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"unicode/utf8"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
)

// These are edges that changes of the code crossed without a test that saw it:
// see internal/cmd/mutate.

// Each member of a Grant may have its length, and no character more.
func TestLengthsOfGrants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for path, member := range map[string]struct {
			limit int
			set   func(*auth.Grant, string)
		}{
			"customerId":           {64, func(g *auth.Grant, text string) { g.CustomerID = text }},
			"authClientId":         {64, func(g *auth.Grant, text string) { g.AuthClientID = text }},
			"referenceAgreementId": {64, func(g *auth.Grant, text string) { g.ReferenceAgreementID = text }},
			"referenceMerchantId":  {32, func(g *auth.Grant, text string) { g.ReferenceMerchantID = text }},
			"acquirerId":           {64, func(g *auth.Grant, text string) { g.AcquirerID = text }},
			"pspId":                {64, func(g *auth.Grant, text string) { g.PSPID = text }},
			"userLoginId":          {64, func(g *auth.Grant, text string) { g.UserLoginID = alipayplus.Conceal(text) }},
		} {
			for more := range 2 {
				g := agreement
				g.ReferenceAgreementID = "agreement of " + path
				text := strings.Repeat("é", member.limit+more)
				member.set(&g, text)
				// A merchant's id that is too long is left out.
				if _, err := w.service.Issue(t.Context(), g); (err == nil) != (more == 0 || path == "referenceMerchantId") {
					t.Errorf("%s of %d characters: %v", path, utf8.RuneCountInString(text), err)
				}
			}
		}
	})
}

// A merchant's id of 32 characters is told, a longer one is left out.
func TestLongestMerchantID(t *testing.T) {
	for n, want := range map[int]int{32: 32, 33: 0} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			g := agreement
			g.ReferenceMerchantID = strings.Repeat("m", n)
			w.issue(g)
			w.work()
			if got := len(w.created().ReferenceMerchantID); got != want {
				t.Errorf("%d characters: %d are told, want %d", n, got, want)
			}
		})
	}
}
