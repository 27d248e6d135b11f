package accept

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"maps"
	mrand "math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// fault takes the place of one exchange. One that does not call x.process loses
// the request; nil is a connection that breaks.
type fault func(x *exchange) *reply

func next(faults *[]fault) fault {
	if len(*faults) == 0 {
		return nil
	}
	f := (*faults)[0]
	*faults = (*faults)[1:]
	return f
}

func loseRequest(*exchange) *reply { return nil }

func loseAnswer(x *exchange) *reply {
	x.process()
	return nil
}

// unknown returns a signed U; the request is not processed.
func unknown(x *exchange) *reply { return x.sign(result("U", "UNKNOWN_EXCEPTION")) }

func busy(x *exchange) *reply { return x.sign(result("U", "REQUEST_TRAFFIC_EXCEED_LIMIT")) }

// unknownAfter returns a signed U; the request was processed.
func unknownAfter(x *exchange) *reply {
	x.process()
	return unknown(x)
}

// strange returns a signed answer whose status is none that decides.
func strange(x *exchange) *reply {
	return x.sign(result("s", "SUCCESS"))
}

// answering returns an answer that somebody else gives: without a signature.
func answering(body []byte) fault {
	return func(*exchange) *reply { return unsigned(http.StatusOK, body) }
}

func badGateway(*exchange) *reply {
	return &reply{http.StatusBadGateway, http.Header{"Content-Type": {"text/html"}}, []byte("<html><h1>502 Bad Gateway</h1></html>"), false}
}

// tampered changes one letter of the signed answer.
func tampered(x *exchange) *reply {
	r := x.sign(x.process())
	r.body = bytes.Clone(r.body)
	if i := bytes.Index(r.body, []byte("MERCHANT01")); i >= 0 {
		r.body[i] = 'm'
	} else if i := bytes.Index(r.body, []byte("played")); i >= 0 {
		r.body[i] = 'P'
	}
	return r
}

// halfSigned returns an answer without its Response-Time.
func halfSigned(x *exchange) *reply {
	r := x.sign(x.process())
	r.header.Del("Response-Time")
	return r
}

// foreignClient returns an answer that is signed for another client.
func foreignClient(x *exchange) *reply {
	body := x.process()
	return &reply{http.StatusOK, signed(x.a.cfg.Alipay.Keys[0], "Response-Time", x.target, "SOMEBODY_ELSE", stamp(time.Now()), body), body, false}
}

// foreignKey returns an answer that is signed with a key that nobody knows.
func foreignKey(with func(x *exchange) []byte) fault {
	return func(x *exchange) *reply {
		return x.signWith(PrivateKey{x.a.cfg.Alipay.Keys[0].Version, strangersKey()}, with(x), time.Now())
	}
}

var strangersKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic("accept: " + err.Error())
	}
	return key
})

// stale returns an answer that was signed an hour ago.
func stale(x *exchange) *reply { return x.signAt(x.process(), time.Now().Add(-time.Hour)) }

// cut breaks the connection in the middle of the answer.
func cut(x *exchange) *reply {
	r := x.sign(x.process())
	r.cut = true
	return r
}

// slow answers after d.
func slow(d time.Duration) fault {
	return func(x *exchange) *reply {
		r := x.sign(x.process())
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			return r
		case <-x.ctx.Done():
			return nil
		}
	}
}

// scrambled returns the answer with its members in another order, native
// scalars and members that nobody knows.
func scrambled(x *exchange) *reply {
	return x.sign(scramble(x.process(), true))
}

// scramble rewrites JSON as a newer Alipay+ might write it.
func scramble(body []byte, natives bool) []byte {
	var v any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return body
	}
	return scrambleValue("", v, natives)
}

// scrambleValue rewrites the value of the member called name. With natives it
// writes amounts and booleans, which are strings today, as JSON numbers and
// booleans.
func scrambleValue(name string, v any, natives bool) []byte {
	switch v := v.(type) {
	case object:
		names := slices.Sorted(maps.Keys(v))
		slices.Reverse(names)
		parts := []string{`"unknownFlag":true`, `"unknownObject":{"a":["1",{"b":2.5}]}`, `"unknownNull":null`}
		for _, name := range names {
			parts = append(parts, string(encode(name))+": "+string(scrambleValue(name, v[name], natives)))
		}
		return []byte("{ " + strings.Join(parts, " ,\n") + " }")
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = string(scrambleValue("", v[i], natives))
		}
		return []byte("[" + strings.Join(parts, ", ") + "]")
	case string:
		if natives && (name == "value" || v == "true" || v == "false") {
			return []byte(v)
		}
	}
	return encode(v)
}

// mischief returns what may go wrong with a call, by chance.
func mischief(random *mrand.Rand) fault {
	all := []fault{loseRequest, loseAnswer, unknown, busy, unknownAfter, strange, badGateway, tampered, halfSigned, foreignClient, cut, scrambled,
		answering(result("S", "SUCCESS")), answering(result("F", "PROCESS_FAIL")), nil, nil}
	return all[random.IntN(len(all))]
}
