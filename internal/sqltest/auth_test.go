package sqltest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/sqlstore"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
	"github.com/alipayplus-mpp/alipayplus-go/auth/authsql"
	"github.com/alipayplus-mpp/alipayplus-go/auth/authtest"
	"github.com/alipayplus-mpp/alipayplus-go/internal/sqltest"
)

// openAuth opens a Store with the tables of authsql.
func openAuth(t *testing.T, d *sqltest.Database) (*sqlstore.Store, auth.Stores) {
	t.Helper()
	store := d.Store(t)
	for range 2 { // a second time changes nothing
		must(t, authsql.Migrate(t.Context(), d.DB, d.Dialect))
	}
	stores, err := authsql.Open(t.Context(), store)
	must(t, err)
	return store, stores
}

func TestAuthStores(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, d *sqltest.Database) {
		_, stores := openAuth(t, d)
		authtest.TestStores(t, func(*testing.T) auth.Stores { return stores })
	})
}

// The outbox works in the transactions of the stores.
func TestAuthOutbox(t *testing.T) {
	eachDatabase(t, func(t *testing.T, open func(*testing.T) *sqltest.Database) {
		alipayplustest.TestOutbox(t, func(t *testing.T) alipayplustest.OutboxTest {
			d := open(t)
			store, stores := openAuth(t, d)
			return alipayplustest.OutboxTest{Outbox: store.Outbox(), InTx: stores.InTx, Pending: func(t *testing.T) []alipayplus.Message {
				return pending(t, store.Outbox())
			}}
		})
	})
}

// wallet is payments and tokens in one database. The ledger always pays.
type wallet struct {
	store    *sqlstore.Store
	stores   auth.Stores
	tokens   *auth.Service
	payments *payment.Service
}

type generous struct{}

func (generous) Debit(context.Context, payment.Record, payment.Debit) error   { return nil }
func (generous) Credit(context.Context, payment.Record, payment.Credit) error { return nil }

func newWallet(t *testing.T, d *sqltest.Database) *wallet {
	t.Helper()
	w := new(wallet)
	w.store, w.stores = openAuth(t, d)
	sealer, err := alipayplus.NewSealer(bytes.Repeat([]byte{1}, 32))
	must(t, err)
	w.tokens, err = auth.NewService(auth.Config{
		Stores: w.stores, Outbox: w.store.Outbox(), Sealer: sealer, RoutingNumber: "666", KeepAccessTokens: true,
	})
	must(t, err)
	w.payments, err = payment.NewService(payment.ServiceConfig{
		Records: w.store.Payments(), Ledger: generous{}, OnChange: w.tokens.OnPaid,
	})
	must(t, err)
	return w
}

// pay opens and confirms a payment with consent.
func (w *wallet) pay(ctx context.Context, id, agreement string) error {
	r := opened(id, tomorrow)
	r.Terms.CodeValueDigest = "digest"
	r.Terms.PaymentID = ""
	r.Terms.AuthorizationInfo = payment.AuthorizationInfo{AuthClientID: `M\1`, ReferenceAgreementID: agreement}
	if _, err := w.payments.Open(ctx, payment.Opened{Terms: r.Terms}); err != nil {
		return err
	}
	r, err := w.payments.Confirm(ctx, payment.Confirmation{
		PaymentRequestID: id, CustomerID: "C1", Shown: r.Amounts.Debit(), Consent: true,
	})
	if err == nil && r.State != payment.StatePaid {
		err = fmt.Errorf("the payment is %q", r.State)
	}
	return err
}

