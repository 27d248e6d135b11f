package easypay_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/easypay"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

const (
	redirectSuccess = "https://pay.example/result?session=%2B%3D&status=success"
	redirectFail    = "https://pay.example/result?session=%2B%3D&status=fail"
)

// shows returns what the page of the last creation shows, in short.
func shows(p easypay.Page, err error) string {
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(fmt.Sprintf("%s %d/%d %s", p.Record.State, p.TriesLeft, p.ResendsLeft, p.Redirect.Reveal()))
}

func (w *world) link() alipayplus.Secret { return alipayplus.Conceal(w.page) }

// enters has the user enter a PIN or an OTP.
func (w *world) enters(right bool) string {
	return shows(w.easypay.Verify(w.Context(), w.link(), func(context.Context, payment.Record) (bool, error) { return right, nil }))
}

// looks has the user open the page.
func (w *world) looks() string { return shows(w.easypay.Page(w.Context(), w.link())) }

// resends has the user ask for another OTP, which is sent or not.
func (w *world) resends() (text string) {
	sent := " not sent"
	text = shows(w.easypay.Resend(w.Context(), w.link(), func(context.Context, payment.Record) error { sent = ""; return nil }))
	return text + sent
}

// leaves has the user leave for good.
func (w *world) leaves() string { return shows(w.easypay.GiveUp(w.Context(), w.link())) }

func TestPage(t *testing.T) {
	story(t, func(w *world) {
		w.pay(creation("PR1"))
		w.is("opened", w.looks(), "verifying 3/5")
		w.is("wrong", w.enters(false), "verifying 2/5")
		w.is("another OTP", w.resends(), "verifying 2/4")
		w.is("opened again", w.looks(), "verifying 2/4")
		w.is("right", w.enters(true), "paid 0/0 "+redirectSuccess)
		// Whatever the user does then, the verification succeeded.
		w.is("the back button", w.looks(), "paid 0/0 "+redirectSuccess)
		w.is("wrong, too late", w.enters(false), "paid 0/0 "+redirectSuccess)
		w.is("right, again", w.enters(true), "paid 0/0 "+redirectSuccess)
		w.is("another OTP, too late", w.resends(), "paid 0/0 "+redirectSuccess+" not sent")
		w.is("left, too late", w.leaves(), "paid 0/0 "+redirectSuccess)
		w.is("balance", fmt.Sprint(w.balance()), fmt.Sprint(funds-price))
	})
}

func TestPageOfOwnLimits(t *testing.T) {
	story(t, func(w *world) {
		w.with(func(c *easypay.Config) { c.Tries, c.Resends = 2, 1 })
		w.pay(creation("PR1"))
		w.is("opened", w.looks(), "verifying 2/1")
		w.is("another OTP", w.resends(), "verifying 2/0")
		w.is("one too many", w.resends(), "verifying 2/0 not sent")
		w.is("wrong", w.enters(false), "verifying 1/0")
		w.is("wrong", w.enters(false), "failed 0/0 "+redirectFail)
	})
}

// N guesses at once are compared at most Tries times, whatever their order.
func TestParallelGuesses(t *testing.T) {
	for _, remote := range []bool{false, true} {
		for _, right := range []bool{false, true} {
			t.Run(fmt.Sprintf("remote=%t, one of them is right: %t", remote, right), func(t *testing.T) {
				tell := map[bool]func(*testing.T, func(*world)){false: story, true: remoteStory}[remote]
				tell(t, func(w *world) {
					w.pay(creation("PR1"))
					var compared atomic.Int64
					var guesses sync.WaitGroup
					for range 50 {
						guesses.Go(func() {
							_, err := w.easypay.Verify(w.Context(), w.link(), func(context.Context, payment.Record) (bool, error) {
								n := compared.Add(1)
								time.Sleep(time.Second) // all have begun
								return right && n == 2, nil
							})
							if err != nil {
								w.Error(err)
							}
						})
					}
					guesses.Wait()
					if n := compared.Load(); n != payment.DefaultTries {
						w.Errorf("%d guesses were compared, want %d", n, payment.DefaultTries)
					}
					want, spent := "failed 0/0 "+redirectFail, 0
					if right {
						want, spent = "paid 0/0 "+redirectSuccess, price
					}
					w.is("in the end", w.looks(), want)
					w.is("spent", fmt.Sprint(funds-w.balance()), fmt.Sprint(spent))
				})
			})
		}
	}
}

