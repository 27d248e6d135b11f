package mpm_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/codeid"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
)

// wallet is a wallet's backend that follows the documentation of packages mpm and
// payment. All its state is in db and bank: a crash loses the rest.
type wallet struct {
	db     *database
	bank   *bank // a ledger that is another service; nil: in db
	client *alipayplus.Client
	flow   *mpm.Flow

	// A crash may come at any of these places: between two steps, or inside of a
	// transaction. nil: none.
	between, inside func(place string)
	mistake         mistake
}

func (w *wallet) at(place string) {
	if w.between != nil {
		w.between(place)
	}
}

// happened is the one place where a payment changes. refused is the error of
// Record.On for the event itself.
func (w *wallet) happened(ctx context.Context, id string, event payment.Event, origin mpm.Origin) (record payment.Record, refused, err error) {
	if w.mistake == notifiesBeforePersisting {
		w.notifyEarly(ctx, id, event)
	}
	var outside, late []payment.Effect
	err = w.db.transaction(func(t *tables) error {
		var err error
		if record, err = t.load(id); err != nil {
			return err
		}
		loaded := record.Version
		next, do, refusal := record.On(event)
		record, refused = next, refusal
		for len(do) > 0 {
			effect := do[0]
			do = do[1:]
			var end payment.Event
			switch d := effect.(type) {
			case payment.Debit, payment.Void, payment.Credit:
				if w.bank != nil {
					outside = append(outside, d)
					continue
				}
				end = t.settle(d)
			case payment.Notify:
				switch w.mistake {
				case notifiesBeforePersisting:
				case queuesAfterCommit:
					late = append(late, d)
				default:
					set(t, t.outbox, d.Message.Operation+" "+d.Message.Key, outboxRow{message: d.Message, due: time.Now()})
				}
			case payment.Withdraw:
				remove(t, t.outbox, d.Operation+" "+d.Key)
			}
			if end == nil {
				continue
			}
			next, more, err := record.On(end)
			if err != nil {
				return err // cannot be
			}
			record = next
			do = append(do, more...)
		}
		if w.inside != nil {
			w.inside("in a transaction")
		}
		if record.Version == loaded {
			return nil
		}
		return t.store(record, origin)
	})
	w.at("committed")
	for _, effect := range late {
		m := effect.(payment.Notify).Message
		_ = w.db.transaction(func(t *tables) error {
			set(t, t.outbox, m.Operation+" "+m.Key, outboxRow{message: m, due: time.Now()})
			return nil
		})
	}
	for _, effect := range outside {
		if later, ok := w.perform(ctx, id, effect); ok {
			record = later
		}
	}
	return record, refused, err
}

// notifyEarly is a mistake: it sends what the transaction is going to decide.
func (w *wallet) notifyEarly(ctx context.Context, id string, event payment.Event) {
	var messages []alipayplus.Message
	_ = w.db.transaction(func(t *tables) error {
		record, err := t.load(id)
		if err != nil {
			return err
		}
		record, do, _ := record.On(event)
		for len(do) > 0 {
			effect := do[0]
			do = do[1:]
			if notify, ok := effect.(payment.Notify); ok {
				messages = append(messages, notify.Message)
			} else if w.bank == nil {
				if end := t.settle(effect); end != nil {
					next, more, _ := record.On(end)
					record, do = next, append(do, more...)
				}
			}
		}
		return errors.New("rolled back")
	})
	for _, m := range messages {
		_ = w.client.Deliver(ctx, m)
		w.at("notified, not persisted")
	}
}

// perform has the bank move money and reports the end. An end that is not known
// is not reported: Record.Due lists the effect again.
func (w *wallet) perform(ctx context.Context, id string, effect payment.Effect) (payment.Record, bool) {
	w.at("before the bank")
	end := w.bank.move(effect, w.mistake)
	w.at("after the bank")
	if end == nil {
		return payment.Record{}, false
	}
	record, _, err := w.happened(ctx, id, end, mpm.Scanned)
	return record, err == nil
}

