package accept_test

import (
	"fmt"
	"os"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest/accept"
)

// A report that an outsider can read. Suite.Run and RunInMemory make it.
func ExampleReport_WriteText() {
	report := accept.Report{Prefix: "A1", Took: 3 * time.Second, Checks: []accept.Result{
		{Number: 201, Name: "a confirmed payment is debited once, notified and reported alike", Verdict: accept.Passed},
		{
			Number: 313, Name: "cancelled after the payment: the money is back, once", Verdict: accept.Failed,
			Loses: "The user has paid for nothing.", Source: "API cancelPayment",
			Expected: "cancelPayment is answered S", Seen: "F PROCESS_FAIL",
		},
		{Number: 601, Name: "an evaluation moves no money and makes no order", Verdict: accept.NotApplicable, Why: `the wallet does not offer "easyPay"`},
	}}
	if err := report.WriteText(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// ok   201  a confirmed payment is debited once, notified and reported alike (0.0s)
	// FAIL 313  cancelled after the payment: the money is back, once (0.0s)
	//           at stake:  The user has paid for nothing.
	//           documents: API cancelPayment
	//           expected:  cancelPayment is answered S
	//           seen:      F PROCESS_FAIL
	// n/a  601  an evaluation moves no money and makes no order
	//           not applicable: the wallet does not offer "easyPay"
	//
	// NOT ACCEPTED: 1 passed, 1 failed, 1 not applicable, in 3s (ids begin with A1)
	//   In "documents", "package …" and RELIABILITY.md are of github.com/alipayplus-mpp/alipayplus-go; all else is Alipay+'s.
	//   failed 313  cancelled after the payment: the money is back, once
	//              at stake: The user has paid for nothing.
	//              expected: cancelPayment is answered S
	//              seen:     F PROCESS_FAIL
	//   not applicable, because the wallet does not offer "easyPay": 601
}

// The checks by number, for a table of contents.
func ExampleList() {
	for _, c := range accept.List()[:2] {
		fmt.Println(c.Number, c.Name)
		fmt.Println("   ", c.Loses)
	}
	// Output:
	// 101 an order code leads to the cashier page
	//     The user sees another amount than the merchant asked for.
	// 102 with a surcharge the user pays surchargeAmount
	//     The wallet pays the surcharge out of its own pocket.
}
