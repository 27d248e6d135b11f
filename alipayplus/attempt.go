package alipayplus

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
)

// maxAnswer is the largest answer that is read, 4 MiB: a set of code rules has
// a few hundred KiB.
const maxAnswer = 4 << 20

// verdict is what one attempt came to.
type verdict struct {
	err        *Error // nil: a verified S
	result     Result // of a verified S
	notSent    bool   // proved that nothing was sent
	retry      bool   // repeating it can help
	security   bool   // somebody may be forging answers
	alarm      bool   // Alipay+ and this SDK disagree
	skew       time.Duration
	retryAfter time.Duration
}

// attempt sends x once and judges what comes back. The comments name the rows
// of the table in the package's documentation.
func (c *Client) attempt(ctx context.Context, x *exchange, to *url.URL, timeout time.Duration, info *Info) verdict {
	info.HTTPStatus, info.TraceID, info.SignedAt, info.Body = 0, "", time.Time{}, Secret{}
	if err := ctx.Err(); err != nil { // row 2
		return verdict{err: &Error{Err: err}, notSent: true}
	}
	parent := ctx
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	out := newOutgoing(x.bytes)
	request, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, &out.trace), http.MethodPost, to.String(), out)
	if err != nil {
		return verdict{err: &Error{Err: errors.New("the URL cannot be requested")}, notSent: true} // err quotes it
	}
	request.ContentLength = int64(len(x.bytes)) // and no GetBody: net/http must not send a second time by itself
	content := Content{
		Method:   request.Method,
		Target:   request.URL.RequestURI(),
		ClientID: c.credentials.ClientID,
		Time:     headerTime(time.Now()),
		Body:     x.bytes,
	}
	signature, err := content.Sign(ctx, c.credentials.Signer)
	if err != nil {
		if parent.Err() != nil {
			return verdict{err: &Error{Err: parent.Err()}, notSent: true}
		}
		return verdict{err: &Error{Err: fmt.Errorf("signing: %w", err)}, notSent: true, retry: !errors.Is(err, ErrSignature)}
	}
	request.Header.Set("Client-Id", content.ClientID)
	request.Header.Set("Request-Time", content.Time)
	request.Header.Set("Signature", signature)
	request.Header.Set("Content-Type", "application/json; charset=UTF-8")
	request.Header.Set("Accept-Encoding", "identity") // the signature covers the bytes as they come
	request.Header.Set("User-Agent", "alipayplus-go")

	got, err := c.send(ctx, request)
	info.HTTPStatus = got.status
	info.TraceID = traceID(got.header)
	switch {
	case errors.Is(err, errTooLarge), errors.Is(err, errSwitched), errors.Is(err, errNoResponse): // row 8
		return verdict{err: &Error{Err: err}}
	case err != nil: // rows 1, 2 and 9
		return transportVerdict(parent, err, out.notSent() && got.status == 0)
	}
	content.Body = got.body
	v := c.judge(ctx, x, got, &content, info)
	v.retryAfter = retryAfter(got.header)
	return v
}

// received is a complete answer, or the beginning of one.
type received struct {
	status int
	header http.Header
	body   []byte
}

// send sends request and reads the answer. It ends with ctx: net/http's
// transport does so by itself, of any other nothing is known.
func (c *Client) send(ctx context.Context, request *http.Request) (received, error) {
	if _, ok := c.transport.(*http.Transport); ok {
		return c.roundTrip(request)
	}
	return await(ctx, func() (received, error) { return c.roundTrip(request) })
}

func (c *Client) roundTrip(request *http.Request) (received, error) {
	response, err := c.transport.RoundTrip(request)
	if err != nil {
		return received{}, err
	}
	if response == nil || response.Body == nil { // a RoundTripper that is not net/http's
		return received{}, errNoResponse
	}
	defer func() { _ = response.Body.Close() }()
	got := received{status: response.StatusCode, header: response.Header}
	if got.status < 200 { // 101: net/http hands the connection over, without a deadline
		return got, errSwitched
	}
	got.body, err = readAnswer(response)
	return got, err
}

// judge decides about a complete answer. content is the request's; its time and
// body are replaced by the answer's.
func (c *Client) judge(ctx context.Context, x *exchange, got received, content *Content, info *Info) verdict {
	header := got.header
	signatures, times := header.Values("Signature"), header.Values("Response-Time")
	if len(signatures) == 0 && len(times) == 0 {
		return unsignedVerdict(got.status, content.Body)
	}
	tampered := func(err error) verdict { // row 6
		claimed, _ := claimedResult(content.Body)
		return verdict{err: &Error{Err: err, Claimed: claimed}, retry: true, security: true}
	}
	ids := header.Values("Client-Id")
	switch {
	case len(signatures) != 1 || len(times) != 1:
		return tampered(signatureError("the answer does not have exactly one Signature and one Response-Time"))
	case len(ids) != 1 || ids[0] != c.credentials.ClientID:
		return tampered(signatureError("the answer is not for this Client-Id"))
	}
	content.Time = times[0]
	stray, err := content.verify(signatures[0], c.credentials.Keys)
	if err != nil {
		return tampered(err)
	}
	if stray != "" {
		c.log.WarnContext(ctx, "alipayplus: key version of an answer is not configured as such",
			slog.String("operation", x.Operation), slog.String("keyVersion", stray))
	}
	info.Body = Conceal(string(content.Body))
	info.SignedAt, _ = parseInstant(content.Time)

	v := verdict{}
	age, known, far := c.freshness.age(content.Time)
	v.skew = age
	if !known {
		c.log.WarnContext(ctx, "alipayplus: Response-Time has no known form", slog.String("operation", x.Operation))
	}
	if far {
		c.log.WarnContext(ctx, "alipayplus: stale answer", slog.String("operation", x.Operation), slog.Duration("age", age))
	}
	if far && c.freshness.enforce { // row 5
		v.err = &Error{Err: fmt.Errorf("%w: Response-Time is %v old", ErrStale, age.Round(time.Second))}
		v.retry = true
		return v
	}
	answer, result, err := x.decode(content.Body)
	if err != nil { // row 5b
		v.err = &Error{Err: fmt.Errorf("%w: %w", ErrMalformed, err)}
		v.alarm = true
		return v
	}
	switch result.Status {
	case StatusSucceeded: // row 3
		v.result = result
	case StatusFailed: // row 4
		v.err = &Error{Outcome: OutcomeFailed, Result: result, answer: answer}
	default: // row 5
		v.err = &Error{Result: result, answer: answer}
		if result == (Result{}) {
			v.err.Err = errors.New("the answer has no result")
		}
		v.retry = true
	}
	return v
}

