package accept

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Message is one message of a check: a request or an answer, without what is
// secret.
type Message struct {
	At   time.Time `json:"at"`
	From string    `json:"from"` // "Alipay+", "wallet", "app"; "" where messages are left out
	To   string    `json:"to"`
	What string    `json:"what"` // the API or the call, and what the suite did to it
	Body string    `json:"body,omitempty"`

	spontaneous bool // the wallet began
}

// String returns the message on one line.
func (m Message) String() string {
	if m.From == "" {
		return m.At.UTC().Format("15:04:05.000") + " " + m.What
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s -> %s: %s %s", m.At.UTC().Format("15:04:05.000"), m.From, m.To, m.What, m.Body))
}

// secretMembers never appear in a report.
var secretMembers = map[string]bool{
	"codeValue": true, "paymentUrl": true, "paymentRedirectUrl": true, "accessToken": true, "refreshToken": true, "authCode": true,
	"paymentMethodId": true, "userLoginId": true, "authState": true, "passThroughInfo": true, "sdkActionPayload": true,
	"code": true, "proof": true, "pin": true, "page": true, "redirectUrl": true, "url": true, "acDecodeConfig": true, "otpCode": true,
	"pinRedirectUrl": true, "buyer": true, "shipping": true,
}

// redact returns body on one line without its secrets.
func redact(body []byte) string {
	if len(body) == 0 {
		return ""
	}
	var v any
	if json.Unmarshal(body, &v) != nil {
		return fmt.Sprintf("(%d bytes that are no JSON)", len(body))
	}
	var hide func(any)
	hide = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, member := range v {
				if secretMembers[name] {
					v[name] = "[redacted]"
					continue
				}
				hide(member)
			}
		case []any:
			for _, element := range v {
				hide(element)
			}
		}
	}
	hide(v)
	line, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	if text := string(line); len(text) <= maxShown {
		return text
	}
	return string(line[:maxShown]) + "…"
}

const (
	maxShown    = 2000
	maxNoted    = 20_000 // of a check
	maxMessages = 400    // of them in the report
	firstKept   = 100    // of these, from the beginning
)

// middle leaves out the middle of what is too long, and says so: a check fails at
// its end.
func middle(messages []Message, most, begin int) []Message {
	over := len(messages) - most
	if over <= 0 {
		return messages
	}
	gap := Message{At: messages[begin].At, What: fmt.Sprintf("… %d messages are left out here …", over)}
	return slices.Concat(messages[:begin], []Message{gap}, messages[begin+over:])
}

// shownLines is how many lines of messages the forms for people have.
const shownLines, shownFirst = 40, 10

// lines are the messages for people: what repeats itself, like the questions of
// an app that waits, is there once, and the middle of a long check is left out.
func lines(messages []Message) []string {
	same := func(a, b Message) bool {
		return a.From == b.From && a.To == b.To && a.What == b.What && a.Body == b.Body
	}
	var folded []Message
	for i := 0; i < len(messages); {
		folded = append(folded, messages[i])
		i++
		if i < 2 {
			continue
		}
		n := 0 // how often the last two come again
		for ; i+1 < len(messages) && same(messages[i], messages[i-2]) && same(messages[i+1], messages[i-1]); i += 2 {
			n++
		}
		if n > 0 {
			folded = append(folded, Message{At: messages[i-1].At, What: "… and " + again(n) + " …"})
		}
	}
	var text []string
	for _, m := range middle(folded, shownLines, shownFirst) {
		text = append(text, m.String())
	}
	return text
}

func again(n int) string {
	if n == 1 {
		return "the same again"
	}
	return fmt.Sprintf("the same again, %d times", n)
}

// journal keeps the messages of the check that runs.
type journal struct {
	mu       sync.Mutex
	messages []Message
	problems []problem
}

// problem is something that the wallet's own messages did wrong, whichever
// check ran.
type problem struct{ expected, seen string }

func (j *journal) note(from, to, what string, body []byte) { j.add(from, to, what, body, false) }

func (j *journal) add(from, to, what string, body []byte, spontaneous bool) {
	m := Message{time.Now(), from, to, what, redact(body), spontaneous}
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.messages) < maxNoted {
		j.messages = append(j.messages, m)
	}
}

func (j *journal) wrong(expected, format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.problems = append(j.problems, problem{expected, fmt.Sprintf(format, args...)})
}

// mark returns how much was noted.
func (j *journal) mark() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.messages)
}

// reset forgets the messages between the suite and the driver or the inbound
// side since mark. What the wallet sent by itself stays.
func (j *journal) reset(mark int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	kept := j.messages[:mark:mark]
	for _, m := range j.messages[mark:] {
		if m.spontaneous {
			kept = append(kept, m)
		}
	}
	j.messages = kept
}

// take returns what was noted and begins anew.
func (j *journal) take() ([]Message, []problem) {
	j.mu.Lock()
	defer j.mu.Unlock()
	messages, problems := j.messages, j.problems
	j.messages, j.problems = nil, nil
	return middle(messages, maxMessages, firstKept), problems
}
