package accept

import (
	"fmt"
	"strings"
	"time"
)

// settling is how long a wallet may take to book what it answered.
const settling = 10 * time.Second

// manyOrders is more than one check makes.
const manyOrders = 100

// books compares what the wallet says about the orders of the scenario with
// what Alipay+ was told and with the users' balances.
func (s *scenario) books() {
	var wrong string
	mark := s.log.mark()
	wait := settling
	if len(s.orders) > manyOrders {
		wait = 0 // they had their time
	}
	s.eventually(wait, func() bool {
		s.log.reset(mark) // the last round tells all
		wrong = s.compare()
		return wrong == ""
	})
	if len(s.suite.failed) > 0 && s.number == wholeRun && wrong != "" {
		wrong += fmt.Sprintf(" (check %s failed before, and may be the reason)", strings.Join(s.suite.failed, ", "))
	}
	if wrong != "" {
		s.fail("afterwards the books agree: balances, orders, notifications, inquiries", "%s", wrong)
	}
}

// compare says what does not agree, "" if all does.
func (s *scenario) compare() string {
	var net [2]int64
	var counted [2][]string
	var lines []string
	for _, o := range s.orders {
		i := s.inquire(o.id)
		v := s.view(o)
		paid, line := s.compareOne(&v, i)
		if line != "" {
			lines = append(lines, fmt.Sprintf("%s: %s (%v)", o.id, line, i))
		}
		if !paid {
			continue
		}
		payer := 0
		if v.customer == s.cfg.Users[1].ID {
			payer = 1
		}
		net[payer] += v.debit.minor() - v.refunded
		line = fmt.Sprintf("%s %d", o.id, v.debit.minor())
		if v.refunded > 0 {
			line += fmt.Sprintf(" less %d refunded", v.refunded)
		}
		counted[payer] = append(counted[payer], line)
	}
	for i := range net {
		if got := s.balances[i] - s.user(i).balance(); got != net[i] {
			why := ""
			if n := len(counted[i]); n > 0 && n <= 8 {
				why = ": " + strings.Join(counted[i], ", ")
			}
			lines = append(lines, fmt.Sprintf("%s paid %s %d by the balance, and %d by the answers to inquiryPayment%s", s.cfg.Users[i].ID, s.cfg.Currency, got, net[i], why))
		}
	}
	return strings.Join(lines, "; ")
}

// compareOne compares one payment.
func (s *scenario) compareOne(o *order, i inquiry) (paid bool, wrong string) {
	told, code := o.told()
	switch {
	case i.status == "U":
		return false, "the inquiry has no answer"
	case i.status == "F" && i.code == "ORDER_NOT_EXIST":
		if o.seen || o.cancelled || len(o.notes) > 0 {
			return false, "the wallet has forgotten a payment"
		}
		return false, ""
	case i.status == "F":
		return false, "an inquiry of a known order is answered S"
	case i.payStatus == "S":
		switch {
		case o.cancelled:
			return true, "a cancelled payment is reported as paid"
		case i.paymentID == "":
			return true, "paymentId is missing"
		case told != "S":
			return true, fmt.Sprintf("Alipay+ was told %q %q", told, code)
		}
		return true, o.compareTexts(i)
	case i.payStatus == "F" && told == "S" && (!o.cancelled || i.payCode != "ORDER_IS_CLOSED"):
		return false, "Alipay+ was told S"
	case i.payStatus == "F" && told == "F" && code != i.payCode:
		return false, "Alipay+ was told F " + code
	case i.payStatus == "U" && told != "":
		return false, "Alipay+ was told " + told
	case i.payStatus != "F" && i.payStatus != "U":
		return false, "paymentResult has no status"
	}
	return false, ""
}

// compareTexts compares what the inquiry says of a payment that is paid with the
// order, with the notifications and with what pay was answered.
func (o *order) compareTexts(i inquiry) (wrong string) {
	for _, n := range o.notes {
		if id := text(n.members, "paymentId"); id != i.paymentID {
			return fmt.Sprintf("paymentId is %q in the notification and %q in the inquiry", id, i.paymentID)
		}
		notified, err := time.Parse(time.RFC3339, text(n.members, "paymentTime"))
		inquired, err2 := time.Parse(time.RFC3339, text(i.members, "paymentTime"))
		if err == nil && err2 == nil && notified.Sub(inquired).Abs() > time.Second {
			return fmt.Sprintf("paymentTime is %s in the notification and %s in the inquiry", text(n.members, "paymentTime"), text(i.members, "paymentTime"))
		}
	}
	if o.paymentID != "" && o.paymentID != i.paymentID {
		return fmt.Sprintf("paymentId is %q in the answer to pay and %q in the inquiry", o.paymentID, i.paymentID)
	}
	if a := amountIn(i.members, "paymentAmount"); a != o.paymentAmount && a != (amount{}) {
		return fmt.Sprintf("paymentAmount is %v in the inquiry, the order's is %v", a, o.paymentAmount)
	}
	if a := amountIn(i.members, "payToAmount"); a != o.payToAmount && a != (amount{}) {
		return fmt.Sprintf("payToAmount is %v in the inquiry, the order's is %v", a, o.payToAmount)
	}
	if id := text(i.members, "customerId"); id != "" && o.customer != "" && id != o.customer {
		return "customerId in the inquiry is not who pays"
	}
	return ""
}
