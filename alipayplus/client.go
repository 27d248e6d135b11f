package alipayplus

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/internal/weburl"
	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
)

// ClientConfig is what [NewClient] needs. Fields without "required" may stay
// zero.
type ClientConfig struct {
	Credentials // required

	// BaseURL is the gateway's origin, required: https, or http for a loopback
	// host. In production https://open-sea-global.alipayplus.com, or
	// https://open-na-global.alipayplus.com in North America; in the sandbox the
	// gateway endpoint that the developer console shows.
	BaseURL string
	// NotifyHosts are host names, besides BaseURL's and *.alipayplus.com, that a
	// Message.URL may name, the paymentNotifyUrl of an order; with ":port" for
	// another port than 443. CheckNotifyURL names a host that is missing here.
	NotifyHosts []string
	// Transport carries the requests; nil means a pooled http.Transport with TLS
	// 1.2 or newer and no proxy. Redirects, compression and cookies are never
	// used, whatever the Transport can do. One of your own that speaks HTTP/2
	// needs HTTP2.SendPingTimeout: without pings a connection that hangs is used
	// for attempt after attempt.
	Transport http.RoundTripper
	// Retry decides about repeated attempts; nil means Backoff{}.
	Retry RetryPolicy
	// Budget bounds the repeated attempts of all calls; nil means one of the
	// client's own.
	Budget *Budget
	// MaxSkew is how far an answer's Response-Time may be from now; 0 means 15
	// minutes. Negative only logs what is further away than 15 minutes, for a
	// roll-out.
	MaxSkew time.Duration
	// Hooks observe every call.
	Hooks Hooks
	// Logger gets security events, alarms and oddities, never a secret; nil
	// means slog.Default().
	Logger *slog.Logger
}

// Client calls Alipay+. It is immutable, safe for concurrent use and owns no
// goroutine. Make one and keep it.
type Client struct {
	credentials Credentials
	gateway     *url.URL // scheme and host
	notify      weburl.Notify
	transport   http.RoundTripper
	retry       RetryPolicy
	budget      *Budget
	freshness   freshness
	hooks       Hooks
	log         *slog.Logger
}

// NewClient checks cfg completely and returns a Client.
func NewClient(cfg ClientConfig) (*Client, error) {
	if cfg.BaseURL == "" {
		return nil, errors.New("alipayplus: no BaseURL")
	}
	gateway, rule := weburl.Origin(cfg.BaseURL)
	if rule != "" {
		return nil, errors.New("alipayplus: BaseURL " + rule)
	}
	notify, ok := weburl.NewNotify(gateway, cfg.NotifyHosts)
	if !ok {
		return nil, errors.New("alipayplus: a NotifyHosts entry is no host name")
	}
	if err := cfg.Credentials.check(); err != nil {
		return nil, err
	}
	c := &Client{
		credentials: cfg.Credentials,
		gateway:     gateway,
		notify:      notify,
		transport:   cfg.Transport,
		retry:       cfg.Retry,
		budget:      cfg.Budget,
		freshness:   newFreshness(cfg.MaxSkew),
		hooks:       cfg.Hooks,
		log:         cfg.Logger,
	}
	if c.transport == nil {
		c.transport = newTransport()
	}
	if c.retry == nil {
		c.retry = Backoff{}
	}
	if c.budget == nil {
		c.budget = new(Budget)
	}
	if c.log == nil {
		c.log = slog.Default()
	}
	return c, nil
}

// newTransport makes a transport that finds out within 8 seconds that an HTTP/2
// connection hangs, so that attempt after attempt is not lost on it.
func newTransport() *http.Transport {
	return &http.Transport{
		DialContext:            (&net.Dialer{Timeout: 3 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    3 * time.Second,
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: 5 * time.Second, PingTimeout: 3 * time.Second},
		DisableCompression:     true,
		MaxIdleConns:           200,
		MaxIdleConnsPerHost:    100,
		IdleConnTimeout:        60 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// CloseIdleConnections closes the idle connections of the transport, if it has
// any.
func (c *Client) CloseIdleConnections() {
	if t, ok := c.transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

// String names the client id and the host.
func (c *Client) String() string {
	return "alipayplus.Client{" + c.credentials.ClientID + " at " + c.gateway.Host + "}"
}

// GoString returns String: no verb prints the keys.
func (c *Client) GoString() string { return c.String() }

// Deliver sends a Message that Prepare made, now or after a restart, as often
// as one call may try; see [Outbound.Call]. nil means that Alipay+ acknowledged
// it with a verified S; every other end is an [*Error]. [Schedule]
// says what to do then. The Message is not changed.
//
// Deliver does not know the types of the API: AnswerIn finds nothing in its
// error, and the body of the answer is in [WithInfo].
func (c *Client) Deliver(ctx context.Context, m Message, opts ...CallOption) error {
	return c.exchange(ctx, exchange{
		Message:    m,
		repeatable: m.Key != "",
		decode: func(body []byte) (any, Result, error) {
			var answer resultOnly
			if err := wire.Decode(body, &answer); err != nil {
				return nil, Result{}, publicError(err)
			}
			return nil, answer.Result, nil
		},
	}, opts)
}
