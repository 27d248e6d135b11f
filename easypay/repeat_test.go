package easypay_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// shaky is an IdempotencyStore that fails: a Finish may be lost, and every
// Begin may say ClaimFirst, as if no record had been kept.
type shaky struct {
	alipayplus.IdempotencyStore
	lose    func() (lost, stored bool) // of each Finish
	forgets bool
}

var errStore = errors.New("the store is not reachable")

func (s *shaky) Begin(ctx context.Context, c alipayplus.Claim) (alipayplus.ClaimState, []byte, error) {
	if s.forgets {
		return alipayplus.ClaimFirst, nil, nil
	}
	return s.IdempotencyStore.Begin(ctx, c)
}

func (s *shaky) Finish(ctx context.Context, c alipayplus.Claim, answer []byte) error {
	if s.forgets {
		return nil
	}
	if s.lose != nil {
		lost, stored := s.lose()
		switch {
		case lost && stored:
			_ = s.IdempotencyStore.Finish(ctx, c, answer)
			return errStore
		case lost:
			return errStore
		}
	}
	return s.IdempotencyStore.Finish(ctx, c, answer)
}

// over has the process of w serve over another Store.
func (w *world) over(store alipayplus.IdempotencyStore) { w.handler = w.serve(w.wallet, store) }

// together delivers the requests at the same time, all to the same wallet. A
// request that is in the list twice is signed once and delivered twice.
func (w *world) together(requests ...*payment.PayRequest) []*payment.PayResponse {
	w.Helper()
	answers := make([]*payment.PayResponse, len(requests))
	signed := map[*payment.PayRequest]*http.Request{}
	var wait sync.WaitGroup
	for i, r := range requests {
		body := testkit.Must(alipayplus.Marshal(r))
		if signed[r] == nil {
			signed[r] = w.gateway.NewRequest(w.Context(), payPath, body)
		}
		mine := signed[r].Clone(w.Context())
		mine.Body = io.NopCloser(bytes.NewReader(body))
		wait.Go(func() {
			answers[i] = new(payment.PayResponse)
			answer, err := w.gateway.Exchange(w.handler, mine)
			if err == nil {
				err = json.Unmarshal(answer, answers[i])
			}
			if err != nil {
				w.Error(err)
			}
		})
	}
	wait.Wait()
	return answers
}

func times(n int, r *payment.PayRequest) []*payment.PayRequest {
	requests := make([]*payment.PayRequest, n)
	for i := range requests {
		requests[i] = r
	}
	return requests
}

// 64 times the same creation and the same one-click payment at once: one order,
// one debit, and no two answers that differ, but for U. Also with a Store that
// grants every claim, so that only the record's id tells the duplicates apart.
func TestConcurrentDuplicates(t *testing.T) {
	for _, forgets := range []bool{false, true} {
		t.Run(fmt.Sprintf("a store that forgets: %t", forgets), func(t *testing.T) {
			story(t, func(w *world) {
				w.over(&shaky{IdempotencyStore: w.store, forgets: forgets})
				w.latency = time.Second // nobody is done before all have begun
				runs := int64(2)        // of Account and of Tokens
				if forgets {
					runs *= 65
				}

				pages := map[string]int{}
				for _, answer := range append(w.together(times(64, creation("PR1"))...), w.pay(creation("PR1"))) {
					if answer.Result.Error() != "U PAYMENT_IN_PROCESS" {
						w.Fatalf("a creation is answered %v", answer.Result)
					}
					if !answer.PaymentURL.IsZero() {
						pages[answer.PaymentURL.Reveal()+" "+answer.PaymentID]++
					}
				}
				if len(pages) != 1 || w.orders.Load() != 1 || w.bookings() != 0 {
					w.Fatalf("%d pages, %d orders, %d bookings; want 1, 1, 0", len(pages), w.orders.Load(), w.bookings())
				}
				w.enters(true)
				w.workFor(10 * time.Second)

				paid := map[string]int{}
				request := oneClick("PR2", w.known()[0].AccessToken)
				for _, answer := range append(w.together(times(64, request)...), w.pay(request)) {
					switch answer.Result.Error() {
					case "S SUCCESS":
						paid[answer.PaymentID+" "+answer.PaymentTime.String()]++
					case "U PAYMENT_IN_PROCESS":
					default:
						w.Fatalf("a one-click payment is answered %v", answer.Result)
					}
				}
				if len(paid) != 1 || w.orders.Load() != 2 || w.bookings() != 2 || w.balance() != funds-2*price {
					w.Fatalf("%d answers, %d orders, %d bookings, a balance of %d; want 1, 2, 2, %d",
						len(paid), w.orders.Load(), w.bookings(), w.balance(), funds-2*price)
				}
				w.workFor(10 * time.Second)
				if n := w.runs.Load(); n != runs {
					w.Errorf("%d runs, want %d: these are no concurrent duplicates", n, runs)
				}
				if w.waiting() != 0 {
					w.Error("a notification is left")
				}
			})
		})
	}
}

