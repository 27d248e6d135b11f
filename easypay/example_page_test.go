package easypay_test

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/easypay"
)

var form = template.Must(template.New("").Parse(`<form method="post">
<p>{{.Record.Order.Merchant.MerchantName}}: {{.Record.Amounts.Debit}}, {{.TriesLeft}} tries left</p>
<input name="pin"><button name="do" value="pin">Pay</button>
<button name="do" value="resend">New code</button><button name="do" value="leave">Leave</button></form>`))

// verificationPage serves "/verify/{link}".
func verificationPage(pay *easypay.Service, pin func(context.Context, payment.Record, string) (bool, error), sms func(context.Context, payment.Record) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("Cache-Control", "no-store")
		var page easypay.Page
		var err error
		link, ctx := alipayplus.Conceal(r.PathValue("link")), r.Context()
		switch r.PostFormValue("do") {
		case "pin":
			page, err = pay.Verify(ctx, link, func(ctx context.Context, p payment.Record) (bool, error) {
				return pin(ctx, p, r.PostFormValue("pin"))
			})
		case "resend":
			page, err = pay.Resend(ctx, link, sms)
		case "leave":
			page, err = pay.GiveUp(ctx, link)
		default:
			page, err = pay.Page(ctx, link)
		}
		switch {
		case errors.Is(err, easypay.ErrLink):
			http.NotFound(w, r)
		case err != nil:
			http.Error(w, "Please try again.", http.StatusServiceUnavailable)
		case !page.Redirect.IsZero():
			http.Redirect(w, r, page.Redirect.Reveal(), http.StatusSeeOther)
		default:
			_ = form.Execute(w, page)
		}
	})
}

// The verification page of a wallet, as its user sees it.
func ExampleService_Verify() {
	service, link := openedPayment() // a creation was answered with this link
	mux := http.NewServeMux()
	mux.Handle("/verify/{link}", verificationPage(service,
		func(_ context.Context, p payment.Record, pin string) (bool, error) {
			return p.CustomerID == "customer-1" && pin == "1234", nil // yours: locked per customer
		},
		func(context.Context, payment.Record) error { return nil }, // yours
	))
	browse := func(method, link string, values url.Values) {
		r := httptest.NewRequestWithContext(context.Background(), method, "/verify/"+link, strings.NewReader(values.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		answer := httptest.NewRecorder()
		mux.ServeHTTP(answer, r)
		_, text, _ := strings.Cut(answer.Body.String(), "<p>")
		text, _, _ = strings.Cut(text, "</p>")
		fmt.Println(answer.Code, text+answer.Header().Get("Location"))
	}
	browse(http.MethodGet, link, nil)
	browse(http.MethodPost, link, url.Values{"do": {"pin"}, "pin": {"0000"}})
	browse(http.MethodPost, link, url.Values{"do": {"resend"}})
	browse(http.MethodPost, link, url.Values{"do": {"pin"}, "pin": {"1234"}})
	browse(http.MethodGet, link, nil)
	browse(http.MethodGet, "PR-1", nil)
	// Output:
	// 200 Example Shoes: HKD 58.00, 3 tries left
	// 200 Example Shoes: HKD 58.00, 2 tries left
	// 200 Example Shoes: HKD 58.00, 2 tries left
	// 303 https://pay.example/result?session=%2B&status=success
	// 303 https://pay.example/result?session=%2B&status=success
	// 404
}
