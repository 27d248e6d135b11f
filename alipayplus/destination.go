package alipayplus

import (
	"net/url"
)

// CheckNotifyURL tells whether a Message may be sent to rawURL, the
// paymentNotifyUrl of an order. Ask when the order arrives, before the user
// pays: a payment whose result cannot be reported should not be made. "" is
// fine, it means the API's own path at BaseURL.
//
// Allowed are BaseURL's exact origin; https on port 443 of alipayplus.com, its
// subdomains and the hosts of ClientConfig.NotifyHosts. Other schemes, other
// ports, IP addresses, user-info, fragments and more than 2,048 characters are
// a [*ValidationError]; the one of a host that is not allowed names it.
func (c *Client) CheckNotifyURL(rawURL string) error {
	if rawURL == "" {
		return nil
	}
	_, err := c.notifyURL(rawURL)
	return err
}

// destination returns where m goes.
func (c *Client) destination(m *Message) (*url.URL, error) {
	if m.URL != "" {
		return c.notifyURL(m.URL)
	}
	u, err := url.ParseRequestURI(m.Path)
	if err != nil || !validTarget(m.Path) || u.RequestURI() != m.Path || u.Host != "" {
		return nil, &ValidationError{[]Problem{{"path", "is not a plain URL path"}}}
	}
	u.Scheme, u.Host = c.gateway.Scheme, c.gateway.Host
	return u, nil
}

func (c *Client) notifyURL(raw string) (*url.URL, error) {
	u, rule := c.notify.Check(raw)
	if rule != "" {
		return nil, &ValidationError{[]Problem{{"paymentNotifyUrl", rule}}}
	}
	return u, nil
}
