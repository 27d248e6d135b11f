package alipayplus_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
	"github.com/alipayplus-mpp/alipayplus-go/codeid"
	secrets "github.com/alipayplus-mpp/alipayplus-go/internal/canary"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
)

// Every API that the SDK calls, with an answer in which all members are filled:
// from an answer that does not verify nothing reaches the caller.
func TestUnverifiedNeverReachesTheCaller(t *testing.T) {
	tested := map[string]bool{
		probe(t, mpm.UserInitiatedPay):    true,
		probe(t, payment.NotifyPayment):   true,
		probe(t, codeid.InquiryCodeRules): true,
		probe(t, auth.AuthNotify):         true,
		probe(t, auth.ConsultUnbinding):   true,
	}
	for _, name := range outboundNames(t) {
		if !tested[name] {
			t.Errorf("%s is not tested here", name)
		}
	}
}

// outboundNames finds the APIs in the sources, so that none is forgotten.
func outboundNames(t *testing.T) (names []string) {
	declaration := regexp.MustCompile(`alipayplus\.NewOutbound\(alipayplus\.Spec\[[^\]]*\]\{\s*Name:\s*"([^"]+)"`)
	err := fs.WalkDir(os.DirFS(".."), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		if strings.HasPrefix(path, "examples/") {
			return nil
		}
		source, err := os.ReadFile(filepath.Join("..", path))
		for _, m := range declaration.FindAllStringSubmatch(string(source), -1) {
			names = append(names, m[1])
		}
		return err
	})
	if err != nil || len(names) < 5 {
		t.Fatalf("%d APIs found: %v", len(names), err)
	}
	return names
}

// probe calls op's answer side with every way in which an answer can fail to
// verify. The request does not matter here, so it is an empty one.
func probe[Req, Resp any](t *testing.T, op *alipayplus.Outbound[Req, Resp]) (name string) {
	t.Helper()
	spec := op.Spec()
	call := alipayplus.NewOutbound(alipayplus.Spec[struct{}, Resp]{Name: spec.Name, Path: spec.Path, ReadOnly: true})
	var full Resp
	// A result comes later: an answer that is one alone holds no text.
	filled := secrets.Fill(reflect.ValueOf(&full).Elem(), canary,
		alipayplus.Result{}, alipayplus.Amount{Currency: "JPY", Minor: 1}, testkit.Must(alipayplus.ParseTime(sampleTime)), alipayplus.True)
	t.Logf("%s: %d texts", spec.Name, filled)
	raw, err := alipayplus.Marshal(full)
	if err != nil {
		t.Fatalf("%s: %v", spec.Name, err)
	}
	for _, status := range []string{"S", "F", "U"} {
		var members map[string]json.RawMessage
		if err := json.Unmarshal(raw, &members); err != nil {
			t.Fatal(err)
		}
		members["result"] = json.RawMessage(fmt.Sprintf(`{"resultCode":%q,"resultStatus":%q,"resultMessage":%[1]q}`, canary, status))
		body := string(testkit.Must(json.Marshal(members)))
		synctest.Test(t, func(t *testing.T) {
			now := time.Now()
			seal := func(at time.Time) http.Header { return signedHeader(spec.Path, stamp(at), body) }
			gateway := &fixedAnswer{200, seal(now), body}
			c := newClient(t, gateway, noRetry)
			// Control: verified, all of it arrives.
			answer, err := call.Call(t.Context(), c, &struct{}{})
			if status != "S" {
				answer, _ = call.AnswerIn(err)
			}
			if answer == nil || countCanaries(reflect.ValueOf(answer)) < filled {
				t.Fatalf("%s %s: control: %v of %d members arrived, %v", spec.Name, status, answer, filled, err)
			}
			spoilt := map[string]http.Header{
				"unsigned": {}, "another body": signedHeader(spec.Path, stamp(now), body+" "), "stale": seal(now.Add(-time.Hour)),
				"a stranger's": {"Client-Id": {clientID}, "Response-Time": {stamp(now)}, "Signature": {signByHand(testkit.Keys().Stranger, "POST", spec.Path, clientID, stamp(now), body)}},
			}
			for _, missing := range []string{"Client-Id", "Response-Time", "Signature"} {
				h := seal(now)
				h.Del(missing)
				spoilt["without "+missing] = h
			}
			for how, header := range spoilt {
				for _, code := range []int{200, 400, 500} {
					gateway.header, gateway.status = header, code
					var info alipayplus.Info
					answer, err := call.Call(t.Context(), c, &struct{}{}, alipayplus.WithInfo(&info))
					carried, ok := call.AnswerIn(err)
					if answer != nil || carried != nil || ok || err == nil {
						t.Errorf("%s %s, %s, HTTP %d: an answer reaches the caller", spec.Name, status, how, code)
					}
					if !info.Body.IsZero() && how != "stale" { // a stale one did verify
						t.Errorf("%s %s, %s, HTTP %d: Info.Body", spec.Name, status, how, code)
					}
					var e *alipayplus.Error
					if !errors.As(err, &e) {
						t.Fatal(err)
					}
					claimed := e.Claimed
					e.Claimed = alipayplus.Result{}
					if n := countCanaries(reflect.ValueOf(err)); n != 0 {
						t.Errorf("%s %s, %s, HTTP %d: %d members in the error beside Claimed", spec.Name, status, how, code, n)
					}
					if claimed.Message != "" {
						t.Errorf("%s %s, %s, HTTP %d: the claim has a message", spec.Name, status, how, code)
					}
				}
			}
		})
	}
	return spec.Name
}

// countCanaries counts the texts of Fill, wherever they are, also in
// unexported fields.
func countCanaries(v reflect.Value) (n int) {
	seen := map[uintptr]bool{}
	var walk func(reflect.Value)
	walk = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Pointer:
			if !v.IsNil() && !seen[v.Pointer()] {
				if v.Elem().Kind() != reflect.String { // a Secret's text is shared
					seen[v.Pointer()] = true
				}
				walk(v.Elem())
			}
		case reflect.Interface:
			walk(v.Elem())
		case reflect.String:
			n += bool2int(strings.Contains(v.String(), canary))
		case reflect.Struct:
			for i := range v.NumField() {
				walk(v.Field(i))
			}
		case reflect.Slice:
			if v.Type().Elem().Kind() == reflect.Uint8 {
				n += bool2int(strings.Contains(string(v.Bytes()), canary))
				return
			}
			for i := range v.Len() {
				walk(v.Index(i))
			}
		case reflect.Map:
			for it := v.MapRange(); it.Next(); {
				walk(it.Value())
			}
		default:
		}
	}
	walk(v)
	return n
}
