package payment

import "github.com/alipayplus-mpp/alipayplus-go/alipayplus"

// Effect is something that the host is to do: Debit, Void, Credit, Notify,
// Withdraw or Redirect. The first three are about money; their Key is unique over
// all payments and makes repeating them safe: give the ledger a unique constraint
// on it.
type Effect interface{ effect() }

// Debit takes Amount from the customer, at most once per Key. Report its end:
// Debited or Refused. While the end is not known, report nothing.
type Debit struct {
	Key        string
	Attempt    int
	CustomerID string
	Amount     alipayplus.Amount
}

// Void makes sure that the Debit of the same Key cannot land any more, because
// the payment was cancelled. Report Refused when that is certain, or Debited if
// it landed before.
type Void struct {
	Key     string
	Attempt int
}

// Credit gives Amount back to the customer, at most once per Key: the payout of
// a refund, what is left of a cancelled payment, or a debit that landed too
// late. Report Credited when that is durable.
type Credit struct {
	Key        string
	CustomerID string
	Amount     alipayplus.Amount
}

// Notify puts Message into the outbox, in the transaction that stores the
// record. It stays there, unchanged, until Alipay+ acknowledges it or
// alipayplus.Schedule ends; neither changes the payment. (A pay that was answered
// S or F needs no notification, but one does no harm.)
type Notify struct {
	Message alipayplus.Message
}

// Withdraw takes the message from the outbox again if it is not acknowledged:
// the payment was cancelled.
type Withdraw struct{ Operation, Key string }

// Redirect sends Easy Pay's user back to Terms.RedirectURL with the status of
// the verification, not of the payment. Do the same, with Verified false, when an
// event of the verification is refused.
type Redirect struct{ Verified bool }

func (Debit) effect()    {}
func (Void) effect()     {}
func (Credit) effect()   {}
func (Notify) effect()   {}
func (Withdraw) effect() {}
func (Redirect) effect() {}
