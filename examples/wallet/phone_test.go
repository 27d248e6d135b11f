package main

import (
	"image/png"
	"regexp"
	"strings"
	"testing"

	qr "github.com/piglig/go-qr"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// says fails if a page does not have a text.
func (v *visitor) says(page, text string) {
	v.Helper()
	if !strings.Contains(page, text) {
		v.Fatalf("%q is not in %s", text, page)
	}
}

// A window that still shows the PIN page of one order does not pay another one,
// which the phone shows in another window.
func TestTwoWindows(t *testing.T) {
	t.Parallel()
	v := visit(t, startWallet(t))
	v.post("/phone/scan", "goods", "order")
	v.says(v.post("/phone/agree"), "HKD 255.18 to Example Shoes")
	old := v.turn
	v.post("/phone/scan", "goods", "surcharge")
	v.says(v.post("/phone/agree"), "HKD 214.92 to Island Ferry")
	now := v.turn
	v.turn = old
	page := v.post("/phone/pin", "pin", "1234")
	v.says(page, "another window")
	v.says(page, "HKD 214.92 to Island Ferry")
	v.says(v.get("/books"), "debited HKD 0.00")
	v.turn = now
	v.says(v.post("/phone/pin", "pin", "1234"), "Paid")
	v.turn = now // a second click
	v.post("/phone/pin", "pin", "1234")
	v.says(v.get("/books"), "debited HKD 214.92")
}

// What was paid last is the first in the history, whenever the shop placed the
// order.
func TestHistory(t *testing.T) {
	t.Parallel()
	v := visit(t, startWallet(t))
	pay := func(goods string) {
		t.Helper()
		v.post("/phone/scan", "goods", goods)
		v.post("/phone/agree")
		v.says(v.post("/phone/pin", "pin", "1234"), "Paid")
	}
	for range 4 {
		v.post("/phone/new", "goods", "order")
		v.post("/phone/new", "goods", "surcharge")
		pay("surcharge")
		pay("order")
		page := v.post("/phone/home")
		if later, earlier := strings.Index(page, "Example Shoes"), strings.Index(page, "Island Ferry"); later < 0 || later > earlier {
			t.Fatalf("the payments are in another order: %s", page)
		}
	}
}

// Reloading the page while the phone waits does not wait, too.
func TestReload(t *testing.T) {
	t.Parallel()
	v := visit(t, startWallet(t))
	v.post("/faults", "api", "userInitiatedPay", "kind", "slow", "count", "1")
	r := request(t, v.home+"/phone/scan", "goods", "order", "turn", v.turn)
	r.Header.Set("X-Wallet-Token", v.token)
	scanned := make(chan error, 1)
	go func() {
		response, err := v.client.Do(r)
		if err == nil {
			err = response.Body.Close()
		}
		scanned <- err
	}()
	v.eventually("/", regexp.MustCompile(`data-screen="busy"`))
	if err := <-scanned; err != nil {
		t.Fatal(err)
	}
	v.eventually("/", regexp.MustCompile(`data-screen="cashier"`))
}

// A one-click payment without an answer may be paid: the shop does not sell it
// again before it knows.
func TestOneClickWithoutAnswer(t *testing.T) {
	for _, test := range []struct{ name, fault, then, books string }{
		{"the answers get lost", "answer", "are paid", "debited HKD 286.94"},
		{"the requests get lost", "request", "took this order back", "debited HKD 143.47"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			v := visit(t, startWallet(t))
			v.post("/phone/store")
			page := v.post("/phone/checkout", "login", users[0].LoginID, "remember", "yes")
			v.post("/phone/otp", "otp", regexp.MustCompile(`class="otp">([0-9]{6})`).FindStringSubmatch(page)[1])
			v.eventually("/phone", regexp.MustCompile("are paid"))
			v.post("/phone/store")
			v.eventually("/phone", regexp.MustCompile("wallet is connected"))
			v.post("/faults", "api", "pay", "kind", test.fault, "count", "-1")
			v.says(v.post("/phone/oneclick"), `data-screen="shop"`)
			v.eventually("/phone", regexp.MustCompile(test.then))
			v.says(v.eventually("/books", regexp.MustCompile(`class="good"`)), test.books)
		})
	}
}

// An amount is read as it was meant, or not at all.
func TestParseAmount(t *testing.T) {
	for _, test := range []struct {
		text  string
		in    alipayplus.Currency
		minor int64 // 0: refused
	}{
		{"1200", "JPY", 1200},
		{" 1,200 ", "JPY", 1200},
		{"1,000,000", "JPY", 1_000_000},
		{"1000001", "JPY", 0},
		{"85.5", "THB", 85_50},
		{"85.50", "THB", 85_50},
		{"85.", "THB", 85_00},
		{"1,234.56", "THB", 1_234_56},
		{"1000000", "THB", 1_000_000_00},
		{"0.01", "THB", 1},
		{"85,50", "THB", 0}, // not 8550
		{"1.234,56", "THB", 0},
		{"85.505", "THB", 0},
		{"1.5", "JPY", 0},
		{"0", "JPY", 0},
		{"-5", "JPY", 0},
		{"+5", "JPY", 0},
		{"1e3", "JPY", 0},
		{"１２", "JPY", 0},
		{"", "JPY", 0},
		{"99999999999999999999", "JPY", 0},
	} {
		if minor, ok := parseAmount(test.text, test.in); ok != (test.minor != 0) || ok && minor != test.minor {
			t.Errorf("%s %q: %d %v, want %d", test.in, test.text, minor, ok, test.minor)
		}
	}
}

// The pictures of the sheet hold the codes, as a camera reads them.
func TestPictures(t *testing.T) {
	t.Parallel()
	v := visit(t, startWallet(t))
	for _, g := range sheet {
		picture, err := png.Decode(strings.NewReader(v.get("/sheet/" + g.ID + ".png")))
		if err != nil {
			t.Fatalf("%s: %v", g.ID, err)
		}
		code, err := qr.Decode(picture)
		if err != nil || code == "" || g.fixed != "" && code != g.fixed {
			t.Errorf("%s: %q %v", g.ID, code, err)
		}
		// To paste a code is to scan it.
		clicked := screenOf(v.post("/phone/scan", "goods", g.ID))
		if pasted := screenOf(v.post("/phone/scan", "code", code)); pasted != clicked && g.life == 0 {
			t.Errorf("%s: pasted it leads to %q, clicked to %q", g.ID, pasted, clicked)
		}
	}
}

func screenOf(page string) string {
	return regexp.MustCompile(`data-screen="[a-z]+"`).FindString(page)
}

// A wallet at any address of this machine answers there.
func TestLoopbackAddress(t *testing.T) {
	t.Parallel()
	home := start(t, options{listen: "127.0.0.2:0"})
	v := visit(t, home)
	v.says(v.post("/phone/scan", "goods", "order"), "HKD 255.18")
}
