package auth

import (
	"fmt"
	"io"
	"log/slog"
)

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