// checkReplay reports an answer that belongs to the other kind of call.
func (w *world) checkReplay(evaluates bool, answer *payment.PayResponse, page *string) {
	w.Helper()
	switch status := answer.Result.Status; {
	case status == alipayplus.StatusFailed:
		w.Fatalf("refused: %v", answer.Result)
	case evaluates && (!answer.PaymentURL.IsZero() || answer.PaymentID != ""):
		w.Fatalf("an evaluation got the answer of a creation: %v", answer)
	case !evaluates && status != alipayplus.StatusUnknown:
		w.Fatalf("a creation got the answer of an evaluation: %v", answer)
	case !evaluates && !answer.PaymentURL.IsZero():
		if got := answer.PaymentURL.Reveal() + " " + answer.PaymentID; *page != "" && got != *page {
			w.Fatal("a creation has two pages")
		} else {
			*page = got
		}
	}
}

// Evaluation and creation with one paymentRequestId, 8 times each at once, with
// a Store that loses answers, before and after it kept them: no evaluation's S
// is the answer of a creation, and every creation has the one page.
func TestEvaluationIsNeverReplayedConcurrently(t *testing.T) {
	rounds := 5
	if long() {
		rounds = 200
	}
	for round := range rounds {
		synctest.Test(t, func(t *testing.T) {
			chance := rand.New(rand.NewPCG(uint64(round), 1))
			w := newWorld(t, false, mistake{}, "HKD")
			var mu sync.Mutex
			w.over(&shaky{IdempotencyStore: w.store, lose: func() (lost, stored bool) {
				mu.Lock()
				defer mu.Unlock()
				return chance.IntN(2) == 0, chance.IntN(2) == 0
			}})
			flags := [][]func(*payment.PayRequest){{agreement, easyPay}, {agreement, easyPay, evaluation}}
			requests := append(times(8, request("PR1", flags[0]...)), times(8, request("PR1", flags[1]...))...)
			var page string
			for range 3 {
				chance.Shuffle(len(requests), func(i, j int) { requests[i], requests[j] = requests[j], requests[i] })
				for i, answer := range w.together(requests...) {
					w.checkReplay(requests[i].PaymentFactor.IsPaymentEvaluation == alipayplus.True, answer, &page)
				}
				time.Sleep(2 * time.Minute) // the leases of what did not finish are over
			}
			w.over(w.store)
			for _, r := range requests[:3] {
				w.checkReplay(r.PaymentFactor.IsPaymentEvaluation == alipayplus.True, w.pay(r), &page)
			}
			w.is("evaluation", w.pay(request("PR1", flags[1]...)).Result.Error(), "S SUCCESS")
			if w.checkReplay(false, w.pay(request("PR1", flags[0]...)), &page); page == "" {
				w.Error("the creation has no page")
			}
			if n := w.orders.Load(); n != 1 {
				w.Errorf("%d orders", n)
			}
		})
	}
}

