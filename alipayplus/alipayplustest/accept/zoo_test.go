package accept_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest/accept"
)

// zoo are wallets that break one rule, each by one line of the plain wallet,
// and the check that must say so.
var zoo = []struct {
	broken string
	check  int
}{
	{"pays payToAmount where there is a surcharge", 102},
	{"notifies the debit as payToAmount", 102},
	{"reports the debit as payToAmount in an inquiry", 102},
	{"launches https alone", 103},
	{"forgets the callback", 104},
	{"decodes every code", 105},
	{"ignores actionForm on S", 106},
	{"rewrites sdkActionPayload", 106},
	{"stores a payment where the client SDK acts", 106},
	{"ignores actionForm on F", 107},
	{"pays paymentAmount where payToAmount is missing", 112},
	{"sends codes of any length", 113},
	{"debits expired orders", 117},
	{"notifies any host", 118},
	{"takes an evaluation for an order", 119},
	{"takes orderAmount for paymentAmount", 120},
	{"opens whatever payment a decoding names", 121},
	{"opens a payment by the code of another", 121},
	{"debits nothing where the surcharge is zero", 122},
	{"debits a surcharge in any currency", 122},
	{"runs onSuccess whatever the end is", 123},
	{"takes numbers for a code without their currency", 124},
	{"shows a failure for a lost answer", 131},
	{"compares the status without case", 131},
	{"skips the check without a header", 132},
	{"believes answers that do not verify", 133},
	{"takes any client id", 135},
	{"signs and verifies no path", 137},
	{"believes old answers", 138},
	{"waits without a time limit", 140},
	{"follows redirects", 141},
	{"notifies without paymentTime", 201},
	{"makes a new paymentId for an inquiry", 201},
	{"writes times without their zone", 201},
	{"notifies S with a code of its own", 201},
	{"makes a paymentId of eighty characters", 201},
	{"debits at a second tap", 202},
	{"debits every tap at once", 203},
	{"takes any amount", 204},
	{"lets anybody confirm", 205},
	{"shows payments to anybody", 206},
	{"looks at no PIN", 209},
	{"notifies F while the user may try again", 209},
	{"takes anybody's PIN", 209},
	{"looks at no balance", 210},
	{"looks at the balance, then debits", 211},
	{"never expires", 213},
	{"redirects to a page of its own", 214},
	{"computes with floats", 216},
	{"closes what was paid when it expires", 217},
	{"reports the time of the inquiry as paymentTime", 217},
	{"says F after an unknown debit", 221},
	{"shows a failure while the debit is unknown", 221},
	{"debits again after an unknown debit", 221},
	{"never asks for an unknown debit", 222},
	{"debits at a tap while the debit is unknown", 223},
	{"closes an unknown debit when it expires", 224},
	{"makes a new body for a retry", 231},
	{"signs a message once", 231},
	{"notifies once", 231},
	{"waits for the acknowledgement", 242},
	{"takes the payment back when the acknowledgement is F", 243},
	{"notifies before it commits", 244},
	{"ignores paymentNotifyUrl", 245},
	{"gives up after three attempts", 248},
	{"calls unknown payments in process", 301},
	{"calls an open payment failed", 302},
	{"cancels nothing that is not paid", 311},
	{"debits after a cancellation", 311},
	{"keeps no tombstone", 312},
	{"calls a cancelled payment paid", 313},
	{"gives back at every cancellation", 313},
	{"gives back every cancellation at once", 315},
	{"gives the whole back after a part", 316},
	{"forgets refunds at a cancellation", 316},
	{"refuses to cancel what failed", 317},
	{"sends S after a cancellation", 318},
	{"cancels an unknown debit without giving it back", 319},
	{"makes a debit after its cancellation", 319},
	{"takes cancellations for ten minutes", 320},
	{"books no refund", 401},
	{"refunds over the cap", 402},
	{"caps refunds by refundFromAmount", 403},
	{"takes refunds of zero", 404},
	{"refunds after a cancellation", 405},
	{"books every repeat of a refund", 407},
	{"looks at no consistency fields", 408},
	{"compares two amounts of a repeated refund alone", 408},
	{"keeps refund ids for each payment", 409},
	{"books every copy of a refund at once", 410},
	{"looks at the payment, then refunds", 412},
	{"gives back more than the user paid", 413},
	{"refuses a refund while the debit is unknown", 414},
	{"refuses refunds that round to nothing", 415},
	{"folds the case of ids", 416},
	{"looks at no paymentId of a refund", 417},
	{"refunds what failed", 418},
	{"verifies no applyToken", 501},
	{"verifies no cancelToken", 501},
	{"verifies refunds alone", 502},
	{"takes the algorithm from the message", 508},
	{"does not sign what it refuses", 511},
	{"refuses native scalars", 512},
	{"lets the last of two members win", 513},
	{"refuses late repeats", 514},
	{"knows one key of Alipay+", 515},
	{"signs what it sends with its old key", 516},
	{"refuses unknown members of pay", 518},
	{"debits an evaluation", 601},
	{"answers a creation with S", 603},
	{"debits at the creation", 603},
	{"answers pay with another customerId", 603},
	{"names the page after the payment", 603},
	{"parses and re-encodes the redirect URL", 604},
	{"notifies another paymentId than it answered", 604},
	{"counts no tries", 605},
	{"counts a try after it compared", 606},
	{"books every copy of a payment at once", 607},
	{"books every repeat of a payment", 607},
	{"has one key for evaluation and payment", 608},
	{"compares two amounts of a repeated pay alone", 609},
	{"redirects anywhere", 611},
	{"takes every pay for Easy Pay", 619},
	{"forgets why a payment failed", 620},
	{"issues no token after an unknown debit", 621},
	{"forgets the tries when a code is sent", 622},
	{"forgets the tries when the page is opened", 622},
	{"pays all that waits for a PIN", 623},
	{"debits payToAmount of a pay with a surcharge", 624},
	{"ignores paymentNotifyUrl of pay", 625},
	{"lets a payment come after its cancellation", 626},
	{"notifies any host of pay", 627},
	{"looks at the page, then debits", 628},
	{"lets a user give up what is paid", 629},
	{"takes numbers for a verification without their currency", 630},
	{"reports a token of another customer", 701},
	{"issues a token before the user paid", 702},
	{"takes authorizationInfo for consent", 702},
	{"takes silence for consent", 703},
	{"reports a new token for a retry", 704},
	{"takes any token", 706},
	{"folds the case of tokens", 706},
	{"lets a token pay for anybody", 707},
	{"lets dead tokens pay", 708},
	{"unbinds without asking", 709},
	{"issues a token at every consent", 713},
	{"debits expired payments with a token", 714},
	{"ends all agreements of a user with one token", 716},
	{"debits an evaluation with a token", 717},
	{"evaluates with dead tokens", 717},
	{"makes codes of another form", 721},
	{"gives refresh tokens that have expired", 721},
	{"hides the customer", 721},
	{"takes a code twice", 722},
	{"gives every copy a token", 723},
	{"forgets what it gave for a code", 723},
	{"lets old refresh tokens live", 727},
	{"lets every token pay", 728},
	{"lets a cancelled token be refreshed", 729},
	{"takes numbers for a token without their currency", 730},
	{"loses the outbox at a restart", 802},
	{"forgets its answers at a restart", 803},
	{"forgets tombstones at a restart", 804},
	{"takes back unknown debits at a restart", 809},
	{"expires only what this process opened", 810},
	{"forgets payments with tokens at a restart", 811},
	{"revives tokens at a restart", 811},
	{"forgets authorization codes at a restart", 812},
	{"forgets at a restart that a code was used", 812},
}