// As many OTPs at once are sent at most Resends times.
func TestParallelResends(t *testing.T) {
	story(t, func(w *world) {
		w.pay(creation("PR1"))
		var sent atomic.Int64
		var asked sync.WaitGroup
		for range 50 {
			asked.Go(func() {
				_, err := w.easypay.Resend(w.Context(), w.link(), func(context.Context, payment.Record) error {
					sent.Add(1)
					time.Sleep(time.Second)
					return nil
				})
				if err != nil {
					w.Error(err)
				}
			})
		}
		asked.Wait()
		if n := sent.Load(); n != payment.DefaultResends {
			w.Errorf("%d OTPs were sent, want %d", n, payment.DefaultResends)
		}
	})
}

// The count is stored before check and send are called, and outside of a
// transaction: they may take their time.
func TestCountedFirst(t *testing.T) {
	story(t, func(w *world) {
		w.pay(creation("PR1"))
		_, err := w.easypay.Verify(w.Context(), w.link(), func(ctx context.Context, r payment.Record) (bool, error) {
			if stored := w.record("PR1"); len(stored.Tried) != 1 || len(r.Tried) != 1 || w.memory.Joined(ctx) {
				w.Errorf("%d tries are counted, in a transaction: %t", len(stored.Tried), w.memory.Joined(ctx))
			}
			return false, nil
		})
		if err != nil {
			w.Error(err)
		}
		_, err = w.easypay.Resend(w.Context(), w.link(), func(ctx context.Context, r payment.Record) error {
			if stored := w.record("PR1"); stored.Resent != 1 || r.Resent != 1 || w.memory.Joined(ctx) {
				w.Errorf("%d OTPs are counted, in a transaction: %t", stored.Resent, w.memory.Joined(ctx))
			}
			return nil
		})
		if err != nil {
			w.Error(err)
		}
	})
}

// In a transaction of the caller nothing would be counted if it is rolled back.
func TestPageInATransaction(t *testing.T) {
	story(t, func(w *world) {
		w.pay(creation("PR1"))
		for name, act := range map[string]func(context.Context) error{
			"Verify": func(ctx context.Context) error {
				_, err := w.easypay.Verify(ctx, w.link(), func(context.Context, payment.Record) (bool, error) {
					w.Error("compared in a transaction")
					return true, nil
				})
				return err
			},
			"Resend": func(ctx context.Context) error {
				_, err := w.easypay.Resend(ctx, w.link(), func(context.Context, payment.Record) error {
					w.Error("sent in a transaction")
					return nil
				})
				return err
			},
		} {
			if err := w.memory.InTx(w.Context(), act); err == nil || !strings.Contains(err.Error(), "in a transaction of the caller") {
				w.Errorf("%s: %v", name, err)
			}
		}
		w.is("afterwards", w.looks(), "verifying 3/5")
	})
}

var errPINs = errors.New("the PIN service is not reachable")

// A check that fails uses the try up, and so ends the payment at the last one:
// nobody waits for its result any more.
func TestCheckFails(t *testing.T) {
	story(t, func(w *world) {
		w.pay(creation("PR1"))
		for range payment.DefaultTries {
			_, err := w.easypay.Verify(w.Context(), w.link(), func(context.Context, payment.Record) (bool, error) { return true, errPINs })
			if !errors.Is(err, errPINs) {
				w.Errorf("Verify says %v", err)
			}
		}
		w.is("afterwards", w.looks(), "failed 0/0 "+redirectFail)
		w.is("balance", fmt.Sprint(w.balance()), fmt.Sprint(funds))
	})
}

func TestSendFails(t *testing.T) {
	story(t, func(w *world) {
		w.pay(creation("PR1"))
		_, err := w.easypay.Resend(w.Context(), w.link(), func(context.Context, payment.Record) error { return errPINs })
		if !errors.Is(err, errPINs) {
			w.Errorf("Resend says %v", err)
		}
		w.is("afterwards", w.looks(), "verifying 3/4")
	})
}

// A browser that goes away while the PIN is compared changes nothing of it.
func TestUserGoesAway(t *testing.T) {
	story(t, func(w *world) {
		w.pay(creation("PR1"))
		ctx, cancel := context.WithCancel(w.Context())
		page, err := w.easypay.Verify(ctx, w.link(), func(context.Context, payment.Record) (bool, error) {
			cancel()
			return true, nil
		})
		w.is("right", shows(page, err), "paid 0/0 "+redirectSuccess)
	})
}

// A database that does not answer does not hold the page for ever, though the
// end of the browser's request counts for nothing then.
func TestVerifyOnSilentDatabase(t *testing.T) {
	story(t, func(w *world) {
		w.pay(creation("PR1"))
		start, release := time.Now(), make(chan struct{})
		time.AfterFunc(time.Hour, func() { close(release) })
		_, err := w.easypay.Verify(w.Context(), w.link(), func(context.Context, payment.Record) (bool, error) {
			held := make(chan struct{})
			go func() {
				_ = w.memory.InTx(context.Background(), func(context.Context) error {
					close(held)
					<-release
					return nil
				})
			}()
			<-held
			return true, nil
		})
		if took := time.Since(start); !errors.Is(err, context.DeadlineExceeded) || took > time.Minute {
			w.Errorf("after %v: %v", took, err)
		}
		<-release
		w.is("balance", fmt.Sprint(w.balance()), fmt.Sprint(funds))
	})
}

