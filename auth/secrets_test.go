package auth_test

import (
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
	secrets "github.com/alipayplus-mpp/alipayplus-go/internal/canary"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

const canary = "canary-7f3a"

// No exported type shows a secret, in any way of showing it. AuthCode is for
// the app: its JSON holds the code.
func TestNothingShowsSecrets(t *testing.T) {
	created := auth.TokenCreated{}
	if secrets.Fill(reflect.ValueOf(&created).Elem(), "public") == 0 {
		t.Fatal("a notification without secrets")
	}
	secrets.Package{
		Structs: []any{
			auth.ApplyTokenRequest{}, auth.ApplyTokenResponse{}, auth.AuthCode{}, auth.AuthCodeCreated{},
			auth.AuthNotifyResponse{}, auth.CancelTokenRequest{}, auth.CancelTokenResponse{}, auth.Code{},
			auth.ConsultUnbindingRequest{}, auth.ConsultUnbindingResponse{}, auth.Grant{},
			auth.Repeat{}, auth.Token{}, auth.TokenCanceled{}, auth.TokenCreated{}, auth.Wallet{}, auth.WalletLogo{},
		},
		Filled:  map[string]any{"AuthNotifyRequest": auth.AuthNotifyRequest{Notification: created}},
		Answers: []string{"AuthCode"},
		Others: map[string]string{
			"Notification": "an interface", "Stores": "an interface", "GrantType": "a word",
			"Config": "see TestMachinesPrintNoSecret", "Service": "the same", "MemoryStores": "the same",
		},
	}.Run(t)
}

// What holds keys and records prints neither a key nor a token.
func TestMachinesPrintNoSecret(t *testing.T) {
	key := []byte(canary + strings.Repeat("k", 32-len(canary)))
	memory := alipayplus.NewMemory()
	stores := auth.NewMemoryStores(memory)
	cfg := auth.Config{
		Stores: stores, Outbox: memory, Sealer: testkit.Must(alipayplus.NewSealer(key, key)), RoutingNumber: "666", KeepAccessTokens: true,
	}
	service := newService(t, cfg)
	code := testkit.Must(service.IssueCode(t.Context(), login, nil))
	tokens := testkit.Must(service.ApplyToken(t.Context(), applyCode(code.Code)))
	forms := secrets.Forms(canary)
	for _, secret := range []alipayplus.Secret{code.Code, tokens.AccessToken, tokens.RefreshToken} {
		forms = append(forms, secrets.Forms(secret.Reveal())...)
	}
	for _, v := range []any{stores, service, cfg, *stores, *service} {
		secrets.Shown(v, false, func(how, text string) {
			if secrets.Find(forms, text) != "" {
				t.Errorf("%T with %s shows a secret", v, how)
			}
		})
	}
}

// Through a whole life of codes and tokens, with everything that can go wrong,
// no log line and no error text shows a code, a token, a login id or a
// customer.
func TestNothingPrivateIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, keep, func(c *auth.Config) { c.AccessTokenTTL, c.RefreshTokenTTL = time.Hour, 2*time.Hour })
		w.unbinding = alipayplus.True
		grant, agreed := login, agreement
		grant.CustomerID, agreed.CustomerID = canary+"-c1", canary+"-c2"
		agreed.UserLoginID = alipayplus.Conceal(canary + "-login")
		var texts []string
		note := func(err error) {
			if err != nil {
				texts = append(texts, fmt.Sprint(err), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", errors.Unwrap(err)))
			}
		}
		secrets := []string{canary}
		learn := func(found ...alipayplus.Secret) {
			for _, secret := range found {
				secrets = append(secrets, secret.Reveal())
			}
		}
		apply := func(r *auth.ApplyTokenRequest) *auth.ApplyTokenResponse {
			answer, err := w.service.ApplyToken(t.Context(), r)
			note(err)
			if answer != nil {
				learn(answer.AccessToken, answer.RefreshToken)
			}
			return answer
		}

		code, err := w.service.IssueCode(t.Context(), grant, nil)
		note(err)
		learn(code.Code)
		odd := applyCode(code.Code)
		odd.AuthClientID = "merchant-2"
		first := apply(odd)
		apply(applyCode(code.Code))
		apply(applyCode(alipayplus.Conceal(canary + "-code")))
		next := apply(applyRefresh(first.RefreshToken))
		apply(applyRefresh(first.RefreshToken))
		apply(applyRefresh(alipayplus.Conceal(canary + "-refresh")))
		for _, token := range []alipayplus.Secret{first.AccessToken, next.AccessToken, next.RefreshToken, alipayplus.Conceal(canary)} {
			_, err := w.service.Check(t.Context(), token, auth.ScopeAgreementPay)
			note(err)
			_, err = w.service.CancelToken(t.Context(), &auth.CancelTokenRequest{AccessToken: token, PassThroughInfo: alipayplus.Conceal(canary)})
			note(err)
		}

		token, err := w.service.Issue(t.Context(), agreed)
		note(err)
		other := agreed
		other.CustomerID = canary + "-c3"
		_, err = w.service.Issue(t.Context(), other)
		note(err)
		other.CustomerID = strings.Repeat(canary, 10)
		_, err = w.service.Issue(t.Context(), other)
		note(err)
		_, err = w.service.IssueCode(t.Context(), other, nil)
		note(err)
		w.gateway.Fail(auth.AuthNotify, alipayplustest.LoseAnswer(), alipayplustest.Unsigned(alipayplus.CodeProcessFail.Result()),
			alipayplustest.BadGateway(), alipayplustest.Unknown(alipayplus.CodeUnknownException), alipayplustest.Tamper())
		w.workFor(20 * time.Minute)
		learn(w.created().AccessToken, w.created().RefreshToken)
		w.gateway.Fail(auth.ConsultUnbinding, alipayplustest.BadGateway())
		_, err = w.service.Unbind(t.Context(), w.client, token.ID, agreed.CustomerID)
		note(err)
		w.unbinding = alipayplus.True
		_, err = w.service.Unbind(t.Context(), w.client, token.ID, agreed.CustomerID)
		note(err)
		w.refuseFirst(alipayplus.CodeAccessDenied)
		w.workFor(time.Minute)

		cfg := w.config
		cfg.Sealer = newSealer(t)
		w.service = newService(t, cfg)
		agreed.ReferenceAgreementID = "agreement-2"
		token = w.issue(agreed)
		w.service = newService(t, w.config)
		w.workFor(time.Minute)
		_, err = w.service.Unbind(t.Context(), w.client, token.ID, agreed.CustomerID)
		note(err)
		_, err = w.service.Cancel(t.Context(), token.ID)
		note(err)
		_, err = w.service.Cancel(t.Context(), canary)
		note(err)
		_, err = auth.AuthNotify.Prepare(&auth.AuthNotifyRequest{Notification: auth.TokenCanceled{AccessToken: alipayplus.Conceal(canary)}})
		note(err)
		_, err = auth.ConsultUnbinding.Prepare(&auth.ConsultUnbindingRequest{AccessToken: alipayplus.Conceal(strings.Repeat(canary, 20))})
		note(err)

		if len(secrets) < 9 || len(texts) < 30 || strings.Count(w.log.String(), "\n") < 8 {
			t.Errorf("%d secrets, %d texts and %d lines were looked at", len(secrets), len(texts), strings.Count(w.log.String(), "\n"))
		}
		texts = append(texts, w.log.String())
		for i, secret := range secrets {
			for _, text := range texts {
				if strings.Contains(text, secret) {
					t.Errorf("secret %d is in %q", i, text)
				}
			}
		}
	})
}

// The keys that stores and Hooks see are digests.
func TestKeysAreDigests(t *testing.T) {
	id := auth.CancelToken.Spec().Idempotency(&auth.CancelTokenRequest{AccessToken: alipayplus.Conceal(canary)})
	if id.Key != alipayplus.Conceal(canary).Digest() {
		t.Error("cancelToken is not keyed by the digest of its token")
	}
	if auth.ApplyToken.Spec().Idempotency != nil {
		t.Error("the handler's IdempotencyStore would keep the answers of applyToken, in plain")
	}
}
