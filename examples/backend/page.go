package main

import (
	"context"
	"errors"
	"html/template"
	"log/slog"
	"net/http"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/easypay"
)

// verificationPage serves "/verify/{link}": the user of Easy Pay enters a PIN. A
// page for OTPs also has a button for service.Resend.
func verificationPage(service *easypay.Service, c customers) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Referrer-Policy", "no-referrer") // the link is a secret
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Security-Policy", "frame-ancestors 'none'")
		var page easypay.Page
		var err error
		link := alipayplus.Conceal(r.PathValue("link"))
		switch r.PostFormValue("do") {
		case "pay":
			page, err = service.Verify(r.Context(), link, func(ctx context.Context, p payment.Record) (bool, error) {
				return c.pin(ctx, p.CustomerID, r.PostFormValue("pin"))
			})
		case "leave":
			page, err = service.GiveUp(r.Context(), link)
		default:
			page, err = service.Page(r.Context(), link)
		}
		switch {
		case errors.Is(err, easypay.ErrLink):
			http.NotFound(w, r)
		case err != nil:
			slog.Error("verification page", "err", err)
			http.Error(w, "Please try again.", http.StatusServiceUnavailable)
		case !page.Redirect.IsZero():
			http.Redirect(w, r, page.Redirect.Reveal(), http.StatusSeeOther)
		default:
			_ = form.Execute(w, page)
		}
	}
}

var form = template.Must(template.New("").Parse(`<!doctype html>
<html lang="en"><meta name="viewport" content="width=device-width"><title>Confirm your payment</title>
<form method="post">
<p>{{.Record.Order.Merchant.MerchantName}}: {{.Record.Amounts.Debit}}</p>
{{with .Record.AuthorizationInfo.AuthClientID}}<p>From now on you pay this merchant with one click.</p>{{end}}
<p><label>PIN <input name="pin" type="password" inputmode="numeric" autocomplete="off"></label> ({{.TriesLeft}} tries left)</p>
<button name="do" value="pay">Pay</button> <button name="do" value="leave">Leave</button>
</form></html>
`))