// Two things that happen at once have one winner, and money that moved stays
// where the record says.
func TestPageRaces(t *testing.T) {
	for name, act := range map[string]func(*world){
		"leaves":  func(w *world) { w.leaves() },
		"expires": func(*world) { time.Sleep(25 * time.Hour) },
		"cancels": func(w *world) { w.cancel("PR1") },
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(w *world) {
				w.pay(creation("PR1"))
				page, err := w.easypay.Verify(w.Context(), w.link(), func(context.Context, payment.Record) (bool, error) {
					act(w)
					return true, nil
				})
				if err != nil || page.Redirect.Reveal() != redirectFail {
					w.Errorf("the user goes to %q, %v", page.Redirect.Reveal(), err)
				}
				w.is("balance", fmt.Sprint(w.balance()), fmt.Sprint(funds))
			})
		})
	}
}

// A payment that has expired sends its user back, also before Run closes it.
func TestExpiredPage(t *testing.T) {
	for name, act := range map[string]func(*world) string{
		"Page":   (*world).looks,
		"Verify": func(w *world) string { return w.enters(true) },
		"Resend": func(w *world) string { return strings.TrimSuffix(w.resends(), " not sent") },
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(w *world) {
				w.pay(creation("PR1"))
				time.Sleep(24*time.Hour + time.Second)
				w.is("page", act(w), "closed 0/0 "+redirectFail)
				w.is("inquiryPayment", w.inquire("PR1"), "F ORDER_IS_CLOSED")
			})
		})
	}
}

// A page of an expired payment that cannot be closed is an error, not an empty
// page.
func TestExpiredPageIsNotClosed(t *testing.T) {
	story(t, func(w *world) {
		w.pay(creation("PR1"))
		time.Sleep(24*time.Hour + time.Second)
		w.at = w.steps + 1 // the next write of the database fails
		if page, err := w.easypay.Page(w.Context(), w.link()); !errors.Is(err, errCrash) {
			w.Errorf("%v, %v", page, err)
		}
	})
}

// A link that the wallet did not make opens nothing, and says nothing about
// payments.
func TestLinks(t *testing.T) {
	story(t, func(w *world) {
		w.pay(creation("PR1"))
		w.deals()
		w.pay(request("PR2", agreement, method("live")))
		w.is("cancelPayment", w.cancel("PR3"), "S SUCCESS")
		good := w.page
		raw := testkit.Must(base64.RawURLEncoding.DecodeString(good))
		if strings.Contains(string(raw), "PR1") {
			w.Error("the link is not sealed")
		}
		seal := func(s *alipayplus.Sealer, purpose, id string) string {
			return base64.RawURLEncoding.EncodeToString(s.Seal(purpose, []byte(id)))
		}
		const purpose = "easypay verification page"
		stranger := testkit.Must(alipayplus.NewSealer(bytes.Repeat([]byte{8}, 32)))
		changed := bytes.Clone(raw)
		changed[len(changed)/2] ^= 1
		for _, row := range []struct{ rule, link string }{
			{"absent", ""},
			{"the id itself", "PR1"},
			{"another key", seal(stranger, purpose, "PR1")},
			{"another purpose", seal(w.sealer, "redeem", "PR1")},
			{"changed", base64.RawURLEncoding.EncodeToString(changed)},
			{"cut", good[:len(good)-2]},
			{"with padding", good + "=="},
			{"with a tail", good + "A"},
			{"with other unused bits", good[:len(good)-1] + otherBits(good[len(good)-1])},
			{"with a line feed", good + "\n"},
			{"long", strings.Repeat("A", 1<<20)},
			{"of a payment that is not there", seal(w.sealer, purpose, "PR9")},
			{"of a payment without a page", seal(w.sealer, purpose, "PR2")},
			{"of a payment that was cancelled before it came", seal(w.sealer, purpose, "PR3")},
			{"of no payment", seal(w.sealer, purpose, "")},
		} {
			w.page = row.link
			for what, got := range map[string]string{
				"Page": w.looks(), "Verify": w.enters(true), "Resend": strings.TrimSuffix(w.resends(), " not sent"), "GiveUp": w.leaves(),
			} {
				if got != easypay.ErrLink.Error() {
					w.Errorf("%s of a link that is %s: %q", what, row.rule, got)
				}
			}
		}
		w.page = good
		w.is("afterwards", w.looks(), "verifying 3/5")
	})
}

