package alipayplus_test

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// Where a notification may go. Each refused URL names the rule that it breaks.
var notifyURLs = []struct{ url, rule string }{
	{"", ""},
	{"https://gateway.example/aps/api/v1/payments/notifyPayment", ""},
	{"https://GATEWAY.example/a", ""},
	{"https://open-sea.alipayplus.com/a", ""},
	{"https://alipayplus.com/a", ""},
	{"https://a.b.c.alipayplus.com/a", ""},
	{"https://open-sea.AlipayPlus.COM/a", ""},
	{"https://open-sea.alipayplus.com:443/a", ""},
	{"https://open-sea.alipayplus.com/", ""},
	{"https://open-sea.alipayplus.com/a?b=c&d=%2F%2b", ""},
	{"https://open-sea.alipayplus.com/a?", ""},
	{"https://open-sea.alipayplus.com/a%2Fb%2fc/;d=1/@:", ""},
	{"https://open-sea.alipayplus.com//a//b", ""},
	{"https://notify.example/a", ""},
	{"https://notify.example:443/a", ""},
	{"https://notify.example:8443/a", ""},
	{"HTTPS://open-sea.alipayplus.com/a", ""},

	{"https://open-sea.alipayplus.com", ""},
	{"https://notify.example", ""},
	{"https://notify.example:8443?a=b", ""},
	{"https://GATEWAY.example?a=%2F", ""},

	{"http://open-sea.alipayplus.com/a", "not https"},
	{"http://gateway.example/a", "not https"},
	{"ftp://open-sea.alipayplus.com/a", "not https"},
	{"javascript:alert(1)", "is not https"},
	{"/aps/api/v1/payments/notifyPayment", "is not https"},
	{"open-sea.alipayplus.com/a", "is not https"},
	{"//open-sea.alipayplus.com/a", "not https"},
	{"https:open-sea.alipayplus.com/a", "no host"},
	{"https:///a", "no host"},
	{"https://evil.example/a", "not allowed"},
	{"https://evilalipayplus.com/a", "not allowed"},
	{"https://alipayplus.com.evil.example/a", "not allowed"},
	{"https://evil.example/.alipayplus.com/a", "not allowed"},
	{"https://evil.example/?https://alipayplus.com/", "not allowed"},
	{"https://alipayplus.co/a", "not allowed"},
	{"https://sub.notify.example/a", "not allowed"},
	{"https://sub.gateway.example/a", "not allowed"},
	{"https://open-sea.alipayplus.com:8443/a", "port"},
	{"https://open-sea.alipayplus.com:80/a", "port"},
	{"https://open-sea.alipayplus.com:0443/a", "port"},
	{"https://open-sea.alipayplus.com:4430/a", "port"},
	{"https://gateway.example:8443/a", "not allowed"},
	{"https://notify.example:9443/a", "not allowed"},
	{"https://open-sea.alipayplus.com:/a", ""},
	{"https://open-sea.alipayplus.com:x/a", "no URL"},
	{"https://127.0.0.1/a", "IP address"},
	{"https://169.254.169.254/latest/meta-data", "IP address"},
	{"https://[::1]/a", "IP address"},
	{"https://[::ffff:169.254.169.254]/a", "IP address"},
	{"https://[fe80::1%25eth0]/a", "IP address"},
	{"https://2130706433/a", "IP address"},
	{"https://0x7f000001/a", "IP address"},
	{"https://0X7F.1/a", "IP address"},
	{"https://127.1/a", "IP address"},
	{"https://0177.0.0.01/a", "IP address"},
	{"https://user@open-sea.alipayplus.com/a", "user-info"},
	{"https://user:pass@open-sea.alipayplus.com/a", "user-info"},
	{"https://@open-sea.alipayplus.com/a", "user-info"},
	{"https://alipayplus.com@evil.example/a", "user-info"},
	{"https://evil.example\\@alipayplus.com/a", "backslash"},
	{"https://alipayplus.com\\evil.example/a", "backslash"},
	{"https://open-sea.alipayplus.com/a#b", "fragment"},
	{"https://open-sea.alipayplus.com/a#", "fragment"},
	{"https://evil.example#.alipayplus.com/a", "fragment"},
	{"https://open-sea.alipayplus.com./a", "no host name"},
	{"https://.alipayplus.com/a", "no host name"},
	{"https://a..alipayplus.com/a", "no host name"},
	{"https://-a.alipayplus.com/a", "no host name"},
	{"https://a_b.alipayplus.com/a", "no host name"},
	{"https://" + strings.Repeat("a", 64) + ".alipayplus.com/a", "no host name"},
	{"https://%61lipayplus.com/a", "no URL"},
	{"https://аlipayplus.com/a", "character"}, // a Cyrillic letter
	{"https://alipayplus。com/a", "character"},
	{"https://open-sea.alipayplus.com/é", "character"},
	{"https://open-sea.alipayplus.com/a b", "character"},
	{" https://open-sea.alipayplus.com/a", "character"},
	{"https://open-sea.alipayplus.com/a\r\nHost: evil.example", "character"},
	{"https://open-sea.alipayplus.com/a\x00", "character"},
	{"https://gateway.example%E2%84%AA/a", "not ASCII"},
	{"https://%E2%84%AAiosk.example/a", "not ASCII"},
	{"https://open-sea.alipayplus.com/a|b", "would be sent in another form"},
	{"https://open-sea.alipayplus.com/%zz", "no URL"},
	{"https://open-sea.alipayplus.com/" + strings.Repeat("a", 2048), "longer than 2048"},
}

