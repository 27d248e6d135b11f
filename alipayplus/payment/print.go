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

// Format prints v with private members redacted.
func (v NotifyPaymentRequest) Format(s fmt.State, verb rune) { wire.Format(s, verb, v) }

// LogValue is v with private members redacted.
func (v NotifyPaymentRequest) LogValue() slog.Value { return wire.LogValue(v) }

// Format prints v with private members redacted.
func (v PayRequest) Format(s fmt.State, verb rune) { wire.Format(s, verb, v) }

// LogValue is v with private members redacted.
func (v PayRequest) LogValue() slog.Value { return wire.LogValue(v) }

// Format prints v with private members redacted.
func (v PayResponse) Format(s fmt.State, verb rune) { wire.Format(s, verb, v) }

// LogValue is v with private members redacted.
func (v PayResponse) LogValue() slog.Value { return wire.LogValue(v) }

// Format prints v with private members redacted.
func (v InquiryPaymentResponse) Format(s fmt.State, verb rune) { wire.Format(s, verb, v) }

// LogValue is v with private members redacted.
func (v InquiryPaymentResponse) LogValue() slog.Value { return wire.LogValue(v) }

// Format prints v with private members redacted.
func (v RefundRequest) Format(s fmt.State, verb rune) { wire.Format(s, verb, v) }

// LogValue is v with private members redacted.
func (v RefundRequest) LogValue() slog.Value { return wire.LogValue(v) }

// Format prints v with private members redacted.
func (v Record) Format(s fmt.State, verb rune) { wire.Format(s, verb, v) }

// LogValue is v with private members redacted.
func (v Record) LogValue() slog.Value { return wire.LogValue(v) }

// Format prints v with private members redacted.
func (v Terms) Format(s fmt.State, verb rune) { wire.Format(s, verb, v) }

// LogValue is v with private members redacted.
func (v Terms) LogValue() slog.Value { return wire.LogValue(v) }

// Format prints v with private members redacted.
func (v Verification) Format(s fmt.State, verb rune) { wire.Format(s, verb, v) }

// LogValue is v with private members redacted.
func (v Verification) LogValue() slog.Value { return wire.LogValue(v) }

// Format prints v with private members redacted.
func (v Opened) Format(s fmt.State, verb rune) { wire.Format(s, verb, v) }

// LogValue is v with private members redacted.
func (v Opened) LogValue() slog.Value { return wire.LogValue(v) }

// Format prints v with private members redacted.
func (v Confirmed) Format(s fmt.State, verb rune) { wire.Format(s, verb, v) }

// LogValue is v with private members redacted.
func (v Confirmed) LogValue() slog.Value { return wire.LogValue(v) }

// Format prints v with private members redacted.
func (v Debit) Format(s fmt.State, verb rune) { wire.Format(s, verb, v) }

// LogValue is v with private members redacted.
func (v Debit) LogValue() slog.Value { return wire.LogValue(v) }

// Format prints v with private members redacted.
func (v Credit) Format(s fmt.State, verb rune) { wire.Format(s, verb, v) }

// LogValue is v with private members redacted.
func (v Credit) LogValue() slog.Value { return wire.LogValue(v) }

// Format prints v with private members redacted.
func (v Refunded) Format(s fmt.State, verb rune) { wire.Format(s, verb, v) }

// LogValue is v with private members redacted.
func (v Refunded) LogValue() slog.Value { return wire.LogValue(v) }

// Format prints v with private members redacted.
func (v Notify) Format(s fmt.State, verb rune) { wire.Format(s, verb, v) }

// LogValue is v with private members redacted.
func (v Notify) LogValue() slog.Value { return wire.LogValue(v) }
