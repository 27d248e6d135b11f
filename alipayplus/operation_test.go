package alipayplus_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// panics returns what f panics with, nil if it does not.
func panics(f func()) (v any) {
	defer func() { v = recover() }()
	f()
	return nil
}

// A declaration that can never work shows when its package loads.
func TestDeclarationRules(t *testing.T) {
	type good struct{ Result alipayplus.Result }
	type without struct{ Code string }
	type wrong struct{ Result string }
	type embedded struct{ good }
	type q struct{}
	for rule, declare := range map[string]func(){
		"needs a name":        func() { alipayplus.NewOutbound(alipayplus.Spec[q, good]{Path: "/a"}) },
		"needs a path":        func() { alipayplus.NewOutbound(alipayplus.Spec[q, good]{Name: "x"}) },
		"begins with /":       func() { alipayplus.NewOutbound(alipayplus.Spec[q, good]{Name: "x", Path: "https://host/a"}) },
		"no field Result":     func() { alipayplus.NewOutbound(alipayplus.Spec[q, without]{Name: "x", Path: "/a"}) },
		"has no field Result": func() { alipayplus.NewOutbound(alipayplus.Spec[q, wrong]{Name: "x", Path: "/a"}) },
		"of type Result":      func() { alipayplus.NewOutbound(alipayplus.Spec[q, embedded]{Name: "x", Path: "/a"}) },
		"must be structs":     func() { alipayplus.NewOutbound(alipayplus.Spec[string, good]{Name: "x", Path: "/a"}) },
		"be structs":          func() { alipayplus.NewOutbound(alipayplus.Spec[q, *good]{Name: "x", Path: "/a"}) },
		"path that begins":    func() { decodeOrder.WithPath("a") },
	} {
		if v := fmt.Sprint(panics(declare)); !strings.Contains(v, rule) {
			t.Errorf("%s, want %q", v, rule)
		}
	}
	if v := panics(func() { alipayplus.NewOutbound(alipayplus.Spec[q, good]{Name: "x", Path: "/a"}) }); v != nil {
		t.Errorf("control: %v", v)
	}
}

func TestWithPath(t *testing.T) {
	wire := &tap{next: answers(bodyS)}
	moved := decodeOrder.WithPath("/v2/decode")
	if _, err := moved.Call(t.Context(), newClient(t, wire), &order{ID: "1"}); err != nil {
		t.Fatal(err)
	}
	if got := wire.requests()[0].target; got != "/v2/decode" || moved.Name() != "decodeOrder" || decodeOrder.Spec().Path != decodePath {
		t.Errorf("sent to %s", got)
	}
}

// A Message survives a database and a restart, to the byte.
func TestMessageAtRest(t *testing.T) {
	m, err := decodeOrder.Prepare(&order{ID: "P<1>&é\u2028", Code: alipayplus.Conceal("281666"), Payer: "C"})
	if err != nil {
		t.Fatal(err)
	}
	want := alipayplus.Message{Operation: "decodeOrder", Key: "P<1>&é\u2028", Path: decodePath,
		Body: alipayplus.Conceal("{\"id\":\"P<1>&é\u2028\",\"code\":\"281666\",\"payer\":\"C\"}")}
	want.Body = alipayplus.Conceal(strings.ReplaceAll(want.Body.Reveal(), "\u2028", `\u2028`)) // as encoding/json writes it
	if diff := cmp.Diff(want, m); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	m.URL, m.Timeout = "https://n.alipayplus.com/a", 3*time.Second
	if _, err := json.Marshal(m); err == nil || !strings.Contains(err.Error(), "MarshalBinary") {
		t.Error(err)
	}
	stored, err := m.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var again alipayplus.Message
	if err := again.UnmarshalBinary(stored); err != nil || !cmp.Equal(m, again) {
		t.Errorf("%v: %s", err, cmp.Diff(m, again))
	}
	for _, damaged := range []string{"", "{}", string(stored[:len(stored)-1]), `{"format":2,"value":{}}`, `{"format":1,"value":{"timeoutNs":"CANARY"}}`} {
		before := again
		if err := again.UnmarshalBinary([]byte(damaged)); err == nil || strings.Contains(err.Error(), "CANARY") || !cmp.Equal(again, before) {
			t.Errorf("%s: %v", damaged, err)
		}
	}
}

// Deliver sends exactly what it is given, and leaves it as it is.
func TestDeliver(t *testing.T) {
	wire := &tap{next: answers(bodyU, bodyF, bodyS)}
	c := newClient(t, wire, noRetry)
	m := alipayplus.Message{Operation: "x", Key: "1", Path: "/default", URL: "https://n.alipayplus.com/a?b", Body: alipayplus.Conceal("{ \"a\" : 1.0 }\n")}
	before := m
	var got []alipayplus.Outcome
	for range 3 {
		got = append(got, alipayplus.OutcomeOf(c.Deliver(t.Context(), m)))
	}
	want := []alipayplus.Outcome{alipayplus.OutcomeUnknown, alipayplus.OutcomeFailed, alipayplus.OutcomeSucceeded}
	if !cmp.Equal(got, want) || !cmp.Equal(m, before) {
		t.Errorf("%v, want %v", got, want)
	}
	for _, r := range wire.requests() {
		if r.body != "{ \"a\" : 1.0 }\n" || r.target != "/a?b" || r.host != "n.alipayplus.com" {
			t.Errorf("%+v", r)
		}
	}
}
