package main

import (
	"context"
	"crypto/rsa"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
	"github.com/alipayplus-mpp/alipayplus-go/easypay"
)

// runDriven serves the backend alone, for a test that plays Alipay+ at gateway
// and drives the wallet over HTTP: /app/ is the JSON of mpm/APP.md, /alipayplus/
// what Alipay+ calls, /driver/ what only a test environment has.
func runDriven(ctx context.Context, o options, db *database, home net.Listener, started func()) error {
	to, err := readKeys(o.keys)
	if err != nil {
		return err
	}
	to.BaseURL = o.gateway
	wallet, err := newWallet(ctx, o, db, to, address(home))
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/app/", http.StripPrefix("/app", wallet.app))
	mux.Handle(inboundPath, wallet.inbound)
	mux.Handle("/driver/", http.StripPrefix("/driver", driver{wallet}))
	all, ctx := errgroup.WithContext(ctx)
	all.Go(func() error { return serve(ctx, home, mux) })
	wallet.run(ctx, all)
	started()
	return all.Wait()
}

// readKeys reads the wallet's side of the keys: a client id, private keys of the
// wallet and public keys of Alipay+, by version. The wallet signs with the first.
func readKeys(name string) (alipayplus.ClientConfig, error) {
	type key struct{ Version, Key string }
	var file struct {
		ClientID         string
		Keys, AlipayKeys []key
	}
	fail := func(err error) (alipayplus.ClientConfig, error) {
		return alipayplus.ClientConfig{}, fmt.Errorf("-keys: %w", err)
	}
	text, err := os.ReadFile(name) //nolint:gosec // the user names it
	if err == nil {
		err = json.Unmarshal(text, &file)
	}
	if err == nil && len(file.Keys) == 0 {
		err = errors.New("no key of the wallet")
	}
	if err != nil {
		return fail(err)
	}
	private, err := alipayplus.ParsePrivateKey([]byte(file.Keys[0].Key))
	if err != nil {
		return fail(err)
	}
	signer, err := alipayplus.NewSigner(file.Keys[0].Version, private)
	if err != nil {
		return fail(err)
	}
	public := make(map[string]*rsa.PublicKey)
	for _, k := range file.AlipayKeys {
		if public[k.Version], err = alipayplus.ParsePublicKey([]byte(k.Key)); err != nil {
			return fail(err)
		}
	}
	ring, err := alipayplus.NewKeyRing(public)
	if err != nil {
		return fail(err)
	}
	return alipayplus.ClientConfig{Credentials: alipayplus.Credentials{ClientID: file.ClientID, Signer: signer, Keys: ring}}, nil
}

// driver is what a test does in the place of a user, beside the app's JSON.
type driver struct{ *wallet }

var errNoPage = errors.New("no page of the wallet")

func (d driver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	customer, err := signedIn(r)
	if err != nil {
		http.Error(w, `{"error":"unauthenticated"}`, http.StatusUnauthorized)
		return
	}
	var question struct {
		Page, PIN, AuthClientID, AccessToken string
		Scopes                               []string
	}
	if r.Method == http.MethodPost {
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&question); err != nil {
			http.Error(w, `{"error":"bad_request"}`, http.StatusBadRequest)
			return
		}
	}
	var answer any
	switch call := r.URL.Path; call {
	case "/balance":
		var a alipayplus.Amount
		a, err = d.db.balance(r.Context(), customer)
		answer = map[string]string{"currency": string(a.Currency), "value": strconv.FormatInt(a.Minor, 10)}
	case "/page/open", "/page/pin", "/page/resend", "/page/giveUp":
		answer, err = d.page(r.Context(), call, question.Page, question.PIN)
	case "/authCode":
		answer, err = d.authCode(r.Context(), customer, question.AuthClientID, question.Scopes)
	case "/unbind":
		answer, err = d.unbind(r.Context(), customer, alipayplus.Conceal(question.AccessToken))
	default:
		err = errNoPage
	}
	switch {
	case errors.Is(err, errNoPage), errors.Is(err, easypay.ErrLink), errors.Is(err, auth.ErrNotFound):
		http.Error(w, `{"error":"not_found"}`, http.StatusNotFound)
	case err != nil:
		http.Error(w, `{"error":"unavailable"}`, http.StatusServiceUnavailable)
	default:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answer)
	}
}

// page is the verification page. A test cannot read the message with the OTP: it
// enters the user's PIN instead.
func (d driver) page(ctx context.Context, call, pageURL, pin string) (any, error) {
	_, text, ok := strings.Cut(pageURL, verifyPath)
	if !ok {
		return nil, errNoPage
	}
	link := alipayplus.Conceal(text)
	var page easypay.Page
	var err error
	switch call {
	case "/page/open":
		page, err = d.easyPay.Page(ctx, link)
	case "/page/pin":
		page, err = d.easyPay.Verify(ctx, link, func(_ context.Context, r payment.Record) (bool, error) {
			u, known := userOf(r.CustomerID)
			return known && subtle.ConstantTimeCompare([]byte(u.PIN), []byte(pin)) == 1, nil
		})
	case "/page/resend":
		page, err = d.easyPay.Resend(ctx, link, d.sendOTP)
	default:
		page, err = d.easyPay.GiveUp(ctx, link)
	}
	return map[string]any{"triesLeft": page.TriesLeft, "redirectUrl": page.Redirect.Reveal()}, err
}

// authCode is what the app hands to the client SDK.
func (d driver) authCode(ctx context.Context, customer, client string, scopes []string) (any, error) {
	code, err := d.tokens.IssueCode(ctx, auth.Grant{CustomerID: customer, AuthClientID: client, Scopes: scopes}, scopes)
	if err != nil {
		return nil, err
	}
	return map[string]any{"authCode": code.Code.Reveal(), "authSuccessScopes": scopes, "authErrorScopes": []string{}}, nil
}

func (d driver) unbind(ctx context.Context, customer string, token alipayplus.Secret) (any, error) {
	t, err := d.stores.FindToken(ctx, token.Digest())
	if err != nil {
		return nil, err
	}
	allowed, err := d.tokens.Unbind(ctx, d.client, t.ID, customer)
	return map[string]bool{"unbound": allowed}, err
}