func notifyClient(t testing.TB, rt http.RoundTripper) *alipayplus.Client {
	return newClient(t, rt, noRetry, func(cfg *alipayplus.ClientConfig) {
		cfg.NotifyHosts = []string{"Notify.example", "notify.example:8443"}
	})
}

func TestCheckNotifyURL(t *testing.T) {
	wire := &tap{next: transport(func(*http.Request) (*http.Response, error) { return nil, errLost })}
	c := notifyClient(t, wire)
	for _, test := range notifyURLs {
		err := c.CheckNotifyURL(test.url)
		if (err != nil) != (test.rule != "") || (err != nil && !strings.Contains(err.Error(), test.rule)) {
			t.Errorf("%q: %v, want the rule %q", test.url, err, test.rule)
		}
		// An honest host that nobody knows must not be a riddle; nothing else of the
		// URL is quoted.
		host, rest, _ := strings.Cut(strings.TrimPrefix(test.url, "https://"), "/")
		named := test.rule == "not allowed" || test.rule == "port"
		if err != nil && strings.HasPrefix(test.url, "https://") && len(host) > 3 && !strings.Contains(host, "@") && strings.Contains(err.Error(), strings.Split(host, ":")[0]) != named {
			t.Errorf("%q: the error names the host: %t, want %t: %v", test.url, !named, named, err)
		}
		if test.rule == "not allowed" && (!strings.Contains(err.Error(), host) || !strings.Contains(err.Error(), "ClientConfig.NotifyHosts")) {
			t.Errorf("%q: the error does not say what to do: %v", test.url, err)
		}
		if err != nil && len(rest) > 3 && strings.Contains(err.Error(), rest) {
			t.Errorf("%q: the error quotes it: %v", test.url, err)
		}
		// Deliver asks the same, and sends nothing to what is refused.
		before := len(wire.requests())
		err = c.Deliver(t.Context(), alipayplus.Message{Operation: "notifyPayment", Path: "/default", URL: test.url, Body: alipayplus.Conceal("{}")})
		sent := wire.requests()[before:]
		var invalid *alipayplus.ValidationError
		if test.rule != "" {
			if len(sent) != 0 || alipayplus.OutcomeOf(err) != alipayplus.OutcomeNotSent || !errors.As(err, &invalid) || invalid.Problems[0].Path != "paymentNotifyUrl" {
				t.Errorf("%q: Deliver: %v, %d requests", test.url, err, len(sent))
			}
			continue
		}
		if len(sent) != 1 {
			t.Errorf("%q: Deliver: %v", test.url, err)
			continue
		}
		target := "/default"
		if test.url != "" {
			u, _ := url.Parse(test.url)
			target = u.RequestURI()
		}
		if sent[0].target != target {
			t.Errorf("%q: sent to %q, want %q", test.url, sent[0].target, target)
		}
	}
	t.Logf("%d URLs, sent or refused as documented", len(notifyURLs))
}

