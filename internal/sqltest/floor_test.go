package sqltest_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/internal/sqltest"
)

// BenchmarkFloor compares payments through payment.Service, sqlstore and the
// Client with the same rows and commits by hand, on a PostgreSQL that flushes
// at each commit. Both sign with a constant and verify Alipay+'s answer. It
// runs them in turns, beside 20,000 payments that are over, and reports the
// median of payments per second and of their ratio.
func BenchmarkFloor(b *testing.B) {
	d, _ := sqltest.Durable(b, "PostgreSQL")
	store, bank := d.Store(b), d.Bank(b)
	const writers, each = 8, 10
	for i := range writers {
		must(b, bank.Deposit(b.Context(), fmt.Sprint("C", i), 1<<40))
	}
	answer := newAnswer(b)
	client, err := alipayplus.NewClient(alipayplus.ClientConfig{
		Credentials: alipayplus.Credentials{ClientID: "WALLET", Signer: constant{}, Keys: answer.ring}, BaseURL: "https://alipay.example", Transport: answer,
	})
	must(b, err)
	service, err := payment.NewService(payment.ServiceConfig{Records: store.Payments(), Ledger: store.Ledger(bank)})
	must(b, err)
	sdk := func(ctx context.Context, id, customer string) error {
		amount := alipayplus.Amount{Currency: sqltest.Currency, Minor: 300}
		_, err := service.Open(ctx, payment.Opened{Terms: payment.Terms{
			PaymentRequestID: id, CustomerID: customer, CodeValueDigest: "digest", Amounts: payment.Amounts{PaymentAmount: amount, PayToAmount: amount},
		}})
		if err != nil {
			return err
		}
		r, err := service.Confirm(ctx, payment.Confirmation{PaymentRequestID: id, CustomerID: customer, Shown: amount})
		if err != nil || r.State != payment.StatePaid {
			return fmt.Errorf("%s: %w", r.State, err)
		}
		var list []alipayplus.Delivery
		for len(list) == 0 { // another writer may be faster, and its message not be visible yet
			if list, err = store.Outbox().Lease(ctx, 1, 30*time.Second); err != nil {
				return err
			}
		}
		if err := client.Deliver(ctx, list[0].Message); err != nil {
			return err
		}
		return store.Outbox().Finish(ctx, list[0], acknowledged)
	}
	// Neither works on empty tables: prepared statements would keep the plans
	// that are best for those, until the tables are analysed again.
	fill(b, d, 20_000)
	tables, before := []string{"alipayplus_payment", "alipayplus_outbox", "entry"}, map[string][2]int64{}
	takes := func(table string) (size, rows int64) {
		return d.Int(b, `SELECT pg_total_relation_size('`+table+`')`), d.Int(b, `SELECT count(*) FROM `+table)
	}
	for _, table := range tables {
		size, rows := takes(table)
		before[table] = [2]int64{size, rows}
	}
	// What the SDK writes for a payment is what is written by hand.
	must(b, sdk(b.Context(), "model", "C0"))
	floor := byHand{db: d.DB, answer: answer}
	must(b, d.DB.QueryRowContext(b.Context(), `SELECT record FROM alipayplus_payment WHERE payment_request_id = 'model'`).Scan(&floor.record))

	var number atomic.Int64
	run := func(pay func(context.Context, string, string) error) float64 {
		start := time.Now()
		var all sync.WaitGroup
		for w := range writers {
			all.Go(func() {
				for range each {
					if err := pay(b.Context(), fmt.Sprint("P", number.Add(1)), fmt.Sprint("C", w)); err != nil {
						b.Error(err)
					}
				}
			})
		}
		all.Wait()
		return writers * each / time.Since(start).Seconds()
	}
	run(sdk)
	run(floor.pay)
	var ours, theirs, ratios []float64
	written := func() int64 { return d.Int(b, `SELECT CAST(pg_current_wal_insert_lsn() - '0/0' AS bigint)`) }
	wal := int64(0)
	for b.Loop() {
		start := written()
		x := run(sdk)
		wal += written() - start
		y := run(floor.pay)
		ours, theirs, ratios = append(ours, x), append(theirs, y), append(ratios, x/y)
	}
	median := func(list []float64) float64 {
		slices.Sort(list)
		return list[len(list)/2]
	}
	b.ReportMetric(median(ours), "payments/s")
	b.ReportMetric(median(theirs), "floor-payments/s")
	b.ReportMetric(median(ratios), "x-floor")
	b.ReportMetric(float64(wal)/float64(writers*each*len(ratios)), "wal-B/payment")
	for _, table := range tables {
		size, rows := takes(table)
		b.Logf("%s: %d bytes a row, with indexes", table, (size-before[table][0])/(rows-before[table][1]))
	}
}

// byHand is the floor: a payment as one writes it who needs no more.
type byHand struct {
	db     *sql.DB
	answer *answer
	record string
}

func (f byHand) tx(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := f.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if err := do(tx); err != nil {
		return err
	}
	return tx.Commit()
}

