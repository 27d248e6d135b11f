package alipayplustest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// Misbehave lets chance decide about every exchange from now on: about half of
// them meet a fault. Whatever happens, a signed S or F is the truth, what the
// function of Answer said; a U or no answer says nothing. So a test of a wallet
// holds for every seed: call until S or F, and compare both sides.
//
//	g.Misbehave(rand.Uint64())
//
// The seed is given to the Logf of the Gateway's TB, if it has one; go test
// shows it when the test fails. The same seed gives the same faults to the same
// exchanges in the same order, so that a test which calls from one goroutine
// repeats exactly.
//
// A call of the wallet may meet: a refused connection, a 502, an answer S, F or
// U that is unsigned or half signed; a signed U without or after processing; a
// signed time an hour away; a lost request, or one that arrives after all,
// before a later call; a lost, cut or changed answer; an answer with members in
// another order and with members that no version knows; a delivery that is
// repeated later. Faults that Fail has queued come first. No fault waits; the
// wallet's retries do, so run the test in testing/synctest or with a small
// Backoff.Base.
//
// A request of Send may be delivered a second time, at once or before a later
// Send. If the API has an Idempotency and the second answer is another S or F
// than the first, that is an error of the test.
func (g *Gateway) Misbehave(seed uint64) {
	if tb, ok := g.tb.(interface {
		Logf(format string, args ...any)
	}); ok {
		tb.Logf("alipayplustest: Misbehave(%d)", seed)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mischief = &mischief{random: rand.New(rand.NewPCG(seed, seed))} //nolint:gosec // repeatable by its seed
}

// mischief draws the faults and holds back the deliveries that come late.
type mischief struct {
	mu     sync.Mutex
	random *rand.Rand
	calls  []late // of the wallet, to Alipay+
	sends  []late // of Alipay+, to the wallet
}

// late is a delivery that is still to come.
type late struct {
	after   int // so many further exchanges
	deliver func()
}

// next counts an exchange and returns the deliveries that are due before it,
// and the random numbers of its own.
func (m *mischief) next(queue *[]late) (due []func(), chance *rand.Rand) {
	m.mu.Lock()
	defer m.mu.Unlock()
	*queue = slices.DeleteFunc(*queue, func(l late) bool {
		if l.after == 0 {
			due = append(due, l.deliver)
		}
		return l.after == 0
	})
	for i := range *queue {
		(*queue)[i].after--
	}
	// One draw for each exchange, whatever it is used for: exchanges do not shift
	// one another's chance.
	return due, rand.New(rand.NewPCG(m.random.Uint64(), 0)) //nolint:gosec // repeatable by its seed
}

func (m *mischief) postpone(queue *[]late, after int, deliver func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	*queue = append(*queue, late{after, deliver})
}

// fault returns the next fault of a call, nil for none. A request that must not
// be sent twice is never delivered twice.
func (m *mischief) fault(repeatable bool) (due []func(), fault Fault) {
	due, chance := m.next(&m.calls)
	if chance.IntN(2) == 0 {
		return due, nil
	}
	result := func(code alipayplus.ResultCode) Fault { return Unsigned(code.Result()) }
	faults := []Fault{
		RefuseConnection(),
		LoseRequest(),
		m.deliverLate(chance, false),
		LoseAnswer(),
		Truncate(chance.IntN(200)),
		flipBit(chance),
		HalfSigned(),
		BadGateway(),
		result(alipayplus.CodeSuccess),
		result(alipayplus.CodeProcessFail),
		result(alipayplus.CodeUnknownException),
		Unknown(alipayplus.CodeUnknownException),
		Unknown(alipayplus.CodeRequestTrafficExceedLimit),
		unknownAfter(),
		Stale(time.Hour),
		Stale(-time.Hour),
		scrambled(chance),
		scrambled(chance), // what a new release of Alipay+ looks like
		LoseAnswer(),
		m.deliverLate(chance, true),
	}
	if !repeatable {
		faults = faults[:len(faults)-1]
	}
	return due, faults[chance.IntN(len(faults))]
}

// deliverLate delivers the request before a later exchange: now, too, or only
// then, so that the wallet sees a lost connection.
func (m *mischief) deliverLate(chance *rand.Rand, now bool) Fault {
	after := chance.IntN(3)
	return func(r *http.Request, serve func(*http.Request) *http.Response) (*http.Response, error) {
		again := r.WithContext(context.WithoutCancel(r.Context()))
		m.postpone(&m.calls, after, func() { _ = serve(again).Body.Close() })
		if now {
			return serve(r), nil
		}
		return nil, errLost
	}
}

// unknownAfter makes a fault where Alipay+ processes the request and then does
// not know what came of it.
func unknownAfter() Fault {
	return func(r *http.Request, serve func(*http.Request) *http.Response) (*http.Response, error) {
		serve(r)
		at := gatewayOf(r)
		return at.g.sign(at.target, resultBody(alipayplus.CodeUnknownException.Result()), time.Now()), nil
	}
}

// flipBit makes a fault where one bit of what is signed arrives changed.
func flipBit(chance *rand.Rand) Fault {
	where, at := chance.IntN(3), chance.Uint64()
	flip := func(text []byte) { text[at%uint64(len(text))] ^= 1 }
	return func(r *http.Request, serve func(*http.Request) *http.Response) (*http.Response, error) {
		response := serve(r)
		if name := [...]string{"", "Response-Time", "Client-Id"}[where]; name != "" {
			value := []byte(response.Header.Get(name))
			flip(value)
			response.Header.Set(name, string(value))
			return response, nil
		}
		body, err := io.ReadAll(response.Body)
		if err != nil {
			return nil, err
		}
		flip(body)
		response.Body = io.NopCloser(bytes.NewReader(body))
		return response, nil
	}
}

// scrambled makes a fault where the answer has its members in another order,
// and some that no version of the SDK knows. It is signed like that.
func scrambled(chance *rand.Rand) Fault {
	return func(r *http.Request, serve func(*http.Request) *http.Response) (*http.Response, error) {
		body, err := io.ReadAll(serve(r).Body)
		if err != nil {
			return nil, err
		}
		at := gatewayOf(r)
		return at.g.sign(at.target, scramble(chance, body), time.Now()), nil
	}
}

var strangeMembers = []string{`"unknownText":"x"`, `"unknownObject":{"a":["1",{"b":"2"}]}`, `"unknownFlag":true`, `"unknownNumber":17.5`, `"unknownNull":null`}

// scramble shuffles the members of every object in raw and adds strange ones.
func scramble(chance *rand.Rand, raw []byte) []byte {
	var members map[string]json.RawMessage
	var items []json.RawMessage
	switch {
	case bytes.HasPrefix(raw, []byte("{")) && json.Unmarshal(raw, &members) == nil:
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(members)) {
			parts = append(parts, string(must(json.Marshal(name)))+":"+string(scramble(chance, members[name])))
		}
		if len(parts) > 0 && chance.IntN(2) == 0 {
			parts = append(parts, strangeMembers[chance.IntN(len(strangeMembers))])
		}
		chance.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
		return join('{', parts, '}')
	case bytes.HasPrefix(raw, []byte("[")) && json.Unmarshal(raw, &items) == nil:
		parts := make([]string, len(items))
		for i := range items {
			parts[i] = string(scramble(chance, items[i]))
		}
		return join('[', parts, ']')
	}
	return raw
}

