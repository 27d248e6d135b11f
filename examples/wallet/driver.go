package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest/accept"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment/paymenttest"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
	"github.com/alipayplus-mpp/alipayplus-go/easypay"
)

// runDriven serves the backend alone, for a test that plays Alipay+ at gateway
// and drives the wallet over HTTP: /app/ is the JSON of mpm/APP.md, /alipayplus/
// what Alipay+ calls, /driver/ what only a test environment has.
func runDriven(ctx context.Context, o options, db *database, home net.Listener, started func()) error {
	side, err := readKeys(o.keys)
	if err != nil {
		return err
	}
	if o.sealingKey == "" { // of all processes
		key := make([]byte, 32)
		_, _ = rand.Read(key) // never fails
		o.sealingKey = hex.EncodeToString(key)
	}
	o.lost = new(paymenttest.LostDebits)
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	d := &driven{o: o, db: db, side: side, home: address(home), ctx: ctx, fail: fail}
	if err := d.start(side.Keys[0].Version); err != nil {
		return err
	}
	handlers := accept.Handlers{
		App:     d.handler(func(w *wallet) http.Handler { return w.app }),
		Inbound: d.handler(func(w *wallet) http.Handler { return w.inbound }),
		Driver:  d.driver(),
	}
	started()
	return errors.Join(serve(ctx, home, handlers.Handler()), d.end(), ended(context.Cause(ctx)))
}

// readKeys reads wallet.json of the acceptance suite: the wallet's side of the
// keys.
func readKeys(name string) (side accept.WalletSide, err error) {
	text, err := os.ReadFile(name) //nolint:gosec // the user names it
	if err == nil {
		err = json.Unmarshal(text, &side)
	}
	if err == nil && len(side.Keys) == 0 {
		err = errors.New("no key of the wallet")
	}
	if err != nil {
		return side, fmt.Errorf("-keys: %w", err)
	}
	return side, nil
}

// driven is a wallet that a test can restart.
type driven struct {
	o    options
	db   *database
	side accept.WalletSide
	home string
	ctx  context.Context //nolint:containedctx // of the program
	fail context.CancelCauseFunc

	mu      sync.Mutex
	version string // of the wallet's key
	now     *process
}

// process is what a crash loses: everything but the database and the keys.
type process struct {
	*wallet
	ctx  context.Context //nolint:containedctx // ends with the process
	stop context.CancelFunc
	jobs *errgroup.Group
}

var errDown = errors.New("the wallet could not be started again")

// start ends the process that runs, in the middle of whatever it does, and starts
// one that signs with a version of the wallet's key, or with the same as before.
func (d *driven) start(version string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	version = cmp.Or(version, d.version)
	to := alipayplus.ClientConfig{BaseURL: d.o.gateway}
	var err error
	if to.Credentials, err = d.credentials(version); err != nil {
		return err
	}
	if err := d.stop(); err != nil {
		return err
	}
	d.version = version
	p := new(process)
	p.ctx, p.stop = context.WithCancel(d.ctx)
	if p.wallet, err = newWallet(p.ctx, d.o, d.db, to, d.home); err != nil {
		p.stop()
		return err
	}
	var jobs context.Context
	p.jobs, jobs = errgroup.WithContext(p.ctx)
	p.run(jobs, p.jobs)
	go func() {
		if err := ended(p.jobs.Wait()); err != nil {
			d.fail(err)
		}
	}()
	d.now = p
	return nil
}

// stop ends the process that runs, if there is one.
func (d *driven) stop() error {
	if d.now == nil {
		return nil
	}
	d.now.stop()
	err := ended(d.now.jobs.Wait())
	d.now.client.CloseIdleConnections()
	d.now = nil
	return err
}

func (d *driven) end() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stop()
}

func (d *driven) process() (*process, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.now == nil {
		return nil, errDown
	}
	return d.now, nil
}

func (d *driven) credentials(version string) (c alipayplus.Credentials, err error) {
	public := make(map[string]*rsa.PublicKey)
	for _, k := range d.side.AlipayKeys {
		public[k.Version] = k.Key
	}
	c.ClientID = d.side.ClientID
	if c.Keys, err = alipayplus.NewKeyRing(public); err != nil {
		return c, err
	}
	for _, k := range d.side.Keys {
		if k.Version == version {
			c.Signer, err = alipayplus.NewSigner(version, k.Key)
			return c, err
		}
	}
	return c, fmt.Errorf("the wallet has no key %q", version)
}

// handler asks the process that runs. Its end ends the request, too.
func (d *driven) handler(of func(*wallet) http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		p, err := d.process()
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(p.ctx, cancel)()
		of(p.wallet).ServeHTTP(rw, r.WithContext(ctx))
	})
}

// driver is what a test does in the place of a user, beside the app's JSON.
func (d *driven) driver() accept.Driver {
	return accept.Driver{
		Customer: signedIn,
		Balance: func(ctx context.Context, id string) (string, int64, error) {
			a, err := d.db.balance(ctx, id)
			return string(a.Currency), a.Minor, err
		},
		Page: func(ctx context.Context, call, pageURL, pin string) (int, string, error) {
			p, err := d.process()
			if err != nil {
				return 0, "", err
			}
			return p.visit(ctx, call, pageURL, pin)
		},
		AuthCode: func(ctx context.Context, id, client string, scopes []string) ([]byte, error) {
			p, err := d.process()
			if err != nil {
				return nil, err
			}
			code, err := p.tokens.IssueCode(ctx, auth.Grant{CustomerID: id, AuthClientID: client, Scopes: scopes}, scopes)
			if err != nil {
				return nil, err
			}
			return code.MarshalJSON()
		},
		Unbind: func(ctx context.Context, id, accessToken string) (bool, error) {
			p, err := d.process()
			if err != nil {
				return false, err
			}
			token, err := p.stores.FindToken(ctx, alipayplus.Conceal(accessToken).Digest())
			if err != nil {
				return false, err
			}
			return p.tokens.Unbind(ctx, p.client, token.ID, id)
		},
		Restart:   func(context.Context) error { return d.start("") },
		RotateKey: func(_ context.Context, version string) error { return d.start(version) },
		LoseDebit: d.o.lost.Lose,
	}
}

// visit is the verification page. A test cannot read the message with the OTP: it
// enters the user's PIN instead.
func (w *wallet) visit(ctx context.Context, call, pageURL, pin string) (triesLeft int, redirectURL string, err error) {
	_, text, ok := strings.Cut(pageURL, verifyPath)
	if !ok {
		return 0, "", accept.ErrNoPage
	}
	link := alipayplus.Conceal(text)
	var page easypay.Page
	switch call {
	case "pin":
		page, err = w.easyPay.Verify(ctx, link, func(_ context.Context, r payment.Record) (bool, error) {
			u, known := userOf(r.CustomerID)
			return known && subtle.ConstantTimeCompare([]byte(u.PIN), []byte(pin)) == 1, nil
		})
	case "resend":
		page, err = w.easyPay.Resend(ctx, link, w.sendOTP)
	case "giveUp":
		page, err = w.easyPay.GiveUp(ctx, link)
	default:
		page, err = w.easyPay.Page(ctx, link)
	}
	if errors.Is(err, easypay.ErrLink) {
		err = accept.ErrNoPage
	}
	return page.TriesLeft, page.Redirect.Reveal(), err
}