// The suite fails on every animal of the zoo, with the check that names the
// rule.
func TestZoo(t *testing.T) {
	for _, animal := range zoo {
		t.Run(animal.broken, func(t *testing.T) {
			report := runPlain(t, animal.broken, animal.check)
			i := slices.IndexFunc(report.Checks, func(r accept.Result) bool { return r.Number == animal.check })
			if r := report.Checks[i]; r.Verdict != accept.Failed || r.Expected == "" || r.Seen == "" || len(r.Messages) == 0 {
				t.Errorf("check %d (%s) is %s: expected %q, seen %q", r.Number, r.Name, r.Verdict, r.Expected, r.Seen)
			} else {
				t.Logf("%d: expected %s; seen %s", r.Number, r.Expected, r.Seen)
			}
		})
	}
	t.Logf("%d wallets with a mistake each, all found", len(zoo))
}

// Every way in which the plain wallet can be broken is in the zoo.
func TestZooIsWhole(t *testing.T) {
	names := map[string]bool{}
	for _, file := range []string{"plain_wire_test.go", "plain_test.go", "plain_http_test.go", "plain_easypay_test.go"} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, part := range strings.Split(string(source), `w.is("`) {
			if name, _, ok := strings.Cut(part, `"`); ok && i > 0 {
				names[name] = true
			}
		}
	}
	for _, animal := range zoo {
		if !names[animal.broken] {
			t.Errorf("%q breaks nothing", animal.broken)
		}
		delete(names, animal.broken)
	}
	if len(names) > 0 {
		t.Errorf("not in the zoo: %v", names)
	}
}