func join(first byte, parts []string, last byte) []byte {
	out := []byte{first}
	for i, part := range parts {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, part...)
	}
	return append(out, last)
}

// send serves an inbound request of Send, maybe twice, after what is due. same
// says that two final answers to it must be the same.
func (g *Gateway) send(ctx context.Context, name string, same bool, h http.Handler, r *http.Request) ([]byte, error) {
	g.mu.Lock()
	m := g.mischief
	g.mu.Unlock()
	if m == nil {
		return g.Exchange(h, r)
	}
	due, chance := m.next(&m.sends)
	for _, deliver := range due {
		deliver()
	}
	answer, err := g.Exchange(h, r)
	if err != nil {
		return nil, err
	}
	again := func() {
		second, err := g.Exchange(h, r.WithContext(context.WithoutCancel(ctx)))
		if err == nil && same && final(answer) && final(second) && !bytes.Equal(answer, second) {
			g.tb.Errorf("alipayplustest: a repeated %s got another answer than the first", name)
		}
	}
	switch chance.IntN(4) {
	case 0:
		again()
	case 1:
		m.postpone(&m.sends, chance.IntN(3), again)
	}
	return answer, nil
}

func final(answer []byte) bool {
	status := statusIn(answer)
	return status == alipayplus.StatusSucceeded || status == alipayplus.StatusFailed
}
