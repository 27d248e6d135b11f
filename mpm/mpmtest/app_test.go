package mpmtest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/mpm/mpmtest"
)

// A debit that was refused ends the visit, unless the user tries again.
func TestAppAfterARefusal(t *testing.T) {
	const refused = `{"step":"resultPage","paymentRequestId":"P","state":"open","resultCode":"USER_BALANCE_NOT_ENOUGH","message":{"key":"k","text":"Too little."}}`
	for again := range 3 {
		t.Run(fmt.Sprint(again), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				shop, _ := newShop()
				app := mpmtest.NewApp(shop, answers{"/scan": orderJSON, "/confirm": refused})
				tries := 0
				app.Refused = func(code, message string) bool {
					if code != "USER_BALANCE_NOT_ENOUGH" || message != "Too little." {
						t.Errorf("%s: %s", code, message)
					}
					tries++
					return tries <= again
				}
				if again == 0 {
					app.Refused = nil
				}
				began := time.Now()
				pages, err := app.ScanCode(t.Context(), "a code")
				want := slices.Repeat([]string{"cashier page: M, JPY 1", "cashier page again: Too little."}, again+1)
				if err != nil || !slices.Equal(pages, want) || time.Since(began) > 0 {
					t.Errorf("%q, %v", pages, err)
				}
			})
		})
	}
}

// Every wait is one on the clock, and ends with the context.
func TestAppWaits(t *testing.T) {
	const processing, pending = `{"step":"resultPage","paymentRequestId":"P","state":"processing"}`, `{"step":"pending","reason":"r","askAgainAfterMs":3000}`
	for _, c := range []struct {
		rule    string
		backend http.Handler
		every   time.Duration
	}{
		{"a code that stays pending", answers{"/scan": pending}, 3 * time.Second},
		{"a payment that stays in progress", answers{"/scan": orderJSON, "/confirm": processing, "/payments/": processing}, 2 * time.Second},
		{"a backend that stays unavailable", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "5")
			w.WriteHeader(http.StatusServiceUnavailable)
		}), 5 * time.Second},
	} {
		for _, hurried := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				shop, _ := newShop()
				asked := 0
				app := mpmtest.NewApp(shop, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					asked++
					c.backend.ServeHTTP(w, r)
				}))
				app.Hurried = hurried
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				began := time.Now()
				_, err := app.ScanCode(ctx, "a code")
				if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Minute {
					t.Errorf("%s: %v after %v", c.rule, err, time.Since(began))
				}
				if most := int(time.Minute/c.every) + 2; asked > most || asked < most/2 {
					t.Errorf("%s: asked %d times in a minute", c.rule, asked)
				}
			})
		}
	}
	t.Run("a context that has ended", func(t *testing.T) {
		shop, _ := newShop()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if pages, err := mpmtest.NewApp(shop, answers{"/scan": orderJSON}).ScanCode(ctx, "a code"); !errors.Is(err, context.Canceled) || len(pages) > 0 {
			t.Errorf("%q, %v", pages, err)
		}
	})
	t.Run("unavailable without a time", func(t *testing.T) {
		shop, _ := newShop()
		unavailable := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
		if _, err := mpmtest.NewApp(shop, unavailable).ScanCode(t.Context(), "a code"); err == nil || !strings.Contains(err.Error(), "Retry-After") {
			t.Error(err)
		}
	})
}

// The result page stays until it returns to the merchant by itself, unless the
// user is in a hurry.
func TestAppLeavesTheResultPage(t *testing.T) {
	for hurried, stays := range map[bool]time.Duration{false: 6 * time.Second, true: 0} {
		synctest.Test(t, func(t *testing.T) {
			shop, _ := newShop()
			shop.OrderCode(alipayplus.Amount{Currency: "JPY", Minor: 1})
			paid := `{"step":"resultPage","paymentRequestId":"P","state":"paid","redirect":{"to":"merchant","url":"` + shop.Orders()[0].RedirectURL + `","afterSeconds":6}}`
			app := mpmtest.NewApp(shop, answers{"/scan": orderJSON, "/confirm": paid})
			app.Hurried = hurried
			began := time.Now()
			if _, err := app.ScanCode(t.Context(), "a code"); err != nil || time.Since(began) != stays {
				t.Errorf("hurried %t: %v after %v", hurried, err, time.Since(began))
			}
		})
	}
}

// The confirmation says what the user saw and agreed to, again for another
// amount.
func TestAppConfirms(t *testing.T) {
	shop, _ := newShop()
	var bodies []string
	app := mpmtest.NewApp(shop, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asksForConsent := strings.Replace(orderJSON, "{", `{"consent":{"authClientId":"A"},`, 1)
		switch {
		case r.Header.Get("Authorization") != "Bearer alice":
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Path == "/scan":
			_, _ = fmt.Fprint(w, orderJSON)
		default:
			body := make([]byte, 1000)
			n, _ := r.Body.Read(body)
			bodies = append(bodies, string(body[:n]))
			if len(bodies) == 1 {
				w.WriteHeader(http.StatusConflict)
				_, _ = fmt.Fprintf(w, `{"error":"amount_changed","message":"m","cashier":%s}`, strings.ReplaceAll(asksForConsent, `"1"`, `"2"`))
				return
			}
			_, _ = fmt.Fprint(w, `{"step":"resultPage","paymentRequestId":"P","state":"paid","redirect":{"to":"home"}}`)
		}
	}))
	app.Header.Set("Authorization", "Bearer alice")
	app.Consent, app.Source, app.Proof = true, "card-1", "1234"
	if _, err := app.ScanCode(t.Context(), "a code"); err != nil {
		t.Fatal(err)
	}
	want := []string{
		`{"amount":{"currency":"JPY","value":"1"},"paymentRequestId":"P","proof":"1234","source":"card-1"}`,
		`{"amount":{"currency":"JPY","value":"2"},"consent":true,"paymentRequestId":"P","proof":"1234","source":"card-1"}`,
	}
	if !slices.Equal(bodies, want) {
		t.Errorf("%q", bodies)
	}
}
