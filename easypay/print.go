package easypay

import (
	"fmt"
	"log/slog"
)

// The kinds of calls and their answers print without private members.

// Format prints e with private members redacted.
func (e Evaluation) Format(s fmt.State, verb rune) { e.PayRequest.Format(s, verb) }

// LogValue is e with private members redacted.
func (e Evaluation) LogValue() slog.Value { return e.PayRequest.LogValue() }

// Format prints c with private members redacted.
func (c Creation) Format(s fmt.State, verb rune) { c.PayRequest.Format(s, verb) }

// LogValue is c with private members redacted.
func (c Creation) LogValue() slog.Value { return c.PayRequest.LogValue() }

// Format prints c with private members redacted.
func (c OneClick) Format(s fmt.State, verb rune) { c.PayRequest.Format(s, verb) }

// LogValue is c with private members redacted.
func (c OneClick) LogValue() slog.Value { return c.PayRequest.LogValue() }

func print(s fmt.State, name, paymentID string) {
	_, _ = fmt.Fprintf(s, "%s{%s}", name, paymentID)
}

// Format prints the type alone: a customer id is private.
func (e Eligible) Format(s fmt.State, _ rune) { print(s, "Eligible", "") }

// LogValue is the type alone, for log/slog.
func (e Eligible) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(e)) }

// Format prints the payment id.
func (v Verification) Format(s fmt.State, _ rune) { print(s, "Verification", v.PaymentID) }

// LogValue is the payment id, for log/slog.
func (v Verification) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(v)) }

// Format prints the payment id.
func (p Paid) Format(s fmt.State, _ rune) { print(s, "Paid", p.PaymentID) }

// LogValue is the payment id, for log/slog.
func (p Paid) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(p)) }

// Format prints the type of the account alone.
func (a Account) Format(s fmt.State, _ rune) { print(s, "Account", a.UserLoginIDType) }

// LogValue is the type of the account alone, for log/slog.
func (a Account) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(a)) }
