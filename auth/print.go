package auth

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
)

// Types that hold what must not reach a log print it as [redacted], with every
// verb of package fmt and with log/slog. Each of them has the two methods
// Format and LogValue.

// Format prints v with private members redacted.
func (v Grant) Format(s fmt.State, verb rune) { wire.Format(s, verb, v) }

// LogValue is v with private members redacted.
func (v Grant) LogValue() slog.Value { return wire.LogValue(v) }

// Format prints v with private members redacted.
func (v ApplyTokenRequest) Format(s fmt.State, verb rune) { wire.Format(s, verb, v) }

// LogValue is v with private members redacted.
func (v ApplyTokenRequest) LogValue() slog.Value { return wire.LogValue(v) }

// Format prints v with private members redacted.
func (v ApplyTokenResponse) Format(s fmt.State, verb rune) { wire.Format(s, verb, v) }

// LogValue is v with private members redacted.
func (v ApplyTokenResponse) LogValue() slog.Value { return wire.LogValue(v) }

// Format prints v with private members redacted.
func (v CancelTokenRequest) Format(s fmt.State, verb rune) { wire.Format(s, verb, v) }

// LogValue is v with private members redacted.
func (v CancelTokenRequest) LogValue() slog.Value { return wire.LogValue(v) }

// Format prints v with private members redacted.
func (v ConsultUnbindingRequest) Format(s fmt.State, verb rune) { wire.Format(s, verb, v) }

// LogValue is v with private members redacted.
func (v ConsultUnbindingRequest) LogValue() slog.Value { return wire.LogValue(v) }

// Format prints the notification with private members redacted.
func (v AuthNotifyRequest) Format(s fmt.State, verb rune) { wire.Format(s, verb, v.Notification) }

// LogValue is the notification with private members redacted.
func (v AuthNotifyRequest) LogValue() slog.Value { return wire.LogValue(v.Notification) }

// Format prints v with private members redacted.
func (v TokenCreated) Format(s fmt.State, verb rune) { wire.Format(s, verb, v) }

// LogValue is v with private members redacted.
func (v TokenCreated) LogValue() slog.Value { return wire.LogValue(v) }

// Format prints v with private members redacted.
func (v TokenCanceled) Format(s fmt.State, verb rune) { wire.Format(s, verb, v) }

// LogValue is v with private members redacted.
func (v TokenCanceled) LogValue() slog.Value { return wire.LogValue(v) }

// Format prints v with private members redacted.
func (v AuthCodeCreated) Format(s fmt.State, verb rune) { wire.Format(s, verb, v) }

// LogValue is v with private members redacted.
func (v AuthCodeCreated) LogValue() slog.Value { return wire.LogValue(v) }

// Format prints v with private members redacted.
func (v AuthCode) Format(s fmt.State, verb rune) { wire.Format(s, verb, v) }

// LogValue is v with private members redacted.
func (v AuthCode) LogValue() slog.Value { return wire.LogValue(v) }

// Format prints v with private members redacted.
func (v Code) Format(s fmt.State, verb rune) { wire.Format(s, verb, v) }

// LogValue is v with private members redacted.
func (v Code) LogValue() slog.Value { return wire.LogValue(v) }

// Format prints v with private members redacted.
func (v Token) Format(s fmt.State, verb rune) { wire.Format(s, verb, v) }

// LogValue is v with private members redacted.
func (v Token) LogValue() slog.Value { return wire.LogValue(v) }

// Format prints v with private members redacted.
func (v Repeat) Format(s fmt.State, verb rune) { wire.Format(s, verb, v) }

// LogValue is v with private members redacted.
func (v Repeat) LogValue() slog.Value { return wire.LogValue(v) }

// Format prints v with private members redacted.
func (v Notice) Format(s fmt.State, verb rune) { wire.Format(s, verb, v) }

// LogValue is v with private members redacted.
func (v Notice) LogValue() slog.Value { return wire.LogValue(v) }

// Format prints no key.
func (s *Sealer) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue is String for log/slog.
func (s *Sealer) LogValue() slog.Value { return slog.StringValue(s.String()) }

// Format prints no record.
func (m *MemoryStore) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, m.String()) }

// LogValue is String for log/slog.
func (m *MemoryStore) LogValue() slog.Value { return slog.StringValue(m.String()) }

// Format prints a name only.
func (s *Service) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue is String for log/slog.
func (s *Service) LogValue() slog.Value { return slog.StringValue(s.String()) }

// String is "auth.Service".
func (s *Service) String() string { return "auth.Service" }
