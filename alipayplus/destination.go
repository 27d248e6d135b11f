package alipayplus

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strings"

	"github.com/alipayplus-mpp/alipayplus-go/internal/hostname"
)

const maxURL = 2048

// parseBaseURL reads an origin: https, or http for a loopback host.
func parseBaseURL(text string) (*url.URL, error) {
	if text == "" {
		return nil, errors.New("alipayplus: no BaseURL")
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, errors.New("alipayplus: BaseURL is no URL") // err quotes it
	case u.Scheme != "https" && !(u.Scheme == "http" && isLoopback(u.Hostname())):
		return nil, errors.New("alipayplus: BaseURL must be https (http for a loopback host only)")
	case u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Trim(u.Path, "/") != "":
		return nil, errors.New("alipayplus: BaseURL must be an origin, scheme and host alone: each API has its own path")
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// CheckNotifyURL tells whether a Message may be sent to rawURL, the
// paymentNotifyUrl of an order. Ask when the order arrives, before the user
// pays: a payment whose result cannot be reported should not be made. "" is
// fine, it means the API's own path at BaseURL.
//
// Allowed are BaseURL's exact origin; https on port 443 of alipayplus.com, its
// subdomains and the hosts of Config.NotifyHosts. Other schemes, other ports, IP
// addresses, user-info, fragments and more than 2,048 characters are a
// *ValidationError.
func (c *Client) CheckNotifyURL(rawURL string) error {
	if rawURL == "" {
		return nil
	}
	_, err := c.notifyURL(rawURL)
	return err
}

// destination is where m goes.
func (c *Client) destination(m *Message) (*url.URL, error) {
	if m.URL != "" {
		return c.notifyURL(m.URL)
	}
	u, err := url.ParseRequestURI(m.Path)
	if err != nil || !validTarget(m.Path) || u.RequestURI() != m.Path || u.Host != "" {
		return nil, &ValidationError{[]Problem{{"path", "is not a plain URL path"}}}
	}
	u.Scheme, u.Host = c.base.Scheme, c.base.Host
	return u, nil
}

func (c *Client) notifyURL(raw string) (*url.URL, error) {
	u, rule := c.checkNotifyURL(raw)
	if rule != "" {
		return nil, &ValidationError{[]Problem{{"paymentNotifyUrl", rule}}}
	}
	return u, nil
}

func (c *Client) checkNotifyURL(raw string) (u *url.URL, rule string) {
	if len(raw) > maxURL {
		return nil, "is longer than 2048 characters"
	}
	for i := range len(raw) {
		if raw[i] <= ' ' || raw[i] >= 0x7f || raw[i] == '\\' {
			return nil, "has a character that no URL has"
		}
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, "is no URL"
	case u.Opaque != "" || u.Host == "":
		return nil, "has no host"
	case u.User != nil || strings.Contains(u.Host, "@"):
		return nil, "has user-info"
	case strings.Contains(raw, "#"):
		return nil, "has a fragment"
	case u.Path == "" || !strings.HasSuffix(raw, u.RequestURI()):
		return nil, "has a path that would not be sent as it stands" // so would not be signed as it stands
	}
	if u.Scheme == c.base.Scheme && strings.EqualFold(u.Host, c.base.Host) {
		return u, ""
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if port == "" {
		port = "443"
	}
	switch {
	case u.Scheme != "https":
		return nil, "is not https"
	case hostname.IsIP(host):
		return nil, "names an IP address"
	case !validHostName(host):
		return nil, "has a host that is no host name"
	case c.notifyHosts[net.JoinHostPort(host, port)]:
		return u, ""
	case host != "alipayplus.com" && !strings.HasSuffix(host, ".alipayplus.com"):
		return nil, "names a host that is not allowed; see Config.NotifyHosts"
	case port != "443":
		return nil, "names a port other than 443"
	}
	return u, ""
}

// validHostName takes plain ASCII names: letters, digits, hyphens and dots.
func validHostName(host string) bool {
	if host == "" || len(host) > 253 {
		return false
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			c := label[i]
			if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' {
				return false
			}
		}
	}
	return true
}
