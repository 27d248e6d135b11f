package alipayplus_test

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// most is what one message may cost, from its first byte to its answer.
const most = 32 << 20

// inGreedy returns messages of n bytes, about, whose parts take more memory
// than text.
func inGreedy(n int, begin string) map[string]string {
	fill := func(before, part, after string) string {
		return begin + before + strings.Repeat(part+",", (n-len(begin)-200)/(len(part)+1)) + part + after
	}
	var names strings.Builder
	for i := 0; names.Len() < n-len(begin)-200; i++ {
		fmt.Fprintf(&names, `"%d":1,`, i)
	}
	promo := `{"promoId":"1","savingsAmount":{"currency":"HKD","value":"43"}}`
	return map[string]string{
		"goods that are numbers":      fill(`"order":{"goods":[`, `1`, `]}}`),
		"goods of one member":         fill(`"order":{"goods":[`, `{"referenceGoodsId":"1"}`, `]}}`),
		"goods with amounts":          fill(`"order":{"goods":[`, `{"goodsUnitAmount":{"currency":"JPY","value":"1"}}`, `]}}`),
		"promotions that are numbers": fill(`"paymentPromoInfo":{"paymentPromoDetails":[`, `1`, `]}}`),
		"promotions":                  fill(`"paymentPromoInfo":{"paymentPromoDetails":[`, promo, `]}}`),
		"members that nobody knows":   begin + names.String() + `"z":1}`,
		"objects that nobody knows":   fill(`"z":[`, `{"\u0061":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1,"k":1,"l":1,"m":1,"n":1,"o":1,"p":1,"q":1}`, `]}`),
		"a long text":                 begin + `"extendInfo":"` + strings.Repeat(`\u0061`, (n-len(begin)-200)/6) + `"}`,
	}
}

// A verified request of 1 MiB, and a verified answer of 4 MiB, cost less than
// 32 MiB of memory in all, whatever they hold.
func TestMessagesHaveABudget(t *testing.T) {
	n, highest := 0, uint64(0)
	measure := func(what string, run func()) {
		t.Helper()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		run()
		runtime.ReadMemStats(&after)
		took := after.TotalAlloc - before.TotalAlloc
		n, highest = n+1, max(highest, took)
		if took > most {
			t.Errorf("%s: %.1f MiB", what, float64(took)/(1<<20))
		}
	}
	cfg := inConfig()
	cfg.Signer = testkit.Unverified{Version: "7"}
	h := testkit.Must(alipayplus.NewHandler(cfg, payment.Pay.Handle("/x", func(context.Context, *payment.PayRequest) (*payment.PayResponse, error) {
		return &payment.PayResponse{PaymentID: "W", PaymentTime: alipayplus.TimeOf(time.Now())}, nil
	})))
	valid := strings.TrimSuffix(inOps()[0].body, "}") + ","
	for name, body := range inGreedy(1<<20, valid) {
		r := inArrive("/x", body).request()
		measure("a request with "+name, func() {
			if w := inServe(h, r); w.Code != http.StatusOK {
				t.Errorf("%s: HTTP %d", name, w.Code)
			}
		})
	}
	type answer struct {
		Result    alipayplus.Result `json:"result"`
		Order     payment.Order     `json:"order"`
		PromoInfo payment.PromoInfo `json:"paymentPromoInfo"`
	}
	ask := alipayplus.NewOutbound(alipayplus.Spec[order, answer]{Name: "ask", Path: "/ask", ReadOnly: true})
	for name, body := range inGreedy(4<<20, `{"result":{"resultStatus":"S"},`) {
		for _, signed := range []bool{true, false} {
			header := signedHeader("/ask", stamp(time.Now()), body)
			if !signed {
				header = http.Header{}
			}
			c := newClient(t, &fixedAnswer{200, header, body}, noRetry)
			measure(fmt.Sprintf("an answer with %s, signed %t", name, signed), func() { _, _ = ask.Call(t.Context(), c, &order{ID: "1"}) })
		}
	}
	t.Logf("%d messages of 1 MiB in and 4 MiB out that are made for it: at most %.1f MiB", n, float64(highest)/(1<<20))
}

// A request that is large and honest is served.
func TestLargeRequestsAreServed(t *testing.T) {
	ran := 0
	h := testkit.Must(alipayplus.NewHandler(inConfig(), payment.Pay.Handle("/x", func(_ context.Context, r *payment.PayRequest) (*payment.PayResponse, error) {
		ran = len(r.Order.Goods)
		return &payment.PayResponse{PaymentID: "W", PaymentTime: alipayplus.TimeOf(time.Now())}, nil
	})))
	good := `{"referenceGoodsId":"G%d","goodsName":"A good of the merchant, in its own words","goodsCategory":"food","goodsUnitAmount":{"currency":"JPY","value":"100"},"goodsQuantity":"1"}`
	var goods []string
	for i := range 5000 {
		goods = append(goods, fmt.Sprintf(good, i))
	}
	body := strings.TrimSuffix(inOps()[0].body, "}") + `,"order":{"goods":[` + strings.Join(goods, ",") + `]}}`
	if got, err := inResult(inServe(h, inArrive("/x", body).request()), "/x"); err != nil || got.Status != "S" || ran != 5000 {
		t.Errorf("%v %v, %d goods in %d bytes", got, err, ran, len(body))
	}
}