// scan and decode answer the app.
func (w *wallet) scan(ctx context.Context, code, customer string) (json.Marshaler, error) {
	step, err := w.flow.Scan(ctx, alipayplus.Conceal(code), customer)
	return w.opened(ctx, step, err)
}

func (w *wallet) decode(ctx context.Context, code, customer string) (json.Marshaler, error) {
	step, err := w.flow.Decode(ctx, alipayplus.Conceal(code), customer)
	return w.opened(ctx, step, err)
}

// opened opens the payment behind a cashier page before the app shows it.
func (w *wallet) opened(ctx context.Context, step mpm.Step, err error) (json.Marshaler, error) {
	cashier, ok := step.(mpm.Cashier)
	if err != nil || !ok {
		return step, err
	}
	w.at("decoded")
	cashier.Terms.PaymentID = "W-" + cashier.Terms.PaymentRequestID
	record, refused, err := w.happened(ctx, cashier.Terms.PaymentRequestID,
		payment.Opened{Terms: cashier.Terms, At: time.Now()}, cashier.Origin)
	switch {
	case err != nil:
		return nil, err
	case refused != nil: // somebody else's, or two answers were mixed up
		return failed(refused, cashier.Origin), nil
	case record.State != payment.StateOpen: // scanned before
		return mpm.ResultPage{Record: record, Origin: cashier.Origin}, nil
	}
	return cashier, nil
}

func failed(err error, origin mpm.Origin) mpm.Failed {
	code := alipayplus.CodeProcessFail
	errors.As(err, &code)
	return mpm.Failed{Code: code, Message: mpm.UserMessageOf(code), Origin: origin}
}

// confirm is the user's tap on the cashier page.
func (w *wallet) confirm(ctx context.Context, id, customer string, amount alipayplus.Amount) (json.Marshaler, error) {
	record, refused, err := w.happened(ctx, id, payment.Confirmed{CustomerID: customer, Amount: amount, At: time.Now()}, mpm.Scanned)
	if err != nil {
		return nil, err
	}
	var origin mpm.Origin
	w.db.read(func(t *tables) { origin = t.payments[id].origin })
	if refused != nil && record.State != payment.StateClosed && record.State != payment.StateFailed {
		return failed(refused, origin), nil
	}
	outcome := mpm.ResultPage{Record: record, Origin: origin}
	if record.State == payment.StateOpen { // the debit was refused, the user may try again
		outcome.Message = mpm.UserMessageOf(alipayplus.CodeUserBalanceNotEnough)
	}
	return outcome, nil
}

func (w *wallet) outcome(_ context.Context, id, customer string) (answer json.Marshaler, err error) {
	w.db.read(func(t *tables) {
		var record payment.Record
		if record, err = t.load(id); err == nil && record.CustomerID != customer {
			err = payment.ErrOtherCustomer
		}
		answer = mpm.ResultPage{Record: record, Origin: t.payments[id].origin}
	})
	return answer, err
}

// deliver sends the next message that is due, if there is one. Any number of
// workers may call it.
func (w *wallet) deliver(ctx context.Context) (found bool) {
	var name string
	var taken outboxRow
	_ = w.db.transaction(func(t *tables) error {
		for _, candidate := range slices.Sorted(maps.Keys(t.outbox)) {
			if !t.outbox[candidate].due.After(time.Now()) {
				name, taken = candidate, t.outbox[candidate]
				taken.tries++
				taken.due = time.Now().Add(workerLease)
				set(t, t.outbox, name, taken)
				return nil
			}
		}
		return nil
	})
	if name == "" {
		return false
	}
	w.at("taken from the outbox")
	m := taken.message
	if w.mistake == newBodyOnRetry {
		m = rebuilt(m, taken.tries)
	}
	err := w.client.Deliver(ctx, m)
	w.at("delivered")
	_ = w.db.transaction(func(t *tables) error {
		row, ok := t.outbox[name]
		if !ok || row.tries != taken.tries { // withdrawn, or another worker has it
			return nil
		}
		wait, again := alipayplus.Schedule(nil).Next(row.tries, err)
		if again {
			row.due = time.Now().Add(wait)
			set(t, t.outbox, name, row)
			return nil
		}
		remove(t, t.outbox, name)
		if err != nil {
			set(t, t.alarms, name, err)
		}
		return nil
	})
	return true
}

