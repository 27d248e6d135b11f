package payment

import (
	"fmt"
	"log/slog"

	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
)

// Types that hold what must not reach a log print it as [redacted], with every
// verb of package fmt and with log/slog. Each of them has the two methods
// Format and LogValue.

// Format prints v with private members redacted.
func (v Order) Format(s fmt.State, verb rune) { wire.Format(s, verb, v) }

// LogValue is v with private members redacted.
func (v Order) LogValue() slog.Value { return wire.LogValue(v) }

// Format prints v with private members redacted.
func (v Merchant) Format(s fmt.State, verb rune) { wire.Format(s, verb, v) }

// LogValue is v with private members redacted.
func (v Merchant) LogValue() slog.Value { return wire.LogValue(v) }

// Format prints v with private members redacted.
func (v Store) Format(s fmt.State, verb rune) { wire.Format(s, verb, v) }

// LogValue is v with private members redacted.
func (v Store) LogValue() slog.Value { return wire.LogValue(v) }

// Format prints v with private members redacted.
func (v Buyer) Format(s fmt.State, verb rune) { wire.Format(s, verb, v) }

// LogValue is v with private members redacted.
func (v Buyer) LogValue() slog.Value { return wire.LogValue(v) }

// Format prints v with private members redacted.
func (v UserName) Format(s fmt.State, verb rune) { wire.Format(s, verb, v) }

// LogValue is v with private members redacted.
func (v UserName) LogValue() slog.Value { return wire.LogValue(v) }

// Format prints v with private members redacted.
func (v Shipping) Format(s fmt.State, verb rune) { wire.Format(s, verb, v) }

// LogValue is v with private members redacted.
func (v Shipping) LogValue() slog.Value { return wire.LogValue(v) }

// Format prints v with private members redacted.
func (v Env) Format(s fmt.State, verb rune) { wire.Format(s, verb, v) }

// LogValue is v with private members redacted.
func (v Env) LogValue() slog.Value { return wire.LogValue(v) }

// Format prints v with private members redacted.
func (v Method) Format(s fmt.State, verb rune) { wire.Format(s, verb, v) }

// LogValue is v with private members redacted.
func (v Method) LogValue() slog.Value { return wire.LogValue(v) }

// Format prints v with private members redacted.
func (v MethodMetaData) Format(s fmt.State, verb rune) { wire.Format(s, verb, v) }

// LogValue is v with private members redacted.
func (v MethodMetaData) LogValue() slog.Value { return wire.LogValue(v) }

// Format prints v with private members redacted.
func (v ActionForm) Format(s fmt.State, verb rune) { wire.Format(s, verb, v) }

// LogValue is v with private members redacted.
func (v ActionForm) LogValue() slog.Value { return wire.LogValue(v) }

// Format prints v with private members redacted.
func (v AuthorizationInfo) Format(s fmt.State, verb rune) { wire.Format(s, verb, v) }

// LogValue is v with private members redacted.
func (v AuthorizationInfo) LogValue() slog.Value { return wire.LogValue(v) }

// Format prints r with private members redacted.
func (r NotifyPaymentRequest) Format(s fmt.State, verb rune) { wire.Format(s, verb, r) }

// LogValue is r with private members redacted.
func (r NotifyPaymentRequest) LogValue() slog.Value { return wire.LogValue(r) }

// Format prints r with private members redacted.
func (r PayRequest) Format(s fmt.State, verb rune) { wire.Format(s, verb, r) }

// LogValue is r with private members redacted.
func (r PayRequest) LogValue() slog.Value { return wire.LogValue(r) }

// Format prints r with private members redacted.
func (r PayResponse) Format(s fmt.State, verb rune) { wire.Format(s, verb, r) }

// LogValue is r with private members redacted.
func (r PayResponse) LogValue() slog.Value { return wire.LogValue(r) }

// Format prints r with private members redacted.
func (r InquiryPaymentResponse) Format(s fmt.State, verb rune) { wire.Format(s, verb, r) }

// LogValue is r with private members redacted.
func (r InquiryPaymentResponse) LogValue() slog.Value { return wire.LogValue(r) }

// Format prints r with private members redacted.
func (r RefundRequest) Format(s fmt.State, verb rune) { wire.Format(s, verb, r) }

// LogValue is r with private members redacted.
func (r RefundRequest) LogValue() slog.Value { return wire.LogValue(r) }

// Format prints r with private members redacted.
func (r Record) Format(s fmt.State, verb rune) { wire.Format(s, verb, r) }

// LogValue is r with private members redacted.
func (r Record) LogValue() slog.Value { return wire.LogValue(r) }

// Format prints t with private members redacted.
func (t Terms) Format(s fmt.State, verb rune) { wire.Format(s, verb, t) }

// LogValue is t with private members redacted.
func (t Terms) LogValue() slog.Value { return wire.LogValue(t) }

// Format prints v with private members redacted.
func (v Verification) Format(s fmt.State, verb rune) { wire.Format(s, verb, v) }

// LogValue is v with private members redacted.
func (v Verification) LogValue() slog.Value { return wire.LogValue(v) }

// Format prints e with private members redacted.
func (e Opened) Format(s fmt.State, verb rune) { wire.Format(s, verb, e) }

// LogValue is e with private members redacted.
func (e Opened) LogValue() slog.Value { return wire.LogValue(e) }

// Format prints e with private members redacted.
func (e Confirmed) Format(s fmt.State, verb rune) { wire.Format(s, verb, e) }

// LogValue is e with private members redacted.
func (e Confirmed) LogValue() slog.Value { return wire.LogValue(e) }

// Format prints v with private members redacted.
func (v Debit) Format(s fmt.State, verb rune) { wire.Format(s, verb, v) }

// LogValue is v with private members redacted.
func (v Debit) LogValue() slog.Value { return wire.LogValue(v) }

// Format prints v with private members redacted.
func (v Credit) Format(s fmt.State, verb rune) { wire.Format(s, verb, v) }

// LogValue is v with private members redacted.
func (v Credit) LogValue() slog.Value { return wire.LogValue(v) }

// Format prints e with private members redacted.
func (e Refunded) Format(s fmt.State, verb rune) { wire.Format(s, verb, e) }

// LogValue is e with private members redacted.
func (e Refunded) LogValue() slog.Value { return wire.LogValue(e) }

// Format prints v with private members redacted.
func (v Notify) Format(s fmt.State, verb rune) { wire.Format(s, verb, v) }

// LogValue is v with private members redacted.
func (v Notify) LogValue() slog.Value { return wire.LogValue(v) }
