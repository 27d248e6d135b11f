package easypay

import (
	"errors"
	"net/url"
	"strings"

	"github.com/alipayplus-mpp/alipayplus-go/internal/weburl"
)

// Redirect returns the URL that the user goes to after the verification: raw
// with status=success or status=fail, which is the end of the verification, not
// of the payment.
//
// Everything else of raw stays as it is, byte for byte, because the order and
// the percent-encoding of its query have a meaning. The parameter is appended,
// before a fragment; a status that is there already gets the new value in its
// place.
//
// raw must be an absolute https URL of at most 2,048 characters without
// user-info, IP address, backslash, blank and control character. An error names
// the rule that raw breaks, never raw.
func Redirect(raw string, verified bool) (string, error) {
	if rule := weburl.Public(raw); rule != "" {
		return "", errors.New("easypay: the redirect URL " + rule)
	}
	status := "fail"
	if verified {
		status = "success"
	}
	head, fragment := raw, ""
	if i := strings.IndexByte(raw, '#'); i >= 0 {
		head, fragment = raw[:i], raw[i:]
	}
	path, query, hasQuery := strings.Cut(head, "?")
	if !hasQuery {
		return path + "?status=" + status + fragment, nil
	}
	parameters := strings.Split(query, "&")
	replaced := false
	for i, parameter := range parameters {
		name, _, _ := strings.Cut(parameter, "=")
		if plain, err := url.QueryUnescape(name); err == nil && plain == "status" {
			parameters[i] = name + "=" + status
			replaced = true
		}
	}
	query = strings.Join(parameters, "&")
	switch {
	case replaced:
	case query == "", strings.HasSuffix(query, "&"):
		query += "status=" + status
	default:
		query += "&status=" + status
	}
	return path + "?" + query + fragment, nil
}