// tidy is a job that runs now and then: it closes what has expired and does
// again what may have been lost.
func (w *wallet) tidy(ctx context.Context) {
	due := map[string]row{}
	w.db.read(func(t *tables) {
		for id, row := range t.payments {
			if row.untidy() {
				due[id] = row
			}
		}
	})
	for _, id := range slices.Sorted(maps.Keys(due)) {
		if due[id].state == payment.StateOpen {
			_, _, _ = w.happened(ctx, id, payment.Expired{At: time.Now()}, mpm.Scanned)
		}
		var record payment.Record
		w.db.read(func(t *tables) { record, _ = t.load(id) })
		for _, effect := range record.Due() {
			w.perform(ctx, id, effect)
		}
	}
}

// handler answers Alipay+.
func (w *wallet) handler(credentials alipayplus.Credentials, store alipayplus.IdempotencyStore) (*alipayplus.Handler, error) {
	return alipayplus.NewHandler(
		alipayplus.HandlerConfig{Credentials: credentials, Idempotency: store},
		payment.InquiryPayment.Handle("/inquiryPayment", w.inquiryPayment),
		payment.CancelPayment.Handle("/cancelPayment", w.cancelPayment),
		payment.Refund.Handle("/refund", w.refund),
	)
}

func (w *wallet) inquiryPayment(_ context.Context, r *payment.InquiryPaymentRequest) (answer *payment.InquiryPaymentResponse, err error) {
	w.db.read(func(t *tables) {
		var record payment.Record
		record, err = t.load(r.PaymentRequestID)
		answer = record.InquiryAnswer()
	})
	return answer, err
}

func (w *wallet) cancelPayment(ctx context.Context, r *payment.CancelPaymentRequest) (*payment.CancelPaymentResponse, error) {
	record, refused, err := w.happened(ctx, r.PaymentRequestID, payment.Cancelled{At: time.Now()}, mpm.Scanned)
	w.at("cancelled")
	if err == nil {
		err = refused
	}
	if err != nil {
		return nil, err
	}
	return record.CancelAnswer(), nil
}

func (w *wallet) refund(ctx context.Context, r *payment.RefundRequest) (*payment.RefundResponse, error) {
	event := payment.Refunded{Request: *r, RefundID: "R-" + r.RefundRequestID, At: time.Now()}
	record, refused, err := w.happened(ctx, r.PaymentRequestID, event, mpm.Scanned)
	w.at("refunded")
	if err == nil {
		err = refused
	}
	if err != nil {
		return nil, err
	}
	return record.RefundAnswer(r.RefundRequestID), nil
}

// rules is a rule set as an Identifier.
type rules struct {
	set  *codeid.Ruleset
	note func(string)
}

func (r rules) Identify(_ context.Context, code string) (codeid.Identification, error) {
	r.note("backend -> identifier: identify")
	id, err := r.set.Identify(code)
	r.note("identifier -> backend: " + strings.TrimSpace(fmt.Sprint(id.Supported, " ", id.Action)))
	return id, err
}

func newRules(t testing.TB, body []byte, note func(string)) rules {
	t.Helper()
	set, err := codeid.ParseRuleset(body, codeid.RuleOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if note == nil {
		note = func(string) {}
	}
	return rules{set, note}
}

// newWallet is a wallet at g, with a ledger of its own.
func newWallet(t testing.TB, g *alipayplustest.Gateway, cfg mpm.Config) *wallet {
	t.Helper()
	client, err := alipayplus.NewClient(g.Config())
	if err != nil {
		t.Fatal(err)
	}
	cfg.Client = client
	flow, err := mpm.NewFlow(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return &wallet{db: newDatabase(map[string]int64{"alice": 100_000, "bob": 100_000}), client: client, flow: flow}
}
