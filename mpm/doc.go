// Package mpm is merchant-presented mode: a user scans a merchant's code with
// the wallet's app, and the wallet's backend decodes it with Alipay+, lets the
// user pay and reports the result.
//
// UserInitiatedPay decodes an order code. The payment itself, its notification
// and what Alipay+ asks later (inquiryPayment, cancelPayment, refund) are in
// package payment, because all products share them.
package mpm
