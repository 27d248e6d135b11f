package payment_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

func members(t *testing.T, body []byte) (m map[string]any) {
	t.Helper()
	if err := json.Unmarshal(body, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// structs has one value of every exported struct of the package.
var structs = []any{
	payment.ActionForm{}, payment.Address{}, payment.AuthorizationInfo{}, payment.Buyer{},
	payment.CancelPaymentRequest{}, payment.CancelPaymentResponse{}, payment.Env{}, payment.Factor{}, payment.Goods{},
	payment.InquiryPaymentRequest{}, payment.InquiryPaymentResponse{}, payment.Merchant{}, payment.Method{},
	payment.MethodMetaData{}, payment.NotifyPaymentRequest{}, payment.NotifyPaymentResponse{}, payment.Order{},
	payment.PayRequest{}, payment.PayResponse{}, payment.PromoDetail{}, payment.PromoInfo{}, payment.Quote{},
	payment.RefundPromoDetail{}, payment.RefundPromoInfo{}, payment.RefundRequest{}, payment.RefundResponse{},
	payment.Shipping{}, payment.Store{}, payment.SurchargeInfo{}, payment.UserName{},

	payment.Opened{}, payment.Confirmed{}, payment.Verified{}, payment.VerificationFailed{}, payment.OTPResent{},
	payment.GaveUp{}, payment.Expired{}, payment.VerificationTried{}, payment.Debited{}, payment.Refused{}, payment.Cancelled{}, payment.Refunded{},
	payment.Credited{},
	payment.Debit{}, payment.Void{}, payment.Credit{}, payment.Notify{}, payment.Withdraw{},
	payment.Record{}, payment.Terms{}, payment.Verification{}, payment.CreditEntry{}, payment.RefundEntry{},
	payment.Amounts{}, payment.Calculation{}, payment.Sums{}, payment.Discrepancy{},
	payment.Resume{},
}

// hosts are the structs of Service.
var hosts = []any{
	payment.Service{}, payment.ServiceConfig{}, payment.MemoryRecords{}, payment.Check{}, payment.Confirmation{},
}

// The list above is complete.
func TestStructsAreListed(t *testing.T) {
	listed := map[string]bool{}
	for _, v := range append(hosts, structs...) {
		listed[reflect.TypeOf(v).Name()] = true
	}
	names, err := filepath.Glob("*.go")
	if err != nil || len(names) == 0 {
		t.Fatal("no source files", err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			general, ok := decl.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range general.Specs {
				if named, ok := spec.(*ast.TypeSpec); ok && named.Name.IsExported() {
					if _, ok := named.Type.(*ast.StructType); ok && !listed[named.Name.Name] {
						t.Errorf("%s is not in the list", named.Name.Name)
					}
				}
			}
		}
	}
}

const canary = "canary-7f3a"

// fill puts the canary into every text and every Secret of v, and says whether
// one of them is private.
func fill(v reflect.Value, private bool) (found bool) {
	switch v.Type() {
	case reflect.TypeFor[alipayplus.Secret]():
		v.Set(reflect.ValueOf(alipayplus.Conceal(canary)))
		return true
	case reflect.TypeFor[alipayplus.Message]():
		v.Set(reflect.ValueOf(alipayplus.Message{Operation: "o", Key: "k", Body: []byte(canary), URL: canary}))
		return true
	case reflect.TypeFor[alipayplus.Time]():
		return false
	}
	switch v.Kind() {
	case reflect.String:
		if private {
			v.SetString(canary)
			return true
		}
		v.SetString("public")
	case reflect.Slice:
		if v.Type().Elem().Kind() != reflect.Uint8 {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			return fill(v.Index(0), private)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if !f.IsExported() {
				continue
			}
			isPrivate := private
			for option := range strings.SplitSeq(f.Tag.Get("wire"), ",") {
				isPrivate = isPrivate || option == "private"
			}
			found = fill(v.Field(i), isPrivate) || found
		}
	default:
	}
	return found
}

// No way of printing shows what is private, and no type was forgotten.
func TestNothingPrivateIsPrinted(t *testing.T) {
	for _, zero := range structs {
		v := reflect.New(reflect.TypeOf(zero)).Elem()
		if !fill(v, false) {
			continue
		}
		value := v.Interface()
		_, formats := value.(fmt.Formatter)
		_, logs := value.(slog.LogValuer)
		if !formats || !logs {
			t.Errorf("%s holds something private and lacks Format or LogValue", v.Type())
		}
		for name, printed := range printings(value, v.Addr().Interface()) {
			if i := strings.Index(printed, canary); i >= 0 {
				t.Errorf("%s of %s shows what is private: …%s", name, v.Type(), printed[max(0, i-40):i+len(canary)])
			}
			if !strings.Contains(printed, "redacted") {
				t.Errorf("%s of %s does not say that it holds something private", name, v.Type())
			}
		}
	}
}

// printings prints v, and the pointer to it, in every way.
func printings(v, pointer any) map[string]string {
	out := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		out[verb] = fmt.Sprintf(verb, v)
		out[verb+" of a pointer"] = fmt.Sprintf(verb, pointer)
		out[verb+" in a slice"] = fmt.Sprintf(verb, []any{v})
	}
	var text, js bytes.Buffer
	slog.New(slog.NewTextHandler(&text, nil)).Info("m", "v", v)
	slog.New(slog.NewJSONHandler(&js, nil)).Info("m", "v", v)
	out["slog text"], out["slog JSON"] = text.String(), js.String()
	return out
}

// What must never reach a log, by its name on the wire, in whatever struct.
func TestPrivateMembers(t *testing.T) {
	secret := []string{"paymentMethodId", "userLoginId", "passThroughInfo"}
	private := []string{
		"customerId", "storePhoneNo", "buyerPhoneNo", "buyerEmail", "referenceBuyerId", "shippingPhoneNo", "shippingAddress",
		"firstName", "middleName", "lastName", "fullName", "sdkActionPayload", "authState", "extendInfo", "userAgent",
		"deviceTokenId", "clientIp", "cookieId", "paymentNotifyUrl", "paymentRedirectUrl", "paymentUrl", "notifyUrl",
		"redirectUrl", "url", "notice",
	}
	met := map[string]bool{}
	for _, v := range structs {
		typ := reflect.TypeOf(v)
		for i := range typ.NumField() {
			f := typ.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if f.Name == "CustomerID" {
				name = "customerId" // of events and effects
			}
			switch {
			case slices.Contains(secret, name) && f.Type != reflect.TypeFor[alipayplus.Secret]():
				t.Errorf("%v.%s is no Secret", typ, f.Name)
			case slices.Contains(private, name) && !slices.Contains(strings.Split(f.Tag.Get("wire"), ","), "private"):
				t.Errorf("%v.%s is not private", typ, f.Name)
			}
			met[name] = true
		}
	}
	for _, name := range append(secret, private...) {
		if !met[name] {
			t.Errorf("no struct has %s", name)
		}
	}
}
