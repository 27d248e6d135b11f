package auth

import (
	"fmt"
	"io"
	"log/slog"
)

// String is "auth.MemoryStores".
func (m *MemoryStores) String() string { return "auth.MemoryStores" }

// Format prints no record.
func (m *MemoryStores) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, m.String()) }

// LogValue is String for log/slog.
func (m *MemoryStores) LogValue() slog.Value { return slog.StringValue(m.String()) }

// String is "auth.Service".
func (s *Service) String() string { return "auth.Service" }

// Format prints a name only.
func (s *Service) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue is String for log/slog.
func (s *Service) LogValue() slog.Value { return slog.StringValue(s.String()) }