// A repeated creation gets the same page and paymentId, whatever the Store kept
// and whatever became of the payment; only a payment that failed is told so by
// the record, if the Store did not keep the answer.
func TestRepeatedCreation(t *testing.T) {
	const page = "the page"
	for _, state := range []struct {
		name   string
		act    func(*world)
		record string // what the record answers
	}{
		{"verifying", func(w *world) { w.resends() }, page},
		{"paid", func(w *world) { w.enters(true) }, page},
		{"failed", func(w *world) { w.leaves() }, "F USER_PAYMENT_VERIFICATION_FAILED"},
		{"closed", func(w *world) { w.cancel("PR1") }, "F ORDER_IS_CLOSED"},
	} {
		for _, store := range []struct {
			name  string
			store func(alipayplus.IdempotencyStore) alipayplus.IdempotencyStore // of the first call
			fresh bool                                                          // the Store is empty at the second call
			kept  bool                                                          // the second call is answered from the Store
		}{
			{"kept it", func(s alipayplus.IdempotencyStore) alipayplus.IdempotencyStore { return s }, false, true},
			{"kept it, but could not say so", func(s alipayplus.IdempotencyStore) alipayplus.IdempotencyStore {
				return &shaky{IdempotencyStore: s, lose: func() (bool, bool) { return true, true }}
			}, false, true},
			{"lost it", func(s alipayplus.IdempotencyStore) alipayplus.IdempotencyStore {
				return &shaky{IdempotencyStore: s, lose: func() (bool, bool) { return true, false }}
			}, false, false},
			{"lost everything", func(s alipayplus.IdempotencyStore) alipayplus.IdempotencyStore { return s }, true, false},
		} {
			t.Run(state.name+", the store "+store.name, func(t *testing.T) {
				story(t, func(w *world) {
					w.over(store.store(w.store))
					w.pay(creation("PR1"))
					record := w.record("PR1")
					if record.State != payment.StateVerifying {
						w.Fatal(record.State)
					}
					w.page = record.Verification.URL.Reveal()[len(pageURL):] // also if the answer was lost
					state.act(w)
					time.Sleep(2 * time.Minute) // a lease is over
					if w.over(w.store); store.fresh {
						w.over(alipayplus.NewMemoryIdempotencyStore(10))
					}
					want := state.record
					if store.kept {
						want = page
					}
					for range 2 {
						answer := w.pay(w.again(record))
						got := answer.Result.Error()
						if answer.PaymentURL.Equal(record.Verification.URL) && answer.PaymentID == record.PaymentID && got == "U PAYMENT_IN_PROCESS" {
							got = page
						}
						w.is("the creation, again", got, want)
					}
				})
			})
		}
	}
}

// again returns the creation of a record, as it came.
func (w *world) again(record payment.Record) *payment.PayRequest {
	return creation(record.PaymentRequestID, func(r *payment.PayRequest) { r.PaymentExpiryTime = record.ExpiryTime })
}

// A one-click payment has one answer, whatever the Store forgot and whatever
// became of its token.
func TestRepeatedOneClick(t *testing.T) {
	live := alipayplus.Conceal("live")
	for _, row := range []struct {
		rule   string
		before func(*world)
		first  string
		then   func(*world)
		again  string
	}{
		{"paid", nil, "S SUCCESS", nil, "S SUCCESS"},
		{"refused for want of money", func(w *world) { w.bank.Deposit(customerID, price-1-funds) },
			"F USER_BALANCE_NOT_ENOUGH", func(w *world) { w.bank.Deposit(customerID, funds) }, "F USER_BALANCE_NOT_ENOUGH"},
		{"paid, and the token is cancelled", nil, "S SUCCESS", func(w *world) { w.tokens.kill(live) }, "S SUCCESS"},
		{"paid, and the token has expired", nil, "S SUCCESS", func(*world) { time.Sleep(31 * 24 * time.Hour) }, "S SUCCESS"},
		{"paid, and the token is forgotten", nil, "S SUCCESS", func(w *world) { w.tokens.forget(live) }, "S SUCCESS"},
		{"refused, and the token is cancelled", func(w *world) { w.bank.Deposit(customerID, price-1-funds) },
			"F USER_BALANCE_NOT_ENOUGH", func(w *world) { w.tokens.kill(live) }, "F USER_BALANCE_NOT_ENOUGH"},
		{"cancelled before it came", func(w *world) { w.cancel("PR1") }, "F ORDER_IS_CLOSED", nil, "F ORDER_IS_CLOSED"},
		{"cancelled afterwards", nil, "S SUCCESS", func(w *world) { w.cancel("PR1") }, "F ORDER_IS_CLOSED"},
		{"never begun, and the token is cancelled", func(w *world) { w.tokens.kill(live) }, "F INVALID_TOKEN", nil, "F INVALID_TOKEN"},
	} {
		t.Run(row.rule, func(t *testing.T) {
			story(t, func(w *world) {
				w.deals()
				if row.before != nil {
					row.before(w)
				}
				r := oneClick("PR1", live)
				w.is("the first", w.pay(r).Result.Error(), row.first)
				if row.then != nil {
					row.then(w)
				}
				for range 2 {
					w.over(&shaky{IdempotencyStore: w.store, forgets: true})
					w.is("the repeat", w.pay(r).Result.Error(), row.again)
				}
				// inquiryPayment says the same.
				if known := w.record("PR1").State != ""; known {
					w.is("inquiryPayment", w.inquire("PR1"), row.again)
				}
			})
		})
	}
}