// The payment, its token and TOKEN_CREATED are there together or not at all,
// whichever call of the database fails, before it or after it.
func TestTokenAndPaymentTogether(t *testing.T) {
	errFault := errors.New("the connection broke")
	sqltest.Each(t, func(t *testing.T, d *sqltest.Database) {
		w := newWallet(t, d)
		count := func(table, key, id string) int64 {
			return d.Int(t, `SELECT count(*) FROM `+table+` WHERE `+key+` = ?1`, id)
		}
		failures, n := 0, 0
		for _, after := range []bool{false, true} {
			for k, met := 1, true; met; k++ {
				n++
				id, agreement := fmt.Sprintf("P%d", n), fmt.Sprintf("A%d", n)
				calls := 0
				d.Watch.Reset(func(sqltest.Call) sqltest.Fault {
					if calls++; calls == k {
						return sqltest.Fault{Err: errFault, After: after, Cut: true}
					}
					return sqltest.Fault{}
				})
				err := w.pay(t.Context(), id, agreement)
				met = calls >= k
				d.Watch.Reset(nil)
				if met && err != nil {
					failures++
				}
				paid := int64(0)
				if find(t, w.store.Payments(), id).State == payment.StatePaid {
					paid = 1
				}
				told := d.Int(t, `SELECT count(*) FROM alipayplus_outbox o JOIN alipayplus_auth_token k ON o.message_group = k.id
					WHERE k.reference_agreement_id = ?1`, agreement)
				if tokens := count("alipayplus_auth_token", "reference_agreement_id", agreement); tokens != paid || told != paid {
					t.Fatalf("call %d, after %t: %d paid, %d tokens, %d messages", k, after, paid, tokens, told)
				}
				all, messages := d.Int(t, `SELECT count(*) FROM alipayplus_auth_token`), d.Int(t, `SELECT count(*) FROM alipayplus_outbox WHERE operation = 'authNotify'`)
				if all != messages {
					t.Fatalf("call %d, after %t: %d tokens in all, and %d messages", k, after, all, messages)
				}
				if err := w.pay(t.Context(), id, agreement); err != nil { // again
					t.Fatalf("call %d, after %t: %v", k, after, err)
				}
				if tokens := count("alipayplus_auth_token", "reference_agreement_id", agreement); tokens != 1 {
					t.Fatalf("call %d, after %t: %d tokens", k, after, tokens)
				}
			}
		}
		if failures < 10 {
			t.Errorf("only %d failures", failures)
		}
		if got := d.Int(t, `SELECT count(*) FROM alipayplus_auth_token WHERE customer_id = 'C1' AND auth_client_id = ?1 AND cancelled_at IS NULL`, `M\x5c1`); got != int64(n) {
			t.Errorf("%d tokens have their columns, want %d", got, n)
		}
	})
}

// Many payments at once that name one agreement give one token, and none of
// them fails.
func TestOneTokenOfConcurrentPayments(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, d *sqltest.Database) {
		w := newWallet(t, d)
		var wait sync.WaitGroup
		for i := range 16 {
			wait.Go(func() {
				if err := w.pay(t.Context(), fmt.Sprintf("P%d", i), "AG1"); err != nil {
					t.Errorf("payment %d: %v", i, err)
				}
			})
		}
		wait.Wait()
		if n := d.Int(t, `SELECT count(*) FROM alipayplus_auth_token`); n != 1 {
			t.Errorf("%d tokens", n)
		}
		if n := d.Int(t, `SELECT count(*) FROM alipayplus_outbox WHERE operation = 'authNotify'`); n != 1 {
			t.Errorf("%d messages", n)
		}
	})
}

// Of many processes that redeem one code, refresh one token or cancel it, one
// wins, and the others learn of it.
func TestConcurrentApplyToken(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, d *sqltest.Database) {
		w := newWallet(t, d)
		code, err := w.tokens.IssueCode(t.Context(), auth.Grant{CustomerID: "C\x00\\", AuthClientID: "M1"}, nil)
		must(t, err)
		apply := func(r auth.ApplyTokenRequest) (last *auth.ApplyTokenResponse) {
			const processes = 16
			answers := make([]*auth.ApplyTokenResponse, processes)
			var wait sync.WaitGroup
			for i := range processes {
				wait.Go(func() {
					var err error
					if answers[i], err = w.tokens.ApplyToken(t.Context(), &r); err != nil {
						t.Errorf("applyToken: %v", err)
					}
				})
			}
			wait.Wait()
			for _, a := range answers {
				if a == nil || !a.AccessToken.Equal(answers[0].AccessToken) {
					t.Fatal("two answers to one request")
				}
			}
			return answers[0]
		}
		first := apply(auth.ApplyTokenRequest{GrantType: auth.GrantAuthorizationCode, AuthCode: code.Code})
		second := apply(auth.ApplyTokenRequest{GrantType: auth.GrantRefreshToken, RefreshToken: first.RefreshToken})
		if grant, err := w.tokens.Check(t.Context(), second.AccessToken, ""); err != nil || grant.CustomerID != "C\x00\\" {
			t.Errorf("Check: %q, %v", grant.CustomerID, err)
		}
		if _, err := w.tokens.CancelToken(t.Context(), &auth.CancelTokenRequest{AccessToken: first.AccessToken}); err != nil {
			t.Error(err)
		}
		if _, err := w.tokens.Check(t.Context(), second.AccessToken, ""); !errors.Is(err, alipayplus.CodeInvalidToken) {
			t.Errorf("Check of a cancelled token: %v", err)
		}
		if n := d.Int(t, `SELECT count(*) FROM alipayplus_auth_token WHERE cancelled_at = ended_at AND erase_at IS NULL`); n != 1 {
			t.Errorf("%d tokens have the columns of a cancelled one", n)
		}
		if n := d.Int(t, `SELECT count(*) FROM alipayplus_auth_token WHERE customer_id = ?1`, `C\x00\x5c`); n != 1 {
			t.Errorf("%d tokens have their customer's id", n)
		}
	})
}

