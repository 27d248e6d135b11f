package accept

import "slices"

// checks are all checks, by number. A number never changes its meaning.
var checks = slices.SortedFunc(slices.Values(slices.Concat(scanChecks, decodeFaultChecks, confirmChecks, notifyChecks, inquiryChecks,
	cancelChecks, refundChecks, inboundChecks, easyPayChecks, tokenChecks, codeChecks, ledgerChecks, crashChecks, chanceChecks, booksChecks,
)), func(a, b check) int { return a.number - b.number })

// List names all checks, for a table of contents.
func List() []Result {
	var list []Result
	for _, k := range checks {
		list = append(list, Result{Number: k.number, Name: k.name, Loses: k.loses, Source: k.source})
	}
	return list
}

var (
	merchantMode = []Capability{MerchantMode}
	entryCodes   = []Capability{EntryCodes}
)

// Where the documents have the rules.
const (
	guide       = "Alipay+ guide \"Make a payment\", " // merchant-presented mode
	easyPayPage = "Alipay+ Easy Pay guide, "
	upgradePage = "Alipay+ guide for the Chinese mainland, "
	decodePage  = "API userInitiatedPay, "
	idemPage    = "Alipay+ idempotency page, "
)
