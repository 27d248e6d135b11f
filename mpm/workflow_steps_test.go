package mpm_test

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// steps is a workflow of the Alipay+ documents: the number of each step, and
// the line of the journal where it happens. AMOUNT is the order's amount.
type steps []struct{ number, line string }

func (s steps) lines(amount string) (lines []string) {
	for _, step := range s {
		lines = append(lines, strings.ReplaceAll(step.line, "AMOUNT", amount))
	}
	return lines
}

// The guide "Make a payment", figure 1: an order code.
var (
	orderCodeScan = steps{
		{"0", "merchant -> Alipay+: an order over AMOUNT"},
		{"0", "Alipay+ -> merchant: the order's code"},
		{"1", "user -> app: opens the Scan page"},
		{"2", "app -> SDK: getAcceptanceMarkLogos"},
		{"2", "SDK -> Alipay+: fetchConfig"},
		{"3", "SDK -> app: logos [Alipay+, Example Pay]"},
		{"4", "app -> user: Scan page"},
		{"5", "user -> app: scans a code"},
		{"6", "app -> backend: scan"},
		{"7", "backend -> identifier: identify"},
		{"8", "identifier -> backend: true DECODE"},
		{"9", "backend -> Alipay+: userInitiatedPay"},
	}
	orderCodePSP = steps{
		{"10-11", "Alipay+ -> backend: the order, HANDLE_BY_PSP"},
		{"12", "backend -> app: cashier"},
		{"13", "app -> user: cashier page: Example Shoes, KRW 1000"},
		{"17", "user -> app: agrees"},
		{"17", "app -> backend: confirm"},
		{"18", "backend -> Alipay+: notifyPayment S SUCCESS"},
		{"19", "Alipay+ -> backend: S SUCCESS"},
		{"20", "Alipay+ -> merchant: payment result S SUCCESS"},
		{"21", "backend -> app: resultPage paid"},
		{"22", "app -> user: result page: paid KRW 1000"},
		{"23", "app -> merchant: paymentRedirectUrl in a WebView"},
		{"24", "merchant -> user: result page of the merchant"},
	}
	orderCodeSDK = steps{
		{"10-11", "Alipay+ -> backend: the order, HANDLE_BY_SDK"},
		{"14", "backend -> app: sdkAction"},
		{"15", "app -> SDK: handleAction"},
		{"16", "SDK -> user: above the limit"},
	}
)

// The guide "Make a payment", figure 2: an entry code. (Its text numbers the
// steps of the SDK 26-30 and the confirmation 29, so that 29 and 30 occur
// twice.)
var (
	entryCodeScan = steps{
		{"1", "user -> app: opens the Scan page"},
		{"2", "app -> SDK: getAcceptanceMarkLogos"},
		{"2", "SDK -> Alipay+: fetchConfig"},
		{"3", "SDK -> app: logos [Alipay+, Example Pay]"},
		{"4", "app -> user: Scan page"},
		{"5", "user -> app: scans a code"},
		{"6", "app -> backend: scan"},
		{"7", "backend -> identifier: identify"},
		{"8", "identifier -> backend: true OPEN_URL"},
		{"9", "backend -> app: launch"},
		{"10", "app -> SDK: launch"},
		{"11", "SDK -> merchant: https://shop.example/entry/M0001 as AlipayConnect"},
		{"12", "merchant -> user: amount page"},
		{"13", "user -> merchant: AMOUNT"},
		{"14", "merchant -> Alipay+: an order over AMOUNT"},
		{"15-16", "Alipay+ -> merchant: the order's code"},
		{"17", "merchant -> SDK: order code URL"},
		{"18", "SDK: intercepts the order code URL"},
		{"19", "SDK -> app: decode"},
		{"20", "app -> backend: decode"},
		{"21", "backend -> Alipay+: userInitiatedPay"},
	}
	entryCodePSP = steps{
		{"22-23", "Alipay+ -> backend: the order, HANDLE_BY_PSP"},
		{"24", "backend -> app: cashier"},
		{"25", "app -> user: cashier page: Example Shoes, KRW 1000"},
		{"29", "user -> app: agrees"},
		{"29", "app -> backend: confirm"},
		{"30", "backend -> Alipay+: notifyPayment S SUCCESS"},
		{"31", "Alipay+ -> backend: S SUCCESS"},
		{"32", "Alipay+ -> merchant: payment result S SUCCESS"},
		{"33", "backend -> app: resultPage paid"},
		{"34", "app -> user: result page: paid KRW 1000"},
		{"35", "app -> SDK: onSuccess"},
		{"36", "app -> merchant: paymentRedirectUrl in a WebView"},
		{"37", "merchant -> user: result page of the merchant"},
	}
	entryCodeSDK = steps{
		{"22-23", "Alipay+ -> backend: the order, HANDLE_BY_SDK"},
		{"26", "backend -> app: sdkAction"},
		{"27", "app -> SDK: onSuccess"},
		{"28", "SDK -> user: above the limit"},
	}
)

