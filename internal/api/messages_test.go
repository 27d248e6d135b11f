package api

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
	"github.com/alipayplus-mpp/alipayplus-go/codeid"
	"github.com/alipayplus-mpp/alipayplus-go/internal/canary"
	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
)

// messages are the Go types of messages.txt.
var messages = []any{
	mpm.UserInitiatedPayRequest{}, mpm.UserInitiatedPayResponse{},
	payment.NotifyPaymentRequest{}, payment.NotifyPaymentResponse{},
	auth.TokenCreated{}, auth.TokenCanceled{}, auth.AuthCodeCreated{}, auth.AuthNotifyResponse{}, auth.Wallet{}, auth.WalletLogo{},
	auth.ConsultUnbindingRequest{}, auth.ConsultUnbindingResponse{},
	codeid.InquiryCodeRulesRequest{}, codeid.InquiryCodeRulesResponse{},
	payment.PayRequest{}, payment.PayResponse{},
	payment.InquiryPaymentRequest{}, payment.InquiryPaymentResponse{},
	payment.CancelPaymentRequest{}, payment.CancelPaymentResponse{},
	payment.RefundRequest{}, payment.RefundResponse{},
	auth.ApplyTokenRequest{}, auth.ApplyTokenResponse{}, auth.CancelTokenRequest{}, auth.CancelTokenResponse{},
	alipayplus.Result{},
	payment.Order{}, payment.Merchant{}, payment.Store{}, payment.Address{}, payment.Goods{}, payment.Buyer{}, payment.UserName{},
	payment.Env{}, payment.Shipping{}, payment.Quote{}, payment.SurchargeInfo{}, payment.PromoInfo{}, payment.PromoDetail{},
	payment.RefundPromoInfo{}, payment.RefundPromoDetail{}, payment.ActionForm{}, payment.AuthorizationInfo{}, payment.Factor{},
	payment.Method{}, payment.MethodMetaData{},
}

// member is what a message has under a name.
type member struct {
	kind     string
	max      string // "-" for none
	required bool
}

// documented are the messages of messages.txt, what it says is left out, and
// the members of code rules.
type documented struct {
	members map[string]map[string]member
	leftOut map[string][]string
	rules   []string
}

func readMessages(t *testing.T) documented {
	t.Helper()
	text, err := os.ReadFile("messages.txt")
	if err != nil {
		t.Fatal(err)
	}
	d := documented{members: map[string]map[string]member{}, leftOut: map[string][]string{}}
	message := ""
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		line := lines.Text()
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || words[0][0] == '#':
		case words[0] == "rule":
			d.rules = append(d.rules, words[1:]...)
		case line[0] != '\t':
			message = words[0]
			d.members[message] = map[string]member{}
		case words[1] == "left":
			d.leftOut[message] = append(d.leftOut[message], words[0])
		default:
			m := member{required: words[len(words)-1] == "required"}
			if m.required {
				words = words[:len(words)-1]
			}
			m.kind, m.max = strings.Join(words[1:len(words)-1], " "), words[len(words)-1]
			if _, twice := d.members[message][words[0]]; twice {
				t.Errorf("%s has %s twice", message, words[0])
			}
			d.members[message][words[0]] = m
		}
	}
	return d
}

// membersOf returns those of a Go type, by the tags of its fields.
func membersOf(typ reflect.Type) map[string]member {
	all := map[string]member{}
	for f := range typ.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		m := member{kind: kindOf(f.Type), max: "-"}
		for option := range strings.SplitSeq(f.Tag.Get("wire"), ",") {
			if text, ok := strings.CutPrefix(option, "max="); ok {
				m.max = text
			}
			m.required = m.required || option == "required"
		}
		all[name] = m
	}
	return all
}

func kindOf(typ reflect.Type) string {
	for kind, of := range map[string]reflect.Type{
		"secret": reflect.TypeFor[alipayplus.Secret](), "Amount": reflect.TypeFor[alipayplus.Amount](),
		"Time": reflect.TypeFor[alipayplus.Time](), "Flag": reflect.TypeFor[alipayplus.Bool](),
		"Result": reflect.TypeFor[alipayplus.Result](), "Price": reflect.TypeFor[payment.Price](),
		"JSON":                      reflect.TypeFor[json.RawMessage](),
		"personal payment.Shipping": reflect.TypeFor[alipayplus.Personal[payment.Shipping]](),
		"personal payment.Buyer":    reflect.TypeFor[alipayplus.Personal[payment.Buyer]](),
		"personal payment.Env":      reflect.TypeFor[alipayplus.Personal[payment.Env]](),
	} {
		if typ == of {
			return kind
		}
	}
	if typ.Kind() == reflect.String {
		return "text"
	}
	return typ.String()
}

