package accept

import (
	"bytes"
	"net/http"
	"time"
)

var decodeFaultChecks = []check{
	{
		number: 131, name: "U and no answer: the identical decoding again, until S", needs: merchantMode,
		loses: "The user is told that a good code failed.", source: decodePage + "how to handle the result",
		run: func(s *scenario) {
			for _, f := range []fault{unknown, busy, unknownAfter, loseRequest, loseAnswer, badGateway, cut, strange} {
				o := s.order()
				o.decodeFaults = []fault{f}
				s.user(0).cashier(o)
				v := s.view(o)
				s.must(len(v.decodes) >= 2, "userInitiatedPay again after no final answer", "%d calls", len(v.decodes))
				for _, again := range v.decodes[1:] {
					s.must(bytes.Equal(again.body, v.decodes[0].body), "the identical request", "another body")
					s.must(!replayed(v.decodes[0], again), "each attempt is signed anew", "the same signature")
				}
			}
		},
	},
	forgedDecoding(132, "an unsigned order", func(o *order, forged object) fault { return answering(encode(forged)) }),
	forgedDecoding(133, "an order that is signed with a stranger's key", func(o *order, forged object) fault {
		return foreignKey(func(*exchange) []byte { return encode(forged) })
	}),
	forgedDecoding(134, "an order whose answer was changed on its way", func(o *order, forged object) fault {
		return func(x *exchange) *reply {
			r := x.sign(encode(o.answer))
			r.body = encode(forged)
			return r
		}
	}),
	forgedDecoding(135, "an order that is signed for another client", func(o *order, forged object) fault {
		return func(x *exchange) *reply {
			r := foreignClient(x)
			body := encode(forged)
			r.header = signed(x.a.cfg.Alipay.Keys[0], "Response-Time", x.target, "SOMEBODY_ELSE", stamp(time.Now()), body)
			r.body = body
			return r
		}
	}),
	forgedDecoding(136, "an order without its Response-Time", func(o *order, forged object) fault {
		return func(x *exchange) *reply {
			r := x.sign(encode(forged))
			r.header.Del("Response-Time")
			return r
		}
	}),
	forgedDecoding(137, "an order that was signed for another path", func(o *order, forged object) fault {
		return func(x *exchange) *reply {
			body := encode(forged)
			r := x.sign(body)
			r.header = signed(x.a.cfg.Alipay.Keys[0], "Response-Time", "/aps/api/v1/payments/notifyPayment", x.a.cfg.Wallet.ClientID, stamp(time.Now()), body)
			return r
		}
	}),
	{
		number: 138, name: "an order signed an hour ago is not taken", needs: []Capability{MerchantMode, Freshness},
		loses: "Who recorded an answer can play it again.", source: "Alipay+ API overview, Response-Time",
		run: func(s *scenario) {
			o := s.order()
			o.decodeFaults = []fault{stale}
			s.user(0).cashier(o)
			s.must(len(s.view(o).decodes) >= 2, "userInitiatedPay again after a stale answer", "%d calls", len(s.view(o).decodes))
		},
	},
	{
		number: 139, name: "an unsigned F does not end an order", needs: merchantMode,
		loses: "Anybody on the way, or a broken proxy, ends payments.", source: "Alipay+ API overview, signature of responses",
		run: func(s *scenario) {
			o := s.order()
			o.decodeFaults = []fault{answering(result("F", "ORDER_IS_CLOSED"))}
			// Not asked again within the call, so that pending is right, too.
			s.user(0).cashier(o)
		},
	},
	{
		number: 140, name: "a decoding that takes over 8 seconds is asked again", needs: merchantMode, slow: true,
		loses: "The user waits for ever.", source: "Alipay+ API overview, time-outs",
		run: func(s *scenario) {
			o := s.order()
			o.decodeFaults = []fault{slow(25 * time.Second)}
			began := time.Now()
			s.user(0).cashier(o)
			s.must(time.Since(began) < 20*time.Second, "the attempt is given up after 8 seconds", "the cashier page after %v", time.Since(began).Round(time.Second))
			s.must(len(s.view(o).decodes) >= 2, "another attempt", "%d", len(s.view(o).decodes))
		},
	},
	{
		number: 141, name: "a redirect of the gateway is not followed", needs: merchantMode, slow: true,
		loses: "Signed requests go where a stranger wants them.", source: "package alipayplus, what an answer means: one that is not signed decides nothing",
		run: func(s *scenario) {
			for _, status := range []int{http.StatusFound, http.StatusTemporaryRedirect} {
				o := s.order()
				o.decodeFaults = []fault{func(x *exchange) *reply {
					return &reply{status, http.Header{"Location": {x.a.cfg.Alipay.BaseURL + "/accept/elsewhere"}}, nil, false}
				}}
				s.user(0).cashier(o)
			}
		},
	},
}

// forgedDecoding returns an answer that must not be believed: it has another
// amount.
func forgedDecoding(number int, what string, forge func(o *order, forged object) fault) check {
	return check{
		number: number, name: what + " is not believed", needs: merchantMode,
		loses: "A stranger decides what the user pays, and to whom.", source: "Alipay+ API overview, signature of responses",
		run: func(s *scenario) {
			o := s.order()
			forged := object{}
			for name, value := range o.answer {
				forged[name] = value
			}
			forged["payToAmount"] = amount{s.cfg.Currency, "10"}.object()
			o.decodeFaults = []fault{forge(o, forged)}
			next := s.user(0).scan(o)
			s.must(next.Step != "cashier" || next.DebitAmount == o.debit, "the signed order or none", "%v over %v", next, next.DebitAmount)
			if next.Step == "cashier" {
				return
			}
			s.must(next.Step == "pending", "the signed order, or pending", "%v", next)
		},
	}
}