// The signed target is the one on the wire, to the byte.
func TestNotifyTargetIsSignedAsSent(t *testing.T) {
	wire := &tap{next: answers(bodyS)}
	c := newClient(t, wire, noRetry, func(cfg *alipayplus.ClientConfig) { cfg.Signer = walletSigner() })
	for _, target := range []string{"/a", "/a%2Fb%2fc?d=%20+&e", "/a?", "//a", "/é"} {
		err := c.Deliver(t.Context(), alipayplus.Message{Operation: "x", URL: "https://n.alipayplus.com" + target, Body: alipayplus.Conceal("{}")})
		if target == "/é" {
			if err == nil {
				t.Error("a target that is sent in another form is signed")
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", target, err)
			continue
		}
		seen := wire.requests()
		r := seen[len(seen)-1]
		if want := signByHand(testkit.Keys().Wallet, "POST", target, clientID, r.header.Get("Request-Time"), "{}"); r.target != target || r.header.Get("Signature") != want || r.host != "n.alipayplus.com" {
			t.Errorf("%s: sent to %s at %s, signed otherwise", target, r.target, r.host)
		}
	}
}

// The path of a Message comes from a database: it stays on BaseURL's host.
func TestMessagePath(t *testing.T) {
	for path, ok := range map[string]bool{
		"/a": true, "/a?b=%20": true, "//evil.example/a": true, "/a/../b": true,
		"": false, "a": false, "https://evil.example/a": false, "/a b": false, "/a\r\nX: y": false, "/a#b": false, "/%zz": false, "/a|b": false, "*": false,
	} {
		wire := &tap{next: answers(bodyS)}
		c := newClient(t, wire, noRetry)
		err := c.Deliver(t.Context(), alipayplus.Message{Operation: "x", Key: "1", Path: path, Body: alipayplus.Conceal("{}")})
		if (err == nil) != ok {
			t.Errorf("%q: %v", path, err)
		}
		if !ok && alipayplus.OutcomeOf(err) != alipayplus.OutcomeNotSent {
			t.Errorf("%q: %v", path, alipayplus.OutcomeOf(err))
		}
		for _, r := range wire.requests() {
			if r.host != "gateway.example" || r.target != path {
				t.Errorf("%q: sent to %s%s", path, r.host, r.target)
			}
		}
	}
}

func TestBaseURL(t *testing.T) {
	for _, test := range []struct{ url, rule string }{
		{"https://open-sea-global.alipayplus.com", ""},
		{"https://open-sea-global.alipayplus.com/", ""},
		{"https://gateway.example:8443", ""},
		{"HTTPS://gateway.example", ""},
		{"https://203.0.113.7", ""},
		{"http://127.0.0.1:8080", ""},
		{"http://127.8.9.10", ""},
		{"http://localhost:8080", ""},
		{"http://LocalHost", ""},
		{"http://[::1]:8080", ""},
		{"", "no BaseURL"},
		{"gateway.example", "is not https"},
		{"//gateway.example", "is not https"},
		{"http://gateway.example", "must be https"},
		{"http://localhost.evil.example", "must be https"},
		{"http://localho%C5%BFt", "must be https"},
		{"https://ban%E2%84%AA.example", "no host name"},
		{"https://a_b.example", "no host name"},
		{"http://127.0.0.1.evil.example", "must be https"},
		{"http://0.0.0.0", "must be https"},
		{"http://2130706433", "must be https"},
		{"http://10.0.0.1", "must be https"},
		{"ftp://localhost", "is not https"},
		{"https://", "no host"},
		{"https://:443", "no host"},
		{"https://user:pass@gateway.example", "an origin"},
		{"https://gateway.example/aps", "an origin"},
		{"https://gateway.example?a=b", "an origin"},
		{"https://gateway.example?", "an origin"},
		{"https://gateway.example#a", "an origin"},
		{" https://gateway.example", "no URL"},
		{"https://gateway.example:port", "no URL"},
		{"https://%zz", "no URL"},
	} {
		_, err := alipayplus.NewClient(alipayplus.ClientConfig{
			Credentials: alipayplus.Credentials{ClientID: clientID, Signer: testkit.Unverified{}, Keys: alipayRing()},
			BaseURL:     test.url,
		})
		if (err != nil) != (test.rule != "") || (err != nil && !strings.Contains(err.Error(), test.rule)) {
			t.Errorf("%q: %v, want the rule %q", test.url, err, test.rule)
		}
		if err != nil && strings.Contains(err.Error(), "pass") {
			t.Errorf("%q: the error quotes it: %v", test.url, err)
		}
	}
}

// New checks all of its configuration, and says what is missing.
func TestNewRules(t *testing.T) {
	for _, test := range []struct {
		rule   string
		change func(*alipayplus.ClientConfig)
	}{
		{"ClientID", func(c *alipayplus.ClientConfig) { c.ClientID = "" }},
		{"ClientID", func(c *alipayplus.ClientConfig) { c.ClientID = "a.b" }},
		{"ClientID", func(c *alipayplus.ClientConfig) { c.ClientID = strings.Repeat("a", 65) }},
		{"no Signer", func(c *alipayplus.ClientConfig) { c.Signer = nil }},
		{"no Keys", func(c *alipayplus.ClientConfig) { c.Keys = nil }},
		{"key ring is empty", func(c *alipayplus.ClientConfig) { c.Keys = new(alipayplus.KeyRing) }},
		{"does not sign", func(c *alipayplus.ClientConfig) { c.Signer = opaqueSigner{signerFunc(failToSign)} }},
		{"NotifyHosts", func(c *alipayplus.ClientConfig) { c.NotifyHosts = []string{""} }},
		{"NotifyHosts", func(c *alipayplus.ClientConfig) { c.NotifyHosts = []string{"https://notify.example"} }},
		{"NotifyHosts", func(c *alipayplus.ClientConfig) { c.NotifyHosts = []string{"*.notify.example"} }},
		{"NotifyHosts", func(c *alipayplus.ClientConfig) { c.NotifyHosts = []string{"notify.example:"} }},
		{"NotifyHosts", func(c *alipayplus.ClientConfig) { c.NotifyHosts = []string{"notify.example:https"} }},
		{"NotifyHosts", func(c *alipayplus.ClientConfig) { c.NotifyHosts = []string{":443"} }},
		{"NotifyHosts", func(c *alipayplus.ClientConfig) { c.NotifyHosts = []string{"10.0.0.1"} }},
		{"NotifyHosts", func(c *alipayplus.ClientConfig) { c.NotifyHosts = []string{"[::1]:443"} }},
	} {
		cfg := alipayplus.ClientConfig{
			Credentials: alipayplus.Credentials{ClientID: clientID, Signer: walletSigner(), Keys: alipayRing()},
			BaseURL:     "https://gateway.example",
		}
		test.change(&cfg)
		if c, err := alipayplus.NewClient(cfg); c != nil || err == nil || !strings.Contains(err.Error(), test.rule) {
			t.Errorf("%v, want the rule %q", err, test.rule)
		}
	}
}

// What every allowed URL has in common, told by other means than the SDK's.
func checkAllowedURL(t *testing.T, raw string) {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatalf("%q is no URL", raw)
	}
	host := strings.ToLower(u.Hostname())
	_, ip := netip.ParseAddr(host)
	switch {
	case u.Scheme != "https", u.User != nil, u.Fragment != "", strings.Contains(raw, "#"), ip == nil, len(raw) > 2048:
		t.Fatalf("%q is allowed", raw)
	case u.Port() != "" && u.Port() != "443" && u.Host != "notify.example:8443" && !strings.EqualFold(u.Host, "notify.example:8443"):
		t.Fatalf("%q is allowed", raw)
	case host != "gateway.example" && host != "notify.example" && host != "alipayplus.com" && !strings.HasSuffix(host, ".alipayplus.com"):
		t.Fatalf("%q is allowed", raw)
	case !strings.HasSuffix(raw, u.RequestURI()) && u.Path != "":
		t.Fatalf("%q would be sent to another target, %q", raw, u.RequestURI())
	}
	for i := range len(raw) {
		if raw[i] <= ' ' || raw[i] > '~' {
			t.Fatalf("%q is allowed", raw)
		}
	}
}
