package weburl

import (
	"net"
	"net/url"
	"strings"
)

// Notify says where notifications may go: to the exact origin of a gateway, to
// https on port 443 of alipayplus.com and the names below it, and to some
// further hosts.
type Notify struct {
	gateway *url.URL
	hosts   map[string]bool // as hostPort writes them
}

// NewNotify returns the rule for a gateway, which may be nil, and further
// hosts, each "name" or "name:port". It is not ok if one of them is no host
// name.
func NewNotify(gateway *url.URL, hosts []string) (n Notify, ok bool) {
	n = Notify{gateway: gateway, hosts: make(map[string]bool, len(hosts))}
	for _, entry := range hosts {
		host, ok := hostPort(entry)
		if !ok {
			return Notify{}, false
		}
		n.hosts[host] = true
	}
	return n, true
}

// Check reads raw. The rule of a host that is not allowed names that host,
// which is a plain name then: somebody may have to add it to the configuration.
func (n Notify) Check(raw string) (u *url.URL, rule string) {
	u, rule = strict(raw)
	if rule != "" {
		return nil, rule
	}
	target := u.RequestURI()
	if u.Path == "" { // sent as "/"
		u.Path, target = "/", strings.TrimPrefix(target, "/")
	}
	switch {
	case strings.Contains(raw, "#"):
		return nil, "has a fragment"
	case !strings.HasSuffix(raw, target): // the signature would cover another path
		return nil, "has a path that would be sent in another form"
	case n.gateway != nil && u.Scheme == n.gateway.Scheme && equalFoldASCII(u.Host, n.gateway.Host):
		return u, ""
	}
	host, port := u.Hostname(), u.Port()
	if port == "" {
		port = "443"
	}
	name := host
	if port != "443" {
		name = net.JoinHostPort(host, port)
	}
	switch {
	case u.Scheme != "https":
		return nil, ruleHTTPS
	case isIP(host):
		return nil, "names an IP address"
	case !isName(host):
		return nil, ruleHost
	case n.hosts[net.JoinHostPort(lower(host), port)]:
		return u, ""
	case !within(host, "alipayplus.com"):
		return nil, "names the host " + name + ", which is not allowed; if it is Alipay+'s, add it to ClientConfig.NotifyHosts"
	case port != "443":
		return nil, "names a port other than 443 at " + host
	}
	return u, ""
}

// hostPort writes entry, "name" or "name:port", in lower case and with a port,
// 443 if it names none.
func hostPort(entry string) (text string, ok bool) {
	name, port, err := net.SplitHostPort(entry)
	if err != nil {
		name, port = entry, "443"
	}
	return net.JoinHostPort(lower(name), port), isName(name) && port != "" && isPort(port)
}