// The appendix of "Make a payment", figure 6: a merchant of the Chinese
// mainland gets the user's id by OAuth before it shows its amount page.
var mainlandAuthorization = steps{
	{"10", "app -> SDK: launch"},
	{"11", "SDK -> merchant: https://shop.example/entry/M0001 as AlipayConnect"},
	{"12", "merchant: knows the user agent, composes the authorization URL"},
	{"13", "merchant -> SDK: authorization URL"},
	{"14", "SDK: intercepts the authorization URL"},
	{"15", "SDK -> Alipay+: authorization URL"},
	{"16-17", "Alipay+ -> SDK: redirect URL, scopes, authClientId"},
	{"18", "SDK -> app: getAuthCode"},
	{"19", "app -> backend: getAuthCode"},
	{"20", "backend -> app: authorization code"},
	{"21", "app -> SDK: authorization code"},
	{"22", "SDK -> merchant: page with the authorization code"},
	{"23-24", "merchant -> Alipay+: authorization code"},
	{"25", "Alipay+ -> backend: applyToken"},
	{"26", "backend -> Alipay+: access token and customerId"},
	{"27-28", "Alipay+ -> merchant: user id"},
}

// The upgrade guide for payments in the Chinese mainland: an entry code.
var (
	mainlandEntryScan = steps{
		{"1-2", "user -> app: scans a code"},
		{"3", "app -> backend: scan"},
		{"4", "backend -> identifier: identify"},
		{"4", "identifier -> backend: true OPEN_URL"},
		{"5", "backend -> app: launch"},
		{"6", "app -> SDK: launch"},
		{"6", "SDK -> merchant: https://shop.example/entry/M0001 as AlipayConnect"},
		{"7", "merchant -> user: amount page"},
		{"8", "user -> merchant: AMOUNT"},
		{"9-10", "merchant -> Alipay+: an order over AMOUNT"},
		{"11-12", "Alipay+ -> merchant: the order's code"},
		{"13", "merchant -> SDK: order code URL"},
		{"14", "SDK: intercepts the order code URL"},
		{"15", "SDK -> app: decode"},
		{"16", "app -> backend: decode"},
		{"17", "backend -> Alipay+: userInitiatedPay"},
	}
	mainlandEntrySDK = steps{
		{"18-20, 23", "Alipay+ -> backend: the order, HANDLE_BY_SDK"},
		{"24", "backend -> app: sdkAction"},
		{"25", "app -> SDK: onSuccess"},
		{"26", "SDK -> user: above the limit of an entry-code payment"},
	}
	mainlandEntryPSP = steps{
		{"18, 21-23", "Alipay+ -> backend: the order, HANDLE_BY_PSP"},
		{"27", "backend -> app: cashier"},
		{"27", "app -> user: cashier page: Example Shoes, AMOUNT"},
		{"27", "user -> app: agrees"},
		{"27", "app -> backend: confirm"},
	}
	mainlandEntryPaid = steps{
		{"27", "backend -> Alipay+: notifyPayment S SUCCESS"},
		{"27", "Alipay+ -> backend: S SUCCESS"},
		{"27", "Alipay+ -> merchant: payment result S SUCCESS"},
		{"28", "backend -> app: resultPage paid"},
		{"29", "app -> user: result page: paid AMOUNT"},
		{"0", "app -> SDK: onSuccess"}, // "Highlights": after the payment result
		{"0", "app -> merchant: paymentRedirectUrl in a WebView"},
		{"0", "merchant -> user: result page of the merchant"},
	}
	mainlandEntryNotPaid = steps{ // "produces an error code if the payment fails"
		{"28", "backend -> app: resultPage closed"},
		{"29", "app -> user: result page: closed: This order is closed. Please ask for a new code."},
		{"0", "app -> SDK: onFailure ORDER_IS_CLOSED"},
		{"0", "app -> merchant: paymentRedirectUrl in a WebView"},
		{"0", "merchant -> user: result page of the merchant"},
	}
)

