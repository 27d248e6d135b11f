package mpm_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
)

// The key of the message for every code that has one of its own. All other
// codes are for support.
var messageKeys = map[alipayplus.ResultCode]string{
	alipayplus.CodeExpiredCode:                   "code_expired",
	alipayplus.CodeInvalidCode:                   "code_invalid",
	alipayplus.CodeOrderIsClosed:                 "order_closed",
	alipayplus.CodeUserBalanceNotEnough:          "balance_too_low",
	alipayplus.CodePaymentAmountExceedLimit:      "limit_exceeded",
	alipayplus.CodeUserAmountExceedLimit:         "limit_exceeded",
	alipayplus.CodePaymentCountExceedLimit:       "limit_exceeded",
	alipayplus.CodeUserPaymentVerificationFailed: "verification_failed",
	alipayplus.CodeUserKYCNotQualified:           "identity_check_needed",
	alipayplus.CodeUserNotExist:                  "account_unavailable",
	alipayplus.CodeUserStatusAbnormal:            "account_unavailable",
	alipayplus.CodeUnavailablePaymentMethod:      "account_unavailable",
}

// Every code of the documents, and one that they do not know, has a message
// that fits a page.
func TestMessageOf(t *testing.T) {
	codes := documentedCodes(t)
	if len(codes) < 40 {
		t.Fatalf("only %d codes found", len(codes))
	}
	key := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	texts := map[string]string{}
	for _, code := range append(codes, "NEW_CODE", "") {
		m := mpm.UserMessageOf(code)
		wanted, own := messageKeys[code]
		if !own {
			wanted = "payment_refused"
		}
		if m.Key != wanted {
			t.Errorf("%s: key %q, want %q", code, m.Key, wanted)
		}
		if m.Support != (wanted == "payment_refused" || wanted == "account_unavailable") {
			t.Errorf("%s: support %t", code, m.Support)
		}
		if !key.MatchString(m.Key) || !strings.HasSuffix(m.Text, ".") || code != "" && strings.Contains(m.Text, string(code)) {
			t.Errorf("%s: %+v", code, m)
		}
		if before, ok := texts[m.Key]; ok && before != m.Text {
			t.Errorf("%s: two texts for one key", code)
		}
		texts[m.Key] = m.Text
	}
}

// documentedCodes returns the values of all constants Code… of package
// alipayplus.
func documentedCodes(t *testing.T) (codes []alipayplus.ResultCode) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../alipayplus/result.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Code") || len(spec.Values) != 1 {
			return true
		}
		if literal, ok := spec.Values[0].(*ast.BasicLit); ok {
			if text, err := strconv.Unquote(literal.Value); err == nil {
				codes = append(codes, alipayplus.ResultCode(text))
			}
		}
		return true
	})
	return codes
}
