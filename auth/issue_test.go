package auth_test

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

func TestTokenIsIssuedOnceAndNotified(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(c *auth.Config) {
			c.AccessTokenTTL = time.Hour
			c.Wallet = auth.Wallet{WalletName: "W", WalletBrandName: "Wallet", WalletRegion: "ID",
				WalletLogo: auth.WalletLogo{LogoName: "W", LogoURL: "https://wallet.example/w.svg"}}
		})
		first := w.issue(agreement)
		second := w.issue(agreement)
		if first.ID != second.ID || first.AccessDigest != second.AccessDigest {
			t.Error("two tokens of one agreement")
		}
		w.workFor(time.Minute)
		if third := w.issue(agreement); third.AccessDigest != first.AccessDigest {
			t.Error("another token after the notification")
		}
		w.workFor(time.Minute)
		got := w.created()
		want := auth.TokenCreated{
			AuthClientID: "merchant-1", ReferenceAgreementID: "agreement-1",
			AccessToken: got.AccessToken, AccessTokenExpiryTime: alipayplus.TimeOf(first.AccessExpiry),
			RefreshToken: got.RefreshToken, RefreshTokenExpiryTime: alipayplus.TimeOf(first.RefreshExpiry),
			ReferenceMerchantID: "shop-1", CustomerID: "customer-1", UserLoginID: agreement.UserLoginID,
			AcquirerID: "acquirer-1", PSPID: "psp-1", Wallet: w.config.Wallet,
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("authNotify: %v, want %v", got, want)
		}
		if !w.find(first.ID).Grant.UserLoginID.IsZero() {
			t.Error("the login id is stored")
		}
		if got.AccessToken.Digest() != first.AccessDigest || got.RefreshToken.Digest() != first.RefreshDigest {
			t.Error("the tokens are not those of the record")
		}
		if calls := w.gateway.Calls(auth.AuthNotify); len(calls) != 1 || calls[0].Target != "/aps/api/v1/authorizations/authNotify" {
			t.Errorf("%d calls", len(calls))
		}
		if keys := w.waiting(); len(keys) != 0 {
			t.Errorf("%v waits after its acknowledgement", keys)
		}

		other := agreement
		other.ReferenceAgreementID = "agreement-2"
		if w.issue(other).ID == first.ID {
			t.Error("two agreements share a token")
		}
		other = agreement
		other.CustomerID = "customer-2"
		if _, err := w.service.Issue(t.Context(), other); err == nil {
			t.Error("somebody else got the token of an agreement")
		}
	})
}

// An agreement is told by both of its ids: clients choose them without each
// other, and texts that are only next to each other in them do not make one.
func TestAgreementsAreTold(t *testing.T) {
	w := newWorld(t)
	met := map[string]string{}
	for _, ids := range [][2]string{{"m1", "2a"}, {"m12", "a"}, {"m1", "a"}, {"m2", "2a"}} {
		g := agreement
		g.AuthClientID, g.ReferenceAgreementID = ids[0], ids[1]
		token := w.issue(g)
		if other, known := met[token.ID]; known || token.Grant.AuthClientID != ids[0] || token.Grant.ReferenceAgreementID != ids[1] {
			t.Errorf("%q got the token of %q, %+v", ids, other, token.Grant)
		}
		met[token.ID] = ids[0] + " " + ids[1]
	}
}

func TestIssueNeedsACompleteGrant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for _, c := range []struct {
			rule   string
			change func(*auth.Grant)
		}{
			{"customerId: missing", func(g *auth.Grant) { g.CustomerID = "" }},
			{"authClientId: missing", func(g *auth.Grant) { g.AuthClientID = "" }},
			{"referenceAgreementId: missing", func(g *auth.Grant) { g.ReferenceAgreementID = "" }},
			{"referenceMerchantId: not UTF-8", func(g *auth.Grant) { g.ReferenceMerchantID = "\xff" }},
			{"userLoginId: too long", func(g *auth.Grant) { g.UserLoginID = alipayplus.Conceal(strings.Repeat("1", 65)) }},
			{"acquirerId: not UTF-8", func(g *auth.Grant) { g.AcquirerID = "\xff" }},
		} {
			g := agreement
			c.change(&g)
			var invalid *alipayplus.ValidationError
			field, _, _ := strings.Cut(c.rule, ":")
			if _, err := w.service.Issue(t.Context(), g); !errors.As(err, &invalid) || paths(invalid) != field {
				t.Errorf("%s: %v", c.rule, err)
			}
		}
		// All that is missing is named at once.
		var invalid *alipayplus.ValidationError
		if _, err := w.service.Issue(t.Context(), auth.Grant{}); !errors.As(err, &invalid) ||
			paths(invalid) != "customerId authClientId referenceAgreementId" {
			t.Errorf("an empty grant: %v", err)
		}
		if keys := w.waiting(); len(keys) != 0 {
			t.Errorf("left over: %v", keys)
		}
	})
}

