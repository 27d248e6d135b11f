package payment_test

import (
	"context"
	"fmt"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment/paymenttest"
)

// The whole life of a payment: a scanned code was decoded, the user agrees and is
// debited, Alipay+ refunds a part and cancels the rest. (A wallet keeps its
// payments in a sqlstore.Store, mounts Routes on a handler and runs Service.Run
// and an alipayplus.Relay.)
func ExampleService() {
	ctx := context.Background()
	db := alipayplus.NewMemory()
	bank := paymenttest.NewBank(db, "KRW")
	bank.Deposit("customer", 10_000)
	payments, err := payment.NewService(payment.ServiceConfig{Records: payment.NewMemoryRecords(db), Ledger: bank})
	if err != nil {
		fmt.Println(err)
		return
	}

	opened, err := payments.Open(ctx, payment.Opened{Terms: payment.Terms{
		PaymentRequestID: "2025030119074101000001",
		CustomerID:       "customer",
		CodeValueDigest:  alipayplus.Conceal("https://example.com/281012345").Digest(),
		Amounts: payment.Amounts{
			PaymentAmount: alipayplus.Amount{Currency: "JPY", Minor: 100},
			PayToAmount:   alipayplus.Amount{Currency: "KRW", Minor: 1000},
			PaymentQuote:  payment.Quote{QuoteCurrencyPair: "JPY/KRW", QuotePrice: "10.0000"},
		},
	}})
	fmt.Println(opened.State, err, bank.Balance("customer"))

	paid, err := payments.Confirm(ctx, payment.Confirmation{
		PaymentRequestID: opened.PaymentRequestID, CustomerID: "customer", Shown: opened.Amounts.Debit(),
	})
	fmt.Println(paid.State, err, bank.Balance("customer"))

	refunded, err := payments.On(ctx, opened.PaymentRequestID, payment.Refunded{
		Request: payment.RefundRequest{
			PaymentRequestID: opened.PaymentRequestID, RefundRequestID: "r1",
			RefundAmount:     alipayplus.Amount{Currency: "JPY", Minor: 30},
			RefundFromAmount: alipayplus.Amount{Currency: "KRW", Minor: 300},
		},
		RefundID: "our-r1", At: time.Now(),
	})
	fmt.Println(refunded.RefundAnswer("r1").Result.Status, err, bank.Balance("customer"))

	cancelled, err := payments.On(ctx, opened.PaymentRequestID, payment.Cancelled{At: time.Now()})
	fmt.Println(cancelled.CancelAnswer().Result.Status, err, bank.Balance("customer"))
	fmt.Println(cancelled.InquiryAnswer().PaymentResult.Code)
	// Output:
	// open <nil> 10000
	// paid <nil> 9000
	// S <nil> 9300
	// S <nil> 10000
	// ORDER_IS_CLOSED
}

// The rules without a database: what follows from each event.
func ExampleRecord_On() {
	now := time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)
	record := payment.Record{Terms: payment.Terms{PaymentRequestID: "2025"}}
	terms := payment.Terms{
		PaymentRequestID: "2025",
		PaymentID:        "our-1",
		CustomerID:       "customer",
		Amounts: payment.Amounts{
			PaymentAmount: alipayplus.Amount{Currency: "JPY", Minor: 100},
			PayToAmount:   alipayplus.Amount{Currency: "KRW", Minor: 1000},
		},
	}
	for _, event := range []payment.Event{
		payment.Opened{Terms: terms, At: now},
		payment.Confirmed{CustomerID: "customer", Amount: terms.Amounts.Debit(), At: now},
		payment.Confirmed{CustomerID: "customer", Amount: terms.Amounts.Debit(), At: now}, // a second tap
		payment.Cancelled{At: now},
		payment.Debited{Attempt: 1, At: now}, // too late
	} {
		next, do, err := record.On(event)
		fmt.Printf("%T: %s, version %d,", event, next.State, next.Version)
		for _, effect := range do {
			fmt.Printf(" %T", effect)
		}
		fmt.Println("", err)
		record = next
	}
	// Output:
	// payment.Opened: open, version 1, <nil>
	// payment.Confirmed: paying, version 2, payment.Debit <nil>
	// payment.Confirmed: paying, version 2, <nil>
	// payment.Cancelled: closed, version 3, payment.Void <nil>
	// payment.Debited: closed, version 4, payment.Credit <nil>
}
