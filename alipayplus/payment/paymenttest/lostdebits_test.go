package paymenttest_test

import (
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment/paymenttest"
)

// A lost debit ends without an answer, once: after it landed the money is gone,
// before that nothing has happened.
func TestLostDebits(t *testing.T) {
	for _, remote := range []bool{false, true} {
		for _, landed := range []bool{true, false} {
			database, lost := alipayplus.NewMemory(), new(paymenttest.LostDebits)
			bank, remoteBank := paymenttest.NewBank(database, "HKD"), paymenttest.NewRemoteBank("HKD")
			config := payment.ServiceConfig{Records: lost.Records(payment.NewMemoryRecords(database)), Ledger: lost.Ledger(bank)}
			balance := bank.Balance
			if remote {
				config.Ledger, config.RemoteLedger, balance = nil, lost.RemoteLedger(remoteBank), remoteBank.Balance
			}
			bank.Deposit("C1", 10_000)
			remoteBank.Deposit("C1", 10_000)
			payments := must(payment.NewService(config))
			ctx, hkd := t.Context(), alipayplus.Amount{Currency: "HKD", Minor: 8518}
			must(payments.Open(ctx, payment.Opened{Terms: payment.Terms{
				PaymentRequestID: "P1", CustomerID: "C1", CodeValueDigest: alipayplus.Conceal("code").Digest(),
				Amounts: payment.Amounts{PaymentAmount: hkd, PayToAmount: hkd},
			}}))
			for _, customer := range []string{"C1", "C2"} { // C2 debits nothing
				if err := lost.Lose(ctx, customer, landed); err != nil {
					t.Fatal(err)
				}
			}
			confirmation := payment.Confirmation{PaymentRequestID: "P1", CustomerID: "C1", Shown: hkd}
			record, err := payments.Confirm(ctx, confirmation)
			if answered := err == nil && record.State != payment.StatePaying; answered {
				t.Errorf("remote %v, landed %v: the answer is %v", remote, landed, record.State)
			}
			if debited := balance("C1") == 1482; debited != landed {
				t.Errorf("remote %v, landed %v: the balance is %d", remote, landed, balance("C1"))
			}
			found := must(payments.Find(ctx, "P1"))
			want := map[bool]map[bool]payment.State{
				true: {true: payment.StatePaying, false: payment.StatePaying}, false: {true: payment.StatePaid, false: payment.StateOpen},
			}[remote][landed]
			if found.State != want {
				t.Errorf("remote %v, landed %v: the payment is %v, want %v", remote, landed, found.State, want)
			}
			if remote {
				continue // Run asks again
			}
			if record := must(payments.Confirm(ctx, confirmation)); record.State != payment.StatePaid || balance("C1") != 1482 {
				t.Errorf("landed %v: afterwards it is %v, and the balance %d", landed, record.State, balance("C1"))
			}
		}
	}
}