// paths returns the fields that e names.
func paths(e *alipayplus.ValidationError) string {
	var list []string
	for _, p := range e.Problems {
		list = append(list, p.Path)
	}
	return strings.Join(list, " ")
}

// A merchant id that authNotify cannot carry is no reason to lose the token of
// a payment that is made.
func TestIssueWithoutTheMerchantID(t *testing.T) {
	w := newWorld(t)
	g := agreement
	g.ReferenceMerchantID = strings.Repeat("m", 33)
	token, err := w.service.Issue(t.Context(), g)
	if err != nil || token.Grant.ReferenceMerchantID != "" {
		t.Errorf("Issue: %q, %v; want a token without it", token.Grant.ReferenceMerchantID, err)
	}
}

// Whatever becomes of a notification: the bytes stay, and the token does, too.
func TestDeliveryNeverChangesTheToken(t *testing.T) {
	unknown := alipayplustest.Unknown(alipayplus.CodeUnknownException)
	for _, c := range []struct {
		rule   string
		faults []alipayplustest.Fault
		dead   bool
	}{
		{"acknowledged", nil, false},
		{"lost on the way, U, lost on the way back", []alipayplustest.Fault{
			alipayplustest.LoseRequest(), unknown, alipayplustest.LoseAnswer(),
		}, false},
		{"unsigned answers do not count", []alipayplustest.Fault{
			alipayplustest.Unsigned(alipayplus.CodeSuccess.Result()), alipayplustest.Unsigned(alipayplus.CodeProcessFail.Result()),
			alipayplustest.Tamper(),
		}, false},
		{"U for ever", []alipayplustest.Fault{
			unknown, unknown, unknown, unknown, unknown, unknown, unknown, unknown, unknown, unknown, unknown,
		}, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, keep)
			before := w.issue(agreement)
			bodies := w.recordBodies()
			w.gateway.Fail(auth.AuthNotify, c.faults...)
			for range 30 * 60 {
				w.work()
				time.Sleep(time.Minute)
			}
			if !bytes.Equal(dump(before), dump(w.find(before.ID))) {
				t.Errorf("%s: the token changed", c.rule)
			}
			dead, err := w.memory.DeadLetters(t.Context(), 10)
			if err != nil || (len(dead) == 1) != c.dead {
				t.Errorf("%s: %d dead letters, %v", c.rule, len(dead), err)
			}
			if want := len(c.faults) + 1; c.dead && len(*bodies) != want-1 || !c.dead && len(*bodies) != want {
				t.Errorf("%s: %d deliveries", c.rule, len(*bodies))
			}
			for _, body := range *bodies {
				if !bytes.Equal(body, (*bodies)[0]) {
					t.Errorf("%s: the message changed between deliveries", c.rule)
				}
			}
			if alarm := strings.Contains(w.log.String(), "level=ERROR"); alarm != c.dead {
				t.Errorf("%s: alarm %t", c.rule, alarm)
			}
		})
	}
}

// recordBodies notes the body of every delivery of authNotify, processed or
// not.
func (w *world) recordBodies() *[][]byte {
	var bodies [][]byte
	w.throughTransport(func(body []byte) { bodies = append(bodies, body) })
	return &bodies
}

// What an F made a dead letter is delivered when it is requeued, and the token
// is alive all the time.
func TestRefusedNotification(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		token := w.issue(agreement)
		w.refuseFirst(alipayplus.CodeAccessDenied)
		w.workFor(48 * time.Hour)
		dead, err := w.memory.DeadLetters(t.Context(), 10)
		if err != nil || len(dead) != 1 || dead[0].Code != "ACCESS_DENIED" || dead[0].Message.Group != token.ID {
			t.Fatalf("dead letters: %v, %v", dead, err)
		}
		if err := w.memory.Requeue(t.Context(), dead[0].Message.Operation, dead[0].Message.Key); err != nil {
			t.Fatal(err)
		}
		w.work()
		w.alive(w.created().AccessToken)
	})
}

// A refresh proves that Alipay+ has the token: the old pair is not announced
// any more.
func TestRefreshedTokenIsNotAnnounced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.issue(agreement)
		w.gateway.Fail(auth.AuthNotify, alipayplustest.LoseAnswer())
		w.work()
		if keys := w.waiting(); len(keys) != 1 {
			t.Fatalf("%v waits", keys)
		}
		next := w.apply(applyRefresh(w.created().RefreshToken))
		if keys := w.waiting(); len(keys) != 0 {
			t.Errorf("%v waits for a pair that is dead", keys)
		}
		w.apply(applyRefresh(next.RefreshToken))
	})
}

// A warning is not lost because nobody thought of a Logger.
func TestServiceWithoutLogger(t *testing.T) {
	log := testkit.DefaultLog(t)
	w := newWorld(t, func(c *auth.Config) { c.Logger = nil })
	g := agreement
	g.ReferenceMerchantID = strings.Repeat("s", 33)
	if _, err := w.service.Issue(t.Context(), g); err != nil || !strings.Contains(log.String(), "referenceMerchantId") {
		t.Errorf("%v, and the log says %q", err, log)
	}
}