// surcharged has the user debited another sum than payToAmount.
func surcharged(r *payment.PayRequest) {
	r.SurchargeInfo.SurchargeAmount = alipayplus.Amount{Currency: "HKD", Minor: price + 5}
}

// A known payment that comes with something else is refused, although the Store
// does not know the first request any more.
func TestOtherContent(t *testing.T) {
	live := alipayplus.Conceal("live")
	for _, row := range []struct {
		rule          string
		first, second *payment.PayRequest
	}{
		{"another amount", oneClick("PR1", live), oneClick("PR1", live, func(r *payment.PayRequest) { r.PayToAmount.Minor++ })},
		{"another paymentAmount", oneClick("PR1", live), oneClick("PR1", live, func(r *payment.PayRequest) { r.PaymentAmount.Minor++ })},
		{"another debit", oneClick("PR1", live), oneClick("PR1", live, func(r *payment.PayRequest) {
			r.SurchargeInfo.SurchargeAmount = alipayplus.Amount{Currency: "HKD", Minor: price + 1}
		})},
		{"another payToAmount beside the same debit", oneClick("PR1", live, surcharged), oneClick("PR1", live, surcharged, func(r *payment.PayRequest) { r.PayToAmount.Minor++ })},
		{"another creation", creation("PR1"), creation("PR1", func(r *payment.PayRequest) { r.PayToAmount.Minor++ })},
		{"another customer", oneClick("PR1", live), oneClick("PR1", alipayplus.Conceal("other"))},
		{"a creation of a one-click payment", oneClick("PR1", live), creation("PR1")},
		{"the same without consent", oneClick("PR1", live), request("PR1", agreement, easyPay)},
		{"a creation of a one-click payment, by a login id that nobody has", oneClick("PR1", live), request("PR1", easyPay, stranger)},
		{"a one-click payment of a creation", creation("PR1"), oneClick("PR1", live)},
		{"with a dead token, somebody else's", oneClick("PR1", live), oneClick("PR1", alipayplus.Conceal("cancelled"), func(r *payment.PayRequest) {
			r.PaymentMethod.CustomerID = "customer-2"
		})},
	} {
		t.Run(row.rule, func(t *testing.T) {
			story(t, func(w *world) {
				w.deals()
				w.tokens.issue("other", auth.Grant{CustomerID: "customer-2", AuthClientID: "M1", Scopes: []string{auth.ScopeAgreementPay}})
				first := w.pay(row.first)
				if first.Result.Status == alipayplus.StatusFailed {
					w.Fatal(first.Result)
				}
				before := w.balance()
				w.over(&shaky{IdempotencyStore: w.store, forgets: true})
				w.is("the second", w.pay(row.second).Result.Error(), "F REPEAT_REQ_INCONSISTENT")
				w.is("the first, again", w.pay(row.first).Result.Error(), first.Result.Error())
				if w.balance() != before || !strings.Contains(w.log.String(), "alarm") {
					w.Errorf("balance %d, was %d; log %s", w.balance(), before, w.log.String())
				}
			})
		})
	}
}
