package alipayplus

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"

	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
)

// Outcome says whether Alipay+ processed a message. The zero value is unknown,
// because that is what to assume when nothing else is proved.
type Outcome uint8

// The outcomes.
const (
	// OutcomeUnknown: Alipay+ may or may not have processed the message. Send
	// the same request again, or ask; never treat it as failed.
	OutcomeUnknown Outcome = iota
	// OutcomeNotSent: proved that no byte of the message left in any attempt.
	OutcomeNotSent
	// OutcomeFailed: a verified answer with status F.
	OutcomeFailed
	// OutcomeSucceeded: a verified answer with status S.
	OutcomeSucceeded
)

// String returns "unknown", "not sent", "failed" or "succeeded".
func (o Outcome) String() string {
	switch o {
	case OutcomeUnknown:
		return "unknown"
	case OutcomeNotSent:
		return "not sent"
	case OutcomeFailed:
		return "failed"
	case OutcomeSucceeded:
		return "succeeded"
	}
	return "Outcome(" + strconv.Itoa(int(o)) + ")"
}

// OutcomeOf answers "did Alipay+ process this message?" for the error of
// [Outbound.Call], [Outbound.Prepare] or [Client.Deliver]. nil is
// OutcomeSucceeded; an error of anything else is [OutcomeUnknown].
func OutcomeOf(err error) Outcome {
	if err == nil {
		return OutcomeSucceeded
	}
	var e *Error
	switch {
	case !errors.As(err, &e):
		return OutcomeUnknown
	case e == nil: // Attempt.Err of a success
		return OutcomeSucceeded
	}
	return e.Outcome
}

// Causes of an Error besides result codes and ErrSignature. Match them with
// errors.Is.
var (
	// ErrUnsigned: the answer carried no signature, so it is no answer.
	// Error.Claimed says what it claimed.
	ErrUnsigned = errors.New("alipayplus: the answer is not signed")
	// ErrStale: a verified message whose time is further from now than MaxSkew.
	ErrStale = errors.New("alipayplus: the message is stale")
	// ErrMalformed: a verified message whose JSON breaks the rules of the
	// protocol or does not fit its type.
	ErrMalformed = errors.New("alipayplus: the message is malformed")
	// ErrRetryBudget: the attempt could have been repeated, but the client's
	// Budget is spent. It is joined to the cause of that attempt.
	ErrRetryBudget = errors.New("alipayplus: the retry budget is spent")
)

// Error is every end of an outbound call but a verified S. Its text, in any
// format, shows no body, URL or header.
//
// errors.Is(err, alipayplus.CodeOrderIsClosed) asks for a verified result code.
// errors.Is with context.Canceled, [ErrSignature] and so on asks for the cause.
type Error struct {
	Operation  string  // name of the API
	Outcome    Outcome // whether Alipay+ processed the message
	Result     Result  // of a verified answer, else zero
	Claimed    Result  // what an answer claimed that did not verify: for diagnosis only
	HTTPStatus int     // of the last attempt, 0 if it got no answer
	Attempts   int     // how often the message was tried
	TraceID    string  // Alipay+'s trace id, if the answer had one: quote it to Alipay+ support
	Err        error   // the cause, nil if it is the result alone

	answer any // *Resp of a verified F or U
}

// also returns e with one more cause. Hooks and logs may hold e, so that it
// does not change.
func (e *Error) also(cause error) *Error {
	with := *e
	with.Err = cause
	if e.Err != nil {
		with.Err = errors.Join(e.Err, cause)
	}
	return &with
}

// Error says the API, the outcome and why.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("alipayplus: ")
	b.WriteString(e.Operation)
	switch e.Outcome {
	case OutcomeFailed:
		b.WriteString(" failed")
	case OutcomeNotSent:
		b.WriteString(" was not sent")
	default:
		b.WriteString(": outcome unknown")
	}
	if e.Attempts > 1 {
		fmt.Fprintf(&b, " after %d attempts", e.Attempts)
	}
	if e.Result != (Result{}) {
		b.WriteString(": " + e.Result.Error())
	}
	if e.Err != nil {
		b.WriteString(": " + strings.ReplaceAll(strings.ReplaceAll(e.Err.Error(), "alipayplus: ", ""), "\n", "; "))
	}
	if e.Claimed != (Result{}) {
		b.WriteString(" (it claims " + e.Claimed.Error() + ")")
	}
	if e.HTTPStatus != 0 && e.HTTPStatus != 200 {
		fmt.Fprintf(&b, " (HTTP %d)", e.HTTPStatus)
	}
	if e.TraceID != "" {
		b.WriteString(" (trace " + e.TraceID + ")")
	}
	return b.String()
}

// Unwrap returns the verified result and the cause, for errors.Is and
// errors.As.
func (e *Error) Unwrap() []error {
	if e == nil { // Attempt.Err of a success, asked by errors.Is
		return nil
	}
	var causes []error
	if e.Result != (Result{}) {
		causes = append(causes, e.Result)
	}
	if e.Err != nil {
		causes = append(causes, e.Err)
	}
	return causes
}

// Format prints the text of Error for every verb, so that no verb shows more.
func (e Error) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, e.Error()) }

// LogValue returns a group of the fields, for log/slog.
func (e Error) LogValue() slog.Value {
	attrs := []slog.Attr{
		slog.String("operation", e.Operation),
		slog.String("outcome", e.Outcome.String()),
		slog.Int("attempts", e.Attempts),
	}
	if e.Result != (Result{}) {
		attrs = append(attrs, slog.String("result", e.Result.Error()))
	}
	if e.Claimed != (Result{}) {
		attrs = append(attrs, slog.String("claimed", e.Claimed.Error()))
	}
	if e.HTTPStatus != 0 {
		attrs = append(attrs, slog.Int("httpStatus", e.HTTPStatus))
	}
	if e.TraceID != "" {
		attrs = append(attrs, slog.String("traceId", e.TraceID))
	}
	if e.Err != nil {
		attrs = append(attrs, slog.String("cause", e.Err.Error()))
	}
	return slog.GroupValue(attrs...)
}

// ValidationError lists every rule that a message breaks. It holds no values.
type ValidationError struct {
	Problems []Problem // in the order of the fields
}

// Problem is one broken rule.
type Problem struct {
	Path string // the member, by its wire name: "order.goods[2].referenceGoodsId"; "" for the message as a whole
	Rule string // what is wrong: "longer than 64 characters"
}

// Error lists the first ten problems.
func (e *ValidationError) Error() string {
	var b strings.Builder
	b.WriteString("alipayplus: invalid message: ")
	for i, p := range e.Problems {
		if i == 10 {
			fmt.Fprintf(&b, "; and %d more", len(e.Problems)-i)
			break
		}
		if i > 0 {
			b.WriteString("; ")
		}
		if p.Path != "" {
			b.WriteString(p.Path + ": ")
		}
		b.WriteString(p.Rule)
	}
	return b.String()
}

// publicError makes a *ValidationError of the JSON engine's own.
func publicError(err error) error {
	var invalid *wire.InvalidError
	if !errors.As(err, &invalid) {
		return err
	}
	public := &ValidationError{Problems: make([]Problem, len(invalid.Problems))}
	for i, p := range invalid.Problems {
		public.Problems[i] = Problem(p)
	}
	return public
}
