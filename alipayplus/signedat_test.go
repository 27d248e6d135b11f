package alipayplus_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// Info.SignedAt is the time in the signed header of a message that verified, in
// both directions.
func TestSignedAt(t *testing.T) {
	now := time.Now().Truncate(time.Millisecond)
	for _, c := range []struct {
		rule, header string
		spoil        bool // the signature is of another time
		want         time.Time
	}{
		{rule: "milliseconds, UTC", header: stamp(now), want: now},
		{rule: "an offset", header: now.In(time.FixedZone("", 8*3600)).Format("2006-01-02T15:04:05.000-07:00"), want: now},
		{rule: "a form that nobody knows", header: "00:00:00Z"},
		{rule: "a message that does not verify", header: stamp(now), spoil: true},
	} {
		t.Run(c.rule, func(t *testing.T) {
			signed := c.header
			if c.spoil {
				signed = stamp(now.Add(time.Second))
			}
			client := newClient(t, transport(func(r *http.Request) (*http.Response, error) {
				header := signedHeader(r.URL.RequestURI(), signed, bodyS)
				header.Set("Response-Time", c.header)
				return response(200, header, bodyS), nil
			}), noRetry)
			info := alipayplus.Info{SignedAt: now.Add(time.Hour)} // of an earlier call
			if _, err := decodeOrder.Call(t.Context(), client, &order{ID: "1"}, alipayplus.WithInfo(&info)); (err == nil) == c.spoil {
				t.Error(err)
			}
			if !info.SignedAt.Equal(c.want) {
				t.Errorf("the answer was signed at %v, not %v", info.SignedAt, c.want)
			}

			ran := false
			h := testkit.Must(alipayplus.NewHandler(inConfig(), inAsk.Handle(inAskPath, func(ctx context.Context, _ *inRequest) (*inResponse, error) {
				ran = true
				if info, _ := alipayplus.RequestInfo(ctx); !info.SignedAt.Equal(c.want) {
					t.Errorf("the request was signed at %v, not %v", info.SignedAt, c.want)
				}
				return nil, errors.New("seen")
			})))
			arrival := inArrive(inAskPath, inValid)
			arrival.time = signed
			r := arrival.request()
			r.Header["Request-Time"] = []string{c.header}
			inServe(h, r)
			if ran == c.spoil {
				t.Errorf("the function ran: %t", ran)
			}
		})
	}
	// A later attempt without a verified answer forgets the time of an earlier
	// one.
	n := 0
	client := newClient(t, transport(func(r *http.Request) (*http.Response, error) {
		if n++; n == 1 {
			return answers(bodyU)(r)
		}
		return nil, errLost
	}), func(cfg *alipayplus.ClientConfig) { cfg.Retry = quick(2) })
	var info alipayplus.Info
	if _, err := decodeOrder.Call(t.Context(), client, &order{ID: "1"}, alipayplus.WithInfo(&info)); err == nil || n != 2 || !info.SignedAt.IsZero() {
		t.Errorf("%v after %d attempts, signed at %v", err, n, info.SignedAt)
	}
}
