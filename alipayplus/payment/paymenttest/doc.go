// Package paymenttest helps to test a wallet's payments: contract tests for the
// seams of package payment, and banks in memory.
//
//   - [TestRecords] is the contract of a payment.Records.
//   - [TestLedger] is the contract of a payment.Ledger.
//   - [TestRemoteLedger] is the contract of a payment.RemoteLedger.
//   - [Bank] and [RemoteBank] are ledgers for tests and examples.
package paymenttest
