// Package paymenttest is the contracts of package payment as tests, for a
// wallet's own implementations. [TestRecords] is the one of payment.Records.
package paymenttest