// otherBits returns a last digit that differs from c in the bits that mean
// nothing.
func otherBits(c byte) string {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return digits[strings.IndexByte(digits, c)|1:][:1]
}

// Links stay good while keys are rotated, and for the longest ids.
func TestLinkOfALongID(t *testing.T) {
	story(t, func(w *world) {
		id := strings.Repeat("\U0001F600", 64)
		answer := w.pay(creation(id))
		if w.page == "" || len(w.page) > 512 {
			w.Fatalf("the link has %d characters: %v", len(w.page), answer.Result)
		}
		newer := testkit.Must(alipayplus.NewSealer(bytes.Repeat([]byte{9}, 32), bytes.Repeat([]byte{7}, 32)))
		w.with(func(c *easypay.Config) { c.Sealer = newer })
		w.is("opened", w.looks(), "verifying 3/5")
	})
}

// Every two things that happen to a payment at once: the user, Alipay+ and the
// clock. Whoever wins, money, page, inquiryPayment, notifyPayment and pay
// agree.
func TestTwoAtOnce(t *testing.T) {
	verify := func(right bool) func(*world) {
		return func(w *world) {
			_, _ = w.easypay.Verify(w.Context(), w.link(), func(context.Context, payment.Record) (bool, error) {
				time.Sleep(time.Second)
				return right, nil
			})
		}
	}
	acts := []struct {
		name string
		act  func(*world)
	}{
		{"right", verify(true)},
		{"wrong", verify(false)},
		{"resend", func(w *world) { w.resends() }},
		{"look", func(w *world) { w.looks() }},
		{"leave", func(w *world) { w.leaves() }},
		{"expire", func(w *world) { w.workFor(3 * time.Second) }},
		{"cancel", func(w *world) {
			_, _ = send(w, "/wallet/cancelPayment", payment.CancelPayment,
				&payment.CancelPaymentRequest{AcquirerID: "A1", PSPID: "P1", PaymentRequestID: "PR1"})
		}},
		{"create again", func(w *world) {
			_, _ = send(w, payPath, payment.Pay, creation("PR1"))
		}},
	}
	delays := []time.Duration{0, time.Second}
	if long() {
		delays = []time.Duration{0, 500 * time.Millisecond, time.Second, 1500 * time.Millisecond, 2 * time.Second}
	}
	for _, remote := range []bool{false, true} {
		for i, first := range acts {
			for _, second := range acts[i:] {
				for _, delay := range delays {
					tell := map[bool]func(*testing.T, func(*world)){false: story, true: remoteStory}[remote]
					tell(t, func(w *world) {
						w.pay(creation("PR1", func(r *payment.PayRequest) {
							r.PaymentExpiryTime = alipayplus.TimeOf(time.Now().Add(2 * time.Second))
						}))
						var both sync.WaitGroup
						both.Go(func() { first.act(w) })
						both.Go(func() { time.Sleep(delay); second.act(w) })
						both.Wait()
						w.agree(fmt.Sprintf("remote=%t: %s, and %v later %s", remote, first.name, delay, second.name))
					})
					if t.Failed() {
						return
					}
				}
			}
		}
	}
}

// agree compares what everybody is told of PR1 in the end.
func (w *world) agree(what string) {
	w.Helper()
	w.workFor(65 * time.Second) // Run looks again after a minute
	status, spent, tokens := w.inquire("PR1"), funds-w.balance(), w.tokens.count()
	page := w.looks()
	paid := strings.HasPrefix(page, "paid ") && strings.HasSuffix(page, redirectSuccess)
	unpaid := !strings.HasPrefix(page, "paid ") && strings.HasSuffix(page, "status=success") != strings.HasSuffix(page, redirectFail)
	switch {
	case status == "S SUCCESS" && paid && spent == price && tokens == 1:
	case strings.HasPrefix(status, "F ") && unpaid && spent == 0 && tokens <= 1:
	default:
		w.Errorf("%s: inquiryPayment says %s, the page %s, %d are spent, %d tokens", what, status, page, spent, tokens)
	}
	cancelled := status == "F ORDER_IS_CLOSED" && len(w.calls(payment.NotifyPayment, "PR1")) == 0
	if !cancelled {
		for _, body := range w.calls(payment.NotifyPayment, "PR1") {
			if told := status[2:]; !strings.Contains(body, `"`+told+`"`) && status != "F ORDER_IS_CLOSED" {
				w.Errorf("%s: inquiryPayment says %s, notifyPayment %s", what, status, body)
			}
		}
	}
	w.over(alipayplus.NewMemoryIdempotencyStore(10))
	want := status
	if paid {
		want = "U PAYMENT_IN_PROCESS"
	}
	if got := w.pay(w.again(w.record("PR1"))).Result.Error(); got != want {
		w.Errorf("%s: inquiryPayment says %s, pay %s", what, status, got)
	}
}
