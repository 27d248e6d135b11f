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

// Format prints g with private members redacted.
func (g Grant) Format(s fmt.State, verb rune) { wire.Format(s, verb, g) }

// LogValue is g with private members redacted.
func (g Grant) LogValue() slog.Value { return wire.LogValue(g) }

// Format prints r with private members redacted.
func (r ApplyTokenRequest) Format(s fmt.State, verb rune) { wire.Format(s, verb, r) }

// LogValue is r with private members redacted.
func (r ApplyTokenRequest) LogValue() slog.Value { return wire.LogValue(r) }

// Format prints r with private members redacted.
func (r ApplyTokenResponse) Format(s fmt.State, verb rune) { wire.Format(s, verb, r) }

// LogValue is r with private members redacted.
func (r ApplyTokenResponse) LogValue() slog.Value { return wire.LogValue(r) }

// Format prints r with private members redacted.
func (r CancelTokenRequest) Format(s fmt.State, verb rune) { wire.Format(s, verb, r) }

// LogValue is r with private members redacted.
func (r CancelTokenRequest) LogValue() slog.Value { return wire.LogValue(r) }

// Format prints r with private members redacted.
func (r ConsultUnbindingRequest) Format(s fmt.State, verb rune) { wire.Format(s, verb, r) }

// LogValue is r with private members redacted.
func (r ConsultUnbindingRequest) LogValue() slog.Value { return wire.LogValue(r) }

// Format prints the notification with private members redacted.
func (r AuthNotifyRequest) Format(s fmt.State, verb rune) { wire.Format(s, verb, r.Notification) }

// LogValue is the notification with private members redacted.
func (r AuthNotifyRequest) LogValue() slog.Value { return wire.LogValue(r.Notification) }

// Format prints n with private members redacted.
func (n TokenCreated) Format(s fmt.State, verb rune) { wire.Format(s, verb, n) }

// LogValue is n with private members redacted.
func (n TokenCreated) LogValue() slog.Value { return wire.LogValue(n) }

// Format prints n with private members redacted.
func (n TokenCanceled) Format(s fmt.State, verb rune) { wire.Format(s, verb, n) }

// LogValue is n with private members redacted.
func (n TokenCanceled) LogValue() slog.Value { return wire.LogValue(n) }

// Format prints n with private members redacted.
func (n AuthCodeCreated) Format(s fmt.State, verb rune) { wire.Format(s, verb, n) }

// LogValue is n with private members redacted.
func (n AuthCodeCreated) LogValue() slog.Value { return wire.LogValue(n) }

// Format prints c with private members redacted.
func (c AuthCode) Format(s fmt.State, verb rune) { wire.Format(s, verb, c) }

// LogValue is c with private members redacted.
func (c AuthCode) LogValue() slog.Value { return wire.LogValue(c) }

// Format prints c with private members redacted.
func (c Code) Format(s fmt.State, verb rune) { wire.Format(s, verb, c) }

// LogValue is c with private members redacted.
func (c Code) LogValue() slog.Value { return wire.LogValue(c) }

// Format prints t with private members redacted.
func (t Token) Format(s fmt.State, verb rune) { wire.Format(s, verb, t) }

// LogValue is t with private members redacted.
func (t Token) LogValue() slog.Value { return wire.LogValue(t) }

// Format prints r with private members redacted.
func (r Repeat) Format(s fmt.State, verb rune) { wire.Format(s, verb, r) }

// LogValue is r with private members redacted.
func (r Repeat) LogValue() slog.Value { return wire.LogValue(r) }

// Format prints n with private members redacted.
func (n Notice) Format(s fmt.State, verb rune) { wire.Format(s, verb, n) }

// LogValue is n with private members redacted.
func (n Notice) LogValue() slog.Value { return wire.LogValue(n) }

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