// Every message has each documented member, with its name, its type and its
// greatest length, and nothing that the documents do not have.
func TestMessagesAreComplete(t *testing.T) {
	d := readMessages(t)
	known := map[string]bool{}
	n := 0
	for _, value := range messages {
		typ := reflect.TypeOf(value)
		known[typ.String()] = true
		want, have := d.members[typ.String()], membersOf(typ)
		if want == nil {
			t.Errorf("messages.txt does not have %v", typ)
		}
		for name, m := range want {
			n++
			got, ok := have[name]
			if m.max == "-" && m.kind == "text" || m.kind == "secret" && m.max == "-" || strings.HasPrefix(m.kind, "[]") && m.max == "-" {
				got.max = "-" // the SDK may have a limit of its own
			}
			if !ok || got != m {
				t.Errorf("%v: %s is %+v, documented is %+v", typ, name, got, m)
			}
		}
		for name := range have {
			if _, ok := want[name]; !ok {
				t.Errorf("%v: nobody documented %s", typ, name)
			}
		}
		for _, name := range d.leftOut[typ.String()] {
			if _, ok := have[name]; ok {
				t.Errorf("%v has %s, which messages.txt says is left out", typ, name)
			}
		}
	}
	for name := range d.members {
		if !known[name] {
			t.Errorf("messages.txt has %s, and the test does not", name)
		}
	}
	if n < 230 {
		t.Errorf("only %d members were compared", n)
	}
}

// No request and no response is missing in messages.txt. (AuthNotifyRequest is
// one of three kinds, each of which is there.)
func TestMessagesAreDocumented(t *testing.T) {
	d := readMessages(t)
	n := 0
	for _, p := range packages(t) {
		for _, typ := range p.Types {
			name := p.Name + "." + typ.Name
			if !strings.HasSuffix(name, "Request") && !strings.HasSuffix(name, "Response") || name == "auth.AuthNotifyRequest" {
				continue
			}
			if n++; d.members[name] == nil {
				t.Errorf("messages.txt does not have %s", name)
			}
		}
	}
	if n < 20 {
		t.Errorf("only %d messages", n)
	}
}

// Whatever a message holds of another object is documented, too.
func TestObjectsAreDocumented(t *testing.T) {
	d := readMessages(t)
	for message, members := range d.members {
		for name, m := range members {
			object := strings.TrimPrefix(strings.TrimPrefix(m.kind, "personal "), "[]")
			if strings.Contains(object, ".") && d.members[object] == nil {
				t.Errorf("%s: %s is a %s, which messages.txt does not have", message, name, object)
			}
		}
	}
}

// Every message comes back from its JSON as it was, each member filled.
func TestMessagesRoundTrip(t *testing.T) {
	for _, value := range messages {
		typ := reflect.TypeOf(value)
		sent, got := reflect.New(typ), reflect.New(typ)
		canary.Fill(sent.Elem(), "\"é\u2028\\<", alipayplus.Amount{Currency: "JPY", Minor: 9_999_999_999_999_999},
			alipayplus.TimeOf(time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 8*60*60))), alipayplus.False,
			payment.Price("10.50"), json.RawMessage(`[{"a":1}]`))
		body, err := alipayplus.Marshal(sent.Interface())
		if err != nil {
			t.Errorf("%v: %v", typ, err)
			continue
		}
		if err := wire.Check(body); err != nil {
			t.Errorf("%v: %v", typ, err)
		}
		if err := wire.Decode(body, got.Interface()); err != nil || !reflect.DeepEqual(sent.Interface(), got.Interface()) {
			t.Errorf("%v: %v, %s came back as another message", typ, err, body)
		}
		var members map[string]json.RawMessage
		if err := json.Unmarshal(body, &members); err != nil || len(members) != typ.NumField() {
			t.Errorf("%v: %v, %d of %d members are in %s", typ, err, len(members), typ.NumField(), body)
		}
	}
}

// Package codeid reads every documented member of a code rule, by that name.
func TestCodeRulesAreComplete(t *testing.T) {
	source, err := os.ReadFile(filepath.Join("..", "..", "codeid", "document.go"))
	if err != nil {
		t.Fatal(err)
	}
	rules := readMessages(t).rules
	slices.Sort(rules)
	for _, name := range slices.Compact(rules) {
		if !bytes.Contains(source, fmt.Appendf(nil, "`json:%q ", name)) {
			t.Errorf("codeid/document.go does not read %s", name)
		}
	}
	if len(rules) < 45 {
		t.Errorf("%d names", len(rules))
	}
}
