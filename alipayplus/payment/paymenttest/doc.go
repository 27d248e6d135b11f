// Package paymenttest tests what a wallet gives to package payment, and has
// banks in memory for its tests.
//
//   - [TestLedger] checks a [payment.Ledger], the money in the same database.
//   - [TestRemoteLedger] checks a [payment.RemoteLedger], the money in a service
//     of its own.
//   - [TestRecords] checks [payment.Records], for a database of your own.
//   - [Bank] and [RemoteBank] are ledgers for tests and examples.
//   - [LostDebits] loses the answers of debits, for the acceptance suite.
//
// A wallet whose money is in the same database writes one test:
//
//	func TestBank(t *testing.T) {
//		paymenttest.TestLedger(t, func(t *testing.T) (payment.Records, payment.Ledger, paymenttest.Account) {
//			store := openTestDatabase(t) // a customer C1 with 1,000 cents
//			return store.Payments(), store.Ledger(bank{}), paymenttest.Account{
//				Customer: "C1", Currency: "HKD", Balance: balanceOf(store, "C1"),
//			}
//		})
//	}
//
// Each check that fails names the promise that is broken: a debit that the same
// key makes twice, one that a rollback does not take back, one that is refused
// because the context has ended. The names say what the checks do; they cannot
// show that a crash loses nothing.
package paymenttest