// Every look-up is by index.
func TestAuthIndexes(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, d *sqltest.Database) {
		store, stores := openAuth(t, d)
		fill(t, d, 3000)
		const far = `9000000000000000` // microseconds
		d.Exec(t, `INSERT INTO alipayplus_auth_code (digest, version, erase_at, record)
			SELECT payment_request_id, 1, `+far+`, '{}' FROM alipayplus_payment`)
		d.Exec(t, `INSERT INTO alipayplus_auth_token (id, customer_id, auth_client_id, reference_agreement_id, ended_at,
				access_digest, refresh_digest, old_access_digest, old_refresh_digest, erase_at, version, record)
			SELECT payment_request_id, customer_id, 'M', '', `+far+`, payment_request_id, payment_request_id, payment_request_id,
				payment_request_id, `+far+`, 1, '{}' FROM alipayplus_payment`)
		d.Exec(t, d.Pick(`ANALYZE`, `ANALYZE TABLE alipayplus_auth_code, alipayplus_auth_token`, `ANALYZE`))
		d.Watch.Reset(nil)
		must(t, store.InTx(t.Context(), func(ctx context.Context) error {
			for _, err := range []error{
				second(stores.FindToken(ctx, strings.Repeat("a", 64))), second(stores.FindCode(ctx, strings.Repeat("a", 64))),
				second(stores.TokensToErase(ctx, time.Now(), 10)), second(stores.DeleteCodes(ctx, time.Now(), 10)),
			} {
				if err != nil && !errors.Is(err, auth.ErrNotFound) {
					return err
				}
			}
			return nil
		}))
		if n := look(t, d); n != 4 {
			t.Errorf("%d statements were looked at", n)
		}
	})
}

func second[T any](_ T, err error) error { return err }

// A table that is missing, a dialect that is unknown or that of another
// database, and a nil Store are errors.
func TestAuthSchema(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, d *sqltest.Database) {
		store := d.Store(t)
		refused := func(part string) {
			t.Helper()
			if _, err := authsql.Open(t.Context(), store); err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("Open: %v, want %q", err, part)
			}
		}
		refused("authsql.Schema")
		for _, other := range []sqlstore.Dialect{sqlstore.PostgreSQL, sqlstore.SQLite, sqlstore.MySQL} {
			if other != d.Dialect && authsql.Migrate(t.Context(), d.DB, other) == nil {
				t.Errorf("the dialect of another database is accepted: %v", other)
			}
		}
		must(t, authsql.Migrate(t.Context(), d.DB, d.Dialect))
		_, err := authsql.Open(t.Context(), store)
		must(t, err)
		for _, table := range []string{"alipayplus_auth_code", "alipayplus_auth_token"} {
			d.Exec(t, "ALTER TABLE "+table+" RENAME TO gone")
			refused(table)
			d.Exec(t, "ALTER TABLE gone RENAME TO "+table)
		}
		if err := authsql.Migrate(t.Context(), d.DB, 77); err == nil || authsql.Schema(77) != "" {
			t.Errorf("an unknown dialect: %v", err)
		}
		if err := authsql.Migrate(t.Context(), nil, d.Dialect); err == nil {
			t.Error("no database")
		}
		if _, err := authsql.Open(t.Context(), nil); err == nil {
			t.Error("a nil Store is accepted")
		}
	})
}

// A record that does not fit its row, or is none, is an error and decides
// nothing.
func TestAuthBrokenRecords(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, d *sqltest.Database) {
		w := newWallet(t, d)
		must(t, w.pay(t.Context(), "P1", "AG1"))
		must(t, w.pay(t.Context(), "P2", "AG2"))
		d.Exec(t, `UPDATE alipayplus_auth_token SET version = 7 WHERE reference_agreement_id = 'AG1'`)
		d.Exec(t, `UPDATE alipayplus_auth_token SET record = '{}' WHERE reference_agreement_id = 'AG2'`)
		for _, agreement := range []string{"AG1", "AG2"} {
			r := find(t, w.store.Payments(), "P1")
			r.AuthorizationInfo.ReferenceAgreementID = agreement
			if _, err := w.tokens.Issue(t.Context(), auth.GrantOf(r)); err == nil || errors.Is(err, auth.ErrNotFound) || errors.Is(err, auth.ErrConflict) {
				t.Errorf("%s: %v", agreement, err)
			}
		}
	})
}
