package main

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestPage looks at the page as a person does, in a browser. The parts have a
// wallet each.
func TestPage(t *testing.T) {
	chromium := startChromium(t)
	for _, part := range []struct {
		name string
		test func(*browser)
	}{
		{"Sheet", everyCode},
		{"EasyPay", easyPay},
		{"Switches", someSwitches},
		{"Operators", operatorsWork},
		{"Keyboard", keyboardAlone},
		{"Narrow", func(b *browser) { looks(b, 360) }},
		{"Wide", func(b *browser) { looks(b, 1280) }},
	} {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			b := open(t, chromium, startWallet(t), 1280, "light")
			part.test(b)
			b.booksAgree()
		})
	}
	if *long {
		t.Run("EverySwitch", func(t *testing.T) {
			b := open(t, chromium, startWallet(t), 1280, "light")
			everySwitch(b)
			b.booksAgree()
		})
	}
}

// booksAgree waits until everything is reported, and the books agree: first by
// what the wallet says now, then on the page, which is told a little later.
func (b *browser) booksAgree() {
	b.Helper()
	agree := regexp.MustCompile(`class="good"(?s:.)*differences 0<`)
	fresh := visitor{T: b.T, home: b.home, client: http.DefaultClient}
	now := fresh.eventually("/books", agree)
	reported := regexp.MustCompile(`reported \d+`).FindString(now)
	b.until("books that agree", fmt.Sprintf(`document.querySelector("#books .good") && document.querySelector("#books").innerText.includes(%q)`, reported))
}

// pays agrees on the cashier page and enters the PIN, until the shop knows.
func (b *browser) pays() {
	b.Helper()
	b.on("cashier")
	b.act("agree")
	b.pin("1234")
	b.on("result")
	b.says("#phone", "Paid")
	b.act("back")
	b.says("#phone", "are paid")
}

// everyCode scans every code of the sheet.
func everyCode(b *browser) {
	ends := map[string]struct {
		cashier []string // what the cashier page shows; nil: there is none
		amount  string   // that is entered before
		screen  string   // in the end, without cashier page
		says    string
	}{
		"order":         {cashier: []string{"Example Shoes", "JPY 4,980", "HKD 255.18", "1 JPY = 0.05124 HKD"}},
		"entry":         {amount: "1200", cashier: []string{"Corner Noodles", "JPY 1,200", "HKD 61.49"}},
		"surcharge":     {cashier: []string{"THB 900.00", "HKD 208.62", "With surcharge", "HKD 214.92"}},
		"promotion":     {cashier: []string{"Autumn coupon", "HKD 17.50", "HKD 157.54"}},
		"consent":       {cashier: []string{"Daily Coffee", "may charge me later"}},
		"country":       {amount: "85.50", cashier: []string{"Example Noodles", "THB 85.50"}},
		"countryamount": {cashier: []string{"Example Noodles", "THB 120.00"}},
		"hurry":         {cashier: []string{"Quick Kiosk"}},
		"limit":         {screen: "sdkpage", says: "above the limit"},
		"expired":       {screen: "failed", says: "expired"},
		"closed":        {screen: "failed", says: "cannot be paid"},
		"phishing":      {screen: "unsupported", says: "do not know this code"},
		"blocked":       {screen: "rejected", says: "blocklist"},
		"foreign":       {screen: "unsupported", says: "do not know this code"},
		"local":         {screen: "local", says: "code of ours"},
	}
	for _, g := range sheet {
		end, ok := ends[g.ID]
		if !ok {
			b.Errorf("the code %q of the sheet is not tested", g.ID)
			continue
		}
		b.scan(g.ID)
		if end.cashier == nil {
			b.on(end.screen)
			b.says("#phone", end.says)
			continue
		}
		if end.amount != "" {
			b.on("amount")
			b.fill("#amount", end.amount)
			b.act("amount")
		}
		b.on("cashier")
		for _, text := range end.cashier {
			b.says("#phone", text)
		}
		if g.ID == "consent" {
			b.click(`#phone input[name="consent"]`)
		}
		b.pays()
	}

	// The same order again: its result, and nothing is debited.
	b.booksAgree()
	before := b.text("#books")
	b.goHome()
	b.act("camera")
	b.on("scan")
	b.click(`[data-goods="order"]`)
	b.on("result")
	b.says("#phone", "Paid")
	b.goHome()
	if after := b.text("#books"); after != before {
		b.Errorf("the books changed: %q, before %q", after, before)
	}

	b.act("camera")
	b.on("scan")
	b.fill("#code", "WIFI:S:guests;;")
	b.click(`.paste button`)
	b.on("unsupported")

	// The agreement of the order with consent, ended in the wallet.
	b.goHome()
	b.act("shops")
	b.says("#phone", "Daily Coffee")
	b.act("unbind")
	b.says("#phone", "cannot charge you any more")
	b.says("#phone", "No shop can charge you")

	// Too little money: the user may try again.
	b.goHome()
	b.run("another user", chromedpSelect("#user", "bob"))
	b.says("#phone", "HKD 1,000.00")
	b.scan("entry")
	b.on("amount")
	b.fill("#amount", "30000")
	b.act("amount")
	b.on("cashier")
	b.act("agree")
	b.pin("4321")
	b.says(".error", "balance")
	b.pin("1234")
	b.says(".error", "not your PIN")
}