// The same guide: an order code.
var (
	mainlandOrderScan = steps{
		{"1", "merchant -> Alipay+: an order over AMOUNT"},
		{"2", "Alipay+ -> merchant: the order's code"},
		{"3-4", "user -> app: scans a code"},
		{"5", "app -> backend: scan"},
		{"6", "backend -> identifier: identify"},
		{"6", "identifier -> backend: true DECODE"},
		{"7", "backend -> Alipay+: userInitiatedPay"},
	}
	mainlandOrderSDK = steps{
		{"8-10, 13", "Alipay+ -> backend: the order, HANDLE_BY_SDK"},
		{"14-15", "backend -> app: sdkAction"},
		{"16", "app -> SDK: handleAction"},
		{"17", "SDK -> user: above the limit of an in-store payment"},
	}
	mainlandOrderPSP = steps{
		{"8, 11-13", "Alipay+ -> backend: the order, HANDLE_BY_PSP"},
		{"14, 18", "backend -> app: cashier"},
		{"18", "app -> user: cashier page: Example Shoes, AMOUNT"},
		{"18", "user -> app: agrees"},
		{"18", "app -> backend: confirm"},
		{"18", "backend -> Alipay+: notifyPayment S SUCCESS"},
		{"18", "Alipay+ -> backend: S SUCCESS"},
		{"18", "Alipay+ -> merchant: payment result S SUCCESS"},
		{"19", "backend -> app: resultPage paid"},
		{"20", "app -> user: result page: paid AMOUNT"},
		{"0", "app -> merchant: paymentRedirectUrl in a WebView"},
		{"0", "merchant -> user: result page of the merchant"},
	}
)

// No number of the documents is left out.
func TestEveryStepIsThere(t *testing.T) {
	for _, c := range []struct {
		workflow    string
		first, last int
		steps       steps
	}{
		{"Make a payment: order code", 1, 24, slices.Concat(orderCodeScan, orderCodePSP, orderCodeSDK)},
		{"Make a payment: entry code", 1, 37, slices.Concat(entryCodeScan, entryCodePSP, entryCodeSDK)},
		{"Make a payment: authorization", 10, 28, mainlandAuthorization},
		{"upgrade: entry code", 1, 29, slices.Concat(mainlandEntryScan, mainlandEntrySDK, mainlandEntryPSP, mainlandEntryPaid)},
		{"upgrade: order code", 1, 20, slices.Concat(mainlandOrderScan, mainlandOrderSDK, mainlandOrderPSP)},
	} {
		there := map[int]bool{}
		for _, step := range c.steps {
			for _, part := range regexp.MustCompile(`\d+(-\d+)?`).FindAllString(step.number, -1) {
				from, to, isRange := strings.Cut(part, "-")
				if !isRange {
					to = from
				}
				for n := testkit.Must(strconv.Atoi(from)); n <= testkit.Must(strconv.Atoi(to)); n++ {
					there[n] = true
				}
			}
		}
		for n := c.first; n <= c.last; n++ {
			if !there[n] {
				t.Errorf("%s: no step %d", c.workflow, n)
			}
		}
	}
}
