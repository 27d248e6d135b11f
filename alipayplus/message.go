package alipayplus

import (
	"fmt"
	"log/slog"
	"time"
)

// Message is an outbound request at rest: checked, encoded, unsigned. Store it
// in the transaction that makes it true and send it with Client.Deliver; each
// attempt gets a fresh time and signature over the same bytes. One outbox table
// serves all APIs: Operation and Key together are unique.
//
// A Message prints redacted. Its JSON holds everything, Body in base64.
type Message struct {
	Operation string        `json:"operation"`                   // the API's name
	Key       string        `json:"key,omitzero"`                // the value of the idempotency field, hashed if secret
	Group     string        `json:"group,omitzero"`              // messages of one group arrive in the order of Outbox.Put; "" orders nothing
	Path      string        `json:"path,omitzero"`               // where the API is served
	URL       string        `json:"url,omitzero" wire:"private"` // instead of BaseURL and Path: the order's paymentNotifyUrl
	Timeout   time.Duration `json:"timeoutNs,omitzero"`          // of one attempt, 0 means 5 seconds
	Body      []byte        `json:"body" wire:"private"`         // the exact bytes to sign and send
	Sealed    bool          `json:"sealed,omitzero"`             // Body is encrypted, by Sealer.SealMessage
}

// String names the API, the key and the length, never the content.
func (m Message) String() string {
	return fmt.Sprintf("Message{%s %s, %d bytes}", m.Operation, m.Key, len(m.Body))
}

// Format prints String for every verb.
func (m Message) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, m.String()) }

// LogValue is String for log/slog.
func (m Message) LogValue() slog.Value { return slog.StringValue(m.String()) }