// unsignedVerdict judges an answer without signature. Nothing that it says
// decides about the outcome.
func unsignedVerdict(status int, body []byte) verdict {
	claimed, ok := claimedResult(body)
	v := verdict{err: &Error{Claimed: claimed, Err: ErrUnsigned}}
	switch {
	case claimed.Status == StatusSucceeded: // row 7
		v.retry, v.security = true, true
	case status >= 300 && status < 400: // row 8
		v.err.Err = errors.New("the answer is a redirect, which is never followed")
	case status >= 500, repeatableStatus[status]: // row 9
		v.err.Err = errors.New("the gateway answered with an error")
		v.retry = true
	case len(bytes.TrimSpace(body)) == 0: // row 9
		v.err.Err = errors.New("the answer is empty")
		v.retry = true
	case ok && claimed.Status != StatusFailed: // row 10
		v.retry = true
	case ok: // row 11
		if advice := adviceOn[claimed.Code]; advice != "" {
			v.err.Err = fmt.Errorf("%w: %s", ErrUnsigned, advice)
		}
	default: // row 12
		v.err.Err = fmt.Errorf("%w and holds no result", ErrUnsigned)
	}
	return v
}

// repeatableStatus are the statuses below 500 of a gateway that did not process
// the request now and may do so later.
var repeatableStatus = map[int]bool{
	http.StatusRequestTimeout: true, http.StatusMisdirectedRequest: true, http.StatusTooEarly: true, http.StatusTooManyRequests: true,
}

// adviceOn says what to check when the gateway refuses before it looks at the
// business.
var adviceOn = map[ResultCode]string{
	CodeInvalidSignature: "check that Alipay+ has the public key of the key version that signs, and that BaseURL is the gateway of this ClientID",
	CodeKeyNotFound:      "check that the key version of the Signer is registered with Alipay+",
	CodeInvalidClient:    "check the ClientID, and that BaseURL is the gateway where it is registered",
	CodeAccessDenied:     "check that the contract covers this API and that Alipay+ admits this server's address",
}

// claimedResult returns the result in a body that did not verify.
func claimedResult(body []byte) (Result, bool) {
	var claim resultOnly
	if wire.Decode(body, &claim) != nil || claim.Result == (Result{}) {
		return Result{}, false
	}
	r := claim.Result
	return Result{
		Code:    ResultCode(sanitize(string(r.Code), 64)),
		Status:  ResultStatus(sanitize(string(r.Status), 8)),
		Message: "",
	}, true
}

// transportVerdict judges an attempt without a complete answer.
func transportVerdict(parent context.Context, err error, untouched bool) verdict {
	v := verdict{err: &Error{Err: transportError(err)}, notSent: untouched}
	if cause := parent.Err(); cause != nil { // row 2
		v.err.Err = cause
		return v
	}
	var certificate *tls.CertificateVerificationError
	if !errors.As(err, &certificate) { // rows 1 and 9
		v.retry = true
	}
	return v
}

var errSwitched = errors.New("the answer switches protocols, which was not asked for")

var errNoResponse = errors.New("the Transport returned neither a response with a body nor an error")

var errTooLarge = errors.New("the answer is larger than 4 MiB")

// readAnswer reads the whole body into memory of at most twice maxAnswer.
func readAnswer(response *http.Response) ([]byte, error) {
	if response.ContentLength > maxAnswer {
		return nil, errTooLarge
	}
	size := int64(4 << 10)
	if response.ContentLength >= 0 {
		size = min(response.ContentLength, 64<<10) + 1 // one more, to see the end
	}
	return readAll(response.Body, size, maxAnswer, errTooLarge)
}

func traceID(header http.Header) string {
	for _, name := range [...]string{"Trace-Id", "Traceid"} {
		if id := header.Get(name); id != "" {
			return sanitize(id, 64)
		}
	}
	return ""
}

// retryAfter reads Retry-After, seconds or an HTTP date.
func retryAfter(header http.Header) time.Duration {
	const most = 365 * 24 * time.Hour // so that no policy overflows
	text := strings.TrimSpace(header.Get("Retry-After"))
	if allDigits(text) {
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil || seconds > int64(most/time.Second) {
			return most
		}
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return min(max(time.Until(at), 0), most)
}