// easyPay buys in the online shop, with all that can happen on the way.
func easyPay(b *browser) {
	b.act("store")
	b.on("store")
	b.fill("#login", "852-00000000")
	b.act("checkout")
	b.says("#phone", "No Harbour wallet has this phone number")
	b.fill("#login", users[0].LoginID)
	b.act("checkout")
	b.on("verify")
	first := b.text(".otp")
	wrong := "000000"
	if first == wrong {
		wrong = "000001"
	}
	b.fill("#otp", wrong)
	b.act("otp")
	b.says("#phone", "was not the code")
	b.says("#phone", "2 tries left")
	b.act("resend")
	b.says("#phone", "new code is on its way")
	b.fill("#otp", b.text(".otp"))
	b.act("otp")
	b.on("shop")
	b.says("#phone", "are paid")

	b.act("store")
	b.says("#phone", "wallet is connected")
	b.act("oneclick")
	b.on("shop")
	b.says("#phone", "are paid")
	b.act("store")
	b.act("forget")
	b.says("#phone", "does not remember")

	// Again, ended in the wallet this time; and once given up.
	b.act("checkout")
	b.on("verify")
	b.act("giveup")
	b.on("shop")
	b.says("#phone", "was not paid")
	b.act("store")
	b.act("checkout")
	b.on("verify")
	b.fill("#otp", b.text(".otp"))
	b.act("otp")
	b.says("#phone", "are paid")
	b.until("the token to be reported", `[...document.querySelectorAll(".msg .op")].filter(e => e.textContent.includes("authNotify answer")).length == 2`)
	b.goHome()
	b.act("shops")
	b.says("#phone", "Gift Market")
	b.act("unbind")
	b.says("#phone", "cannot charge you any more")
}

// operatorsWork refunds and cancels as Alipay+ does, with faults.
func operatorsWork(b *browser) {
	b.scan("order")
	b.pays()
	b.booksAgree()
	ops := func(action, part string) {
		b.Helper()
		b.click(fmt.Sprintf(`#operators .payments li:first-child button[formaction="/operators/%s"]%s`, action, part))
	}
	b.until("the payment", `document.querySelector('#operators .payments')`)
	ops("inquire", "")
	b.says("#operators", "the payment is S SUCCESS")
	b.arm("refund", "answer", "1")
	ops("refund", `[name="part"]`)
	b.says("#operators", "refund; the wallet answered S SUCCESS")
	b.says("#operators .payments", "HKD 85.06 given back")
	b.arm("cancelPayment", "duplicate", "1")
	ops("cancel", "")
	b.says("#operators", "cancelPayment; the wallet answered S SUCCESS")
	b.says("#operators .payments", "HKD 255.18 given back")
	b.goHome()
	b.says("#phone", "Given back")
	b.act("camera")
	b.click(`[data-goods="order"]`)
	b.says("#phone", "This order is closed") // Alipay+ repeats its answer; the wallet knows better
	b.act("back")
	b.says("#phone", "took this order back")
	b.arm("inquiryPayment", "tamper", "1")
	ops("inquire", "")
	b.says("#operators", "the payment is F ORDER_IS_CLOSED")
	b.says("#messages", "not verified")

	// A message tells how it is signed.
	b.click(".msg > details > summary")
	b.click(".msg .why > summary")
	b.says(".msg .why", "RSA with SHA-256")
}

// A page that outlives its wallet says so, and begins anew with the next one.
func TestRestart(t *testing.T) {
	chromium := startChromium(t)
	home, stop := begin(t, options{listen: "127.0.0.1:0"})
	defer stop()
	b := open(t, chromium, home, 1280, "light")
	b.scan("order")
	b.pays()
	b.booksAgree()
	// A page that shows something of the next wallet under its own old name is
	// noticed, also if it looks all the time.
	b.run("watch", chromedp.Evaluate[chromedp.Void](`sessionStorage.clear(); setInterval(async () => {
		await look("books");
		if ($("books").innerText.includes("reported 0")) sessionStorage.setItem("mixed", "yes");
	}, 20)`))
	old := value[string](b, `meta("start")`)
	b.mu.Lock()
	b.away = true
	b.mu.Unlock()
	stop()
	b.says("#books", "The wallet does not answer")
	_, stop = begin(t, options{listen: strings.TrimPrefix(home, "http://")})
	defer stop()
	b.until("the page of the next wallet", fmt.Sprintf(`meta("start") !== %q`, old))
	b.ready()
	b.run("back", chromedp.Evaluate[chromedp.Void](`console.log("`+backAgain+`")`))
	b.says("#books", "reported 0") // it begins with an empty database
	if value[bool](b, `sessionStorage.getItem("mixed") !== null`) {
		b.Error("the old page showed the next wallet's books")
	}
	b.scan("order")
	b.pays()
}
