package auth_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
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
		if n := w.find(first.ID).Notice; n.State != auth.NoticeAcknowledged || n.Code != "SUCCESS" || n.Tries != 0 {
			t.Errorf("the notice is %v", n)
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

// Texts that are only next to each other in two ids do not make one agreement.
func TestAgreementsAreTold(t *testing.T) {
	w := newWorld(t)
	a, b := agreement, agreement
	a.AuthClientID, a.ReferenceAgreementID = "m1", "2a"
	b.AuthClientID, b.ReferenceAgreementID = "m12", "a"
	if w.issue(a).ID == w.issue(b).ID {
		t.Error("two agreements are one")
	}
}

func TestIssueNeedsACompleteGrant(t *testing.T) {
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
		if _, err := w.service.Issue(t.Context(), g); !errors.As(err, &invalid) {
			t.Errorf("%s: %v", c.rule, err)
		}
	}
	if got := fmt.Sprint(w.store); got != "auth.MemoryStore{0 codes, 0 tokens}" {
		t.Errorf("left over: %s", got)
	}
}

// A merchant id that authNotify cannot carry is no reason to lose the token of a
// payment that is made.
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
		state  auth.NoticeState
		tries  int
		code   alipayplus.ResultCode
	}{
		{"acknowledged", nil, auth.NoticeAcknowledged, 0, "SUCCESS"},
		{"lost on the way, U, lost on the way back", []alipayplustest.Fault{
			alipayplustest.LoseRequest(), unknown, alipayplustest.LoseAnswer(),
		}, auth.NoticeAcknowledged, 3, "SUCCESS"},
		{"unsigned answers do not count", []alipayplustest.Fault{
			alipayplustest.Unsigned(alipayplus.CodeSuccess.Result()), alipayplustest.Unsigned(alipayplus.CodeProcessFail.Result()),
			alipayplustest.Tamper(),
		}, auth.NoticeAcknowledged, 3, "SUCCESS"},
		{"U for ever", []alipayplustest.Fault{
			unknown, unknown, unknown, unknown, unknown, unknown, unknown, unknown, unknown, unknown, unknown,
		}, auth.NoticeParked, 11, "UNKNOWN_EXCEPTION"},
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
			after := w.find(before.ID)
			n := after.Notice
			if n.State != c.state || n.Tries != c.tries || n.Code != c.code {
				t.Errorf("%s: the notice is %v", c.rule, n)
			}
			before.Notice, after.Notice = auth.Notice{}, auth.Notice{}
			before.Version, after.Version = 0, 0
			if !bytes.Equal(dump(before), dump(after)) {
				t.Errorf("%s: the token changed", c.rule)
			}
			if want := len(c.faults) + 1; c.state == auth.NoticeParked && len(*bodies) != want-1 || c.state != auth.NoticeParked && len(*bodies) != want {
				t.Errorf("%s: %d deliveries", c.rule, len(*bodies))
			}
			for _, body := range *bodies {
				if !bytes.Equal(body, (*bodies)[0]) {
					t.Errorf("%s: the message changed between deliveries", c.rule)
				}
			}
			if alarm := strings.Contains(w.log.String(), "level=ERROR"); alarm != (c.state == auth.NoticeParked) {
				t.Errorf("%s: alarm %t", c.rule, alarm)
			}
		})
	}
}

// recordBodies notes the body of every delivery of authNotify, processed or not.
func (w *world) recordBodies() *[][]byte {
	var bodies [][]byte
	w.throughTransport(func(body []byte) { bodies = append(bodies, body) })
	return &bodies
}

// An F parks the notification at once, and keeps it for Resend.
func TestParkedNotification(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		token := w.issue(agreement)
		w.refuseFirst(alipayplus.CodeAccessDenied)
		w.workFor(48 * time.Hour)
		n := w.find(token.ID).Notice
		if n.State != auth.NoticeParked || n.Code != "ACCESS_DENIED" || n.Tries != 1 || n.Sealed == nil {
			t.Fatalf("the notice is %v", n)
		}
		if strings.Count(w.log.String(), "level=ERROR") != 1 {
			t.Error("not one alarm")
		}
		for range 2 {
			if err := w.service.Resend(t.Context(), token.ID); err != nil {
				t.Fatal(err)
			}
		}
		w.work()
		w.alive(w.created().AccessToken)
		if n := w.find(token.ID).Notice; n.State != auth.NoticeAcknowledged || n.Sealed != nil {
			t.Errorf("the notice is %v", n)
		}
		version := w.find(token.ID).Version
		if err := w.service.Resend(t.Context(), token.ID); err != nil || w.find(token.ID).Version != version {
			t.Errorf("Resend of an acknowledged notice: %v", err)
		}
	})
}

// Without its key a notification waits; with it, it is delivered.
func TestNotificationWaitsForItsKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		token := w.issue(agreement)
		right := w.service
		cfg := w.config
		cfg.Sealer = newSealer(t)
		w.service = newService(t, cfg)
		w.workFor(time.Minute)
		if n := w.find(token.ID).Notice; n.State != auth.NoticePending || n.Tries == 0 {
			t.Errorf("the notice is %v", n)
		}
		w.service = right
		w.workFor(time.Hour)
		w.created()
	})
}

// A refresh proves that Alipay+ has the token: the old pair is not announced.
func TestRefreshedTokenIsNotAnnounced(t *testing.T) {
	w := newWorld(t)
	token := w.issue(agreement)
	w.gateway.Fail(auth.AuthNotify, alipayplustest.LoseAnswer())
	w.work()
	w.apply(applyRefresh(w.created().RefreshToken))
	if n := w.find(token.ID).Notice; n.State != auth.NoticeDropped || n.Sealed != nil {
		t.Errorf("the notice is %v", n)
	}
}

func TestWorkStops(t *testing.T) {
	w := newWorld(t)
	token := w.issue(agreement)
	ctx, cancel := context.WithCancel(t.Context())
	w.throughTransport(func([]byte) { cancel() })
	if _, err := w.service.Work(ctx, w.client); !errors.Is(err, context.Canceled) {
		t.Errorf("Work: %v", err)
	}
	if n := w.find(token.ID).Notice; n.State != auth.NoticePending || n.Tries != 0 {
		t.Errorf("stopping counts as a delivery: %v", n)
	}
	if _, err := w.service.Work(t.Context(), nil); err == nil {
		t.Error("Work without a client")
	}
}

// poisoned fails for one token, always.
type poisoned struct {
	*auth.MemoryStore
	id string
}

func (s poisoned) SaveToken(ctx context.Context, t auth.Token) error {
	if t.ID == s.id {
		return errBroken
	}
	return s.MemoryStore.SaveToken(ctx, t)
}

// A record that cannot be stored does not hold up the others.
func TestWorkGoesOn(t *testing.T) {
	w := newWorld(t)
	first := w.issue(agreement)
	other := agreement
	other.ReferenceAgreementID = "agreement-2"
	second := w.issue(other)
	due, err := w.store.DueTokens(t.Context(), time.Now(), 2)
	if err != nil || len(due) != 2 || first.ID == second.ID {
		t.Fatalf("%d tokens are due, %v", len(due), err)
	}
	cfg := w.config
	cfg.Tokens = poisoned{w.store, due[0].ID}
	if done, err := newService(t, cfg).Work(t.Context(), w.client); done != 2 || !errors.Is(err, errBroken) {
		t.Errorf("Work: %d, %v", done, err)
	}
	if n := w.find(due[1].ID).Notice; n.State != auth.NoticeAcknowledged || w.arrived() != 1 {
		t.Errorf("the other notice is %v", n)
	}
}
