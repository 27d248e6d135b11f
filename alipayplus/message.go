package alipayplus

import (
	"fmt"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
)

// Message is an outbound request at rest: checked, encoded, unsigned. Store it
// in the transaction that makes it true and send it with [Client.Deliver]; each
// attempt gets a fresh time and signature over the same bytes. One outbox table
// serves all APIs: Operation and Key together are unique.
//
// Store it with MarshalBinary; json.Marshal of a Message always fails.
type Message struct {
	Operation string        `json:"operation"`          // the API's name
	Key       string        `json:"key,omitzero"`       // the value of the idempotency field, hashed if secret
	Group     string        `json:"group,omitzero"`     // messages of one group arrive in the order of Outbox.Put; "" orders nothing
	Path      string        `json:"path,omitzero"`      // where the API is served
	URL       string        `json:"url,omitzero"`       // instead of BaseURL and Path: the order's paymentNotifyUrl
	Timeout   time.Duration `json:"timeoutNs,omitzero"` // of one attempt, 0 means 5 seconds
	Body      Secret        `json:"body"`               // the exact bytes to sign and send
	Sealed    bool          `json:"sealed,omitzero"`    // Body is encrypted, by Sealer.SealMessage
}

// MarshalBinary returns everything in m, Body included, for a database. It is
// JSON with a version of its form.
func (m Message) MarshalBinary() ([]byte, error) {
	data, err := wire.Store(m)
	if err != nil {
		return nil, publicError(err)
	}
	return data, nil
}

// UnmarshalBinary reads what MarshalBinary wrote.
func (m *Message) UnmarshalBinary(data []byte) error {
	if err := wire.Load(data, m); err != nil {
		return fmt.Errorf("alipayplus: the stored message cannot be read: %w", publicError(err))
	}
	return nil
}

// MarshalJSON fails: nobody but MarshalBinary writes a body.
func (Message) MarshalJSON() ([]byte, error) {
	return nil, wire.AtRest("alipayplus: a Message is stored with its MarshalBinary and logged with alipayplus.Loggable, not marshaled as JSON")
}

func (m *Message) body() []byte { return []byte(m.Body.Reveal()) }
