package mpm

import "github.com/alipayplus-mpp/alipayplus-go/alipayplus"

// Limit is a limit that the People's Bank of China sets for payments of
// overseas wallets in the Chinese mainland, per person. An amount that is
// exactly the limit is allowed.
type Limit struct {
	Name        string            // what it applies to
	Source      string            // where the figures are from
	Transaction alipayplus.Amount // for one payment, CNY
	Year        alipayplus.Amount // for all payments of a year, CNY
}

// The limits as the Alipay+ documents gave them in 2023. Another copy of the
// same page says 35,000 and 350,000 CNY for in-store payments; which of the two
// is newer is not known.
//
// Alipay+ enforces the limits: a decoded code comes back with HANDLE_BY_SDK and
// a page that explains, which is SDKAction. Use Check only to tell a user
// early; it never blocks by itself. User-presented mode is not affected.
var (
	MainlandInStore   = Limit{"in-store payment", "Alipay+ MPM upgrade guide", cny(7_000), cny(70_000)}
	MainlandEntryCode = Limit{"entry-code payment", "Alipay+ MPM upgrade guide", cny(500), cny(50_000)}
)

func cny(yuan int64) alipayplus.Amount { return alipayplus.Amount{Currency: "CNY", Minor: yuan * 100} }

// Excess is the part of a [Limit] that a payment is over.
type Excess uint8

// The parts of a Limit.
const (
	WithinLimit     Excess = iota // fine, or not in CNY
	OverTransaction               // the payment alone is over Limit.Transaction
	OverYear                      // with what was spent this year it is over Limit.Year
)

// Check returns whether amount, in CNY, would be over the limit for somebody
// who has spent spent, in CNY, this year. Amounts in other currencies are never
// over it. It is advice for a message, not a decision.
func (l Limit) Check(amount, spent alipayplus.Amount) Excess {
	switch {
	case amount.Currency != l.Transaction.Currency:
		return WithinLimit
	case amount.Minor > l.Transaction.Minor:
		return OverTransaction
	case spent.Currency == l.Year.Currency && amount.Minor > l.Year.Minor-spent.Minor:
		return OverYear
	}
	return WithinLimit
}
