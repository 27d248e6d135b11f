package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// The verification page of Easy Pay is a page of its own, too, for a browser that
// Alipay+ sends there.
func TestVerificationPage(t *testing.T) {
	db, err := openDatabase(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.close(); err != nil {
			t.Error(err)
		}
	})
	alipay, err := newAlipay(db, newWire(), newFaults())
	if err != nil {
		t.Fatal(err)
	}
	gateway := httptest.NewServer(alipay)
	t.Cleanup(gateway.Close)
	server := httptest.NewUnstartedServer(nil)
	home := address(server.Listener)
	alipay.wallet = alipay.reach(home)
	wallet, err := newWallet(t.Context(), options{}, db, alipay.client(gateway.URL), home)
	if err != nil {
		t.Fatal(err)
	}
	if server.Config.Handler, err = newPage(t.Context(), wallet, alipay, home); err != nil {
		t.Fatal(err)
	}
	server.Start()
	t.Cleanup(server.Close)

	o, link, err := alipay.easyPay(t.Context(), users[0].LoginID, false)
	if err != nil {
		t.Fatal(err)
	}
	path := strings.TrimPrefix(link.Reveal(), home)
	v := visit(t, home)
	v.says(v.get(path), "HKD 143.47 to Gift Market")
	otp, _, err := wallet.otp(t.Context(), o.ID)
	if err != nil {
		t.Fatal(err)
	}
	wrong := "000000"
	if otp == wrong {
		wrong = "000001"
	}
	page := v.post(path, "otp", wrong)
	v.says(page, "That was not the code")
	v.says(page, "2 tries left")
	v.says(v.post(path, "action", "resend"), "new code is on its way")
	if otp, _, err = wallet.otp(t.Context(), o.ID); err != nil {
		t.Fatal(err)
	}
	v.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for range 2 { // a second click does not pay twice
		response, err := v.client.Do(request(t, home+path, "otp", otp))
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if to := response.Header.Get("Location"); response.StatusCode != http.StatusSeeOther || to != resultPage+o.ID+"?status=success" {
			t.Errorf("the right code leads to HTTP %d %s", response.StatusCode, to)
		}
	}
	v.says(v.get("/books"), "debited HKD 143.47")

	response, err := v.client.Get(home + verifyPath + "nothing")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusNotFound {
		t.Errorf("a link that is none: HTTP %d", response.StatusCode)
	}
}