func (f byHand) pay(ctx context.Context, id, customer string) error {
	err := f.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO alipayplus_payment
			(payment_request_id, payment_id, customer_id, state, currency, minor_units, next_at, updated_at, version, format, record)
			VALUES ($1, $2, $3, 'open', 'KRW', 300, now() + interval '10 minutes', now(), 1, 1, $4)`, id, "W"+id, customer, f.record)
		return err
	})
	if err != nil {
		return err
	}
	body, err := json.Marshal(map[string]any{"paymentRequestId": id, "paymentId": "W" + id, "customerId": customer,
		"paymentResult": alipayplus.CodeSuccess.Result(), "paymentTime": time.Now().Format(time.RFC3339),
		"paymentAmount": map[string]string{"currency": "KRW", "value": "300"}, "payToAmount": map[string]string{"currency": "KRW", "value": "300"}})
	if err != nil {
		return err
	}
	err = f.tx(ctx, func(tx *sql.Tx) error {
		var record string
		if err := tx.QueryRowContext(ctx, `SELECT record FROM alipayplus_payment WHERE payment_request_id = $1 FOR NO KEY UPDATE`, id).Scan(&record); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(record), new(map[string]any)); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `WITH e AS (INSERT INTO entry (entry_key, customer, minor) VALUES ($1, $2, $3))
			UPDATE account SET balance = balance + $3 WHERE customer = $2 AND balance + $3 >= 0`, "debit/1/"+id, customer, -300)
		if err != nil {
			return err
		}
		if _, err = tx.ExecContext(ctx, `INSERT INTO alipayplus_outbox (operation, message_key, message, put_at, due_at)
			VALUES ('notifyPayment', $1, $2, now(), now())`, id, string(body)); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE alipayplus_payment SET state = 'paid', paid_at = now(), next_at = NULL, updated_at = now(), version = 2, record = $2
			WHERE payment_request_id = $1`, id, f.record)
		return err
	})
	if err != nil {
		return err
	}
	var seq int64
	var message string
	for err = sql.ErrNoRows; errors.Is(err, sql.ErrNoRows); {
		err = f.db.QueryRowContext(ctx, `UPDATE alipayplus_outbox SET tries = tries + 1, lease = 'l', due_at = now() + interval '30 seconds' WHERE seq = (
		SELECT seq FROM alipayplus_outbox WHERE state = 0 AND due_at <= now() ORDER BY due_at, seq LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED)
		RETURNING seq, message`).Scan(&seq, &message)
	}
	if err != nil {
		return err
	}
	if err := f.answer.send(ctx, message); err != nil {
		return err
	}
	_, err = f.db.ExecContext(ctx, `UPDATE alipayplus_outbox SET state = 1, message = NULL, lease = '', ended_at = now() WHERE seq = $1`, seq)
	return err
}

// constant is a Signer that costs nothing.
type constant struct{}

var signature = bytes.Repeat([]byte{1}, 256)

// SignDigest implements alipayplus.Signer.
func (constant) SignDigest(context.Context, [sha256.Size]byte) (string, []byte, error) {
	return "1", signature, nil
}

// answer is Alipay+'s only one, signed in advance.
type answer struct {
	key    *rsa.PublicKey
	ring   *alipayplus.KeyRing
	header http.Header
	body   []byte
}

const notifyPath = "/aps/api/v1/payments/notifyPayment"

func newAnswer(b *testing.B) *answer {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(b, err)
	a := &answer{key: &key.PublicKey, body: []byte(`{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}`)}
	a.ring, err = alipayplus.NewKeyRing(map[string]*rsa.PublicKey{"1": a.key})
	must(b, err)
	signer, err := alipayplus.NewSigner("1", key)
	must(b, err)
	content := alipayplus.Content{Method: "POST", Target: notifyPath, ClientID: "WALLET", Time: time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), Body: a.body}
	text, err := content.Sign(b.Context(), signer)
	must(b, err)
	a.header = http.Header{"Client-Id": {"WALLET"}, "Response-Time": {content.Time}, "Signature": {text}, "Content-Type": {"application/json; charset=UTF-8"}}
	return a
}

// RoundTrip implements http.RoundTripper.
func (a *answer) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: a.header.Clone(),
		ContentLength: int64(len(a.body)), Body: io.NopCloser(bytes.NewReader(a.body)), Request: r}, nil
}

// send sends a message by hand and verifies the answer.
func (a *answer) send(ctx context.Context, message string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://alipay.example"+notifyPath, strings.NewReader(message))
	if err != nil {
		return err
	}
	now := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	r.Header.Set("Client-Id", "WALLET")
	r.Header.Set("Request-Time", now)
	r.Header.Set("Signature", "algorithm=RSA256,keyVersion=1,signature="+url.QueryEscape(base64.StdEncoding.EncodeToString(signature)))
	response, err := a.RoundTrip(r)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	_, value, _ := strings.Cut(response.Header.Get("Signature"), "signature=")
	text, err := url.QueryUnescape(value)
	if err != nil {
		return err
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte("POST " + notifyPath + "\nWALLET." + response.Header.Get("Response-Time") + "." + string(body)))
	return rsa.VerifyPKCS1v15(a.key, crypto.SHA256, sum[:], raw)
}
