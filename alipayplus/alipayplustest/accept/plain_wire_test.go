package accept_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// This wallet is written on net/http, encoding/json and crypto/rsa alone, as a
// team might that never saw the SDK. It is right, and the animals of the zoo
// are made of it: each has the name of one thing that it does wrong.

type members = map[string]any

func plainDigest(target, clientID, at string, body []byte) []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "POST %s\n%s.%s.%s", target, clientID, at, body))
	return sum[:]
}

// sign returns the headers of a message.
func (w *plain) sign(h http.Header, timeHeader, target string, body []byte) {
	w.db.mu.Lock()
	version := w.db.version
	w.db.mu.Unlock()
	if timeHeader == "Request-Time" && w.is("signs what it sends with its old key") {
		version = "1"
	}
	at := time.Now().UTC().Format(w.timeForm)
	value, err := rsa.SignPKCS1v15(rand.Reader, w.keys[version], crypto.SHA256, plainDigest(target, w.clientID, at, body))
	if err != nil {
		panic(err)
	}
	h.Set("Client-Id", w.clientID)
	h.Set(timeHeader, at)
	h.Set("Content-Type", "application/json; charset=UTF-8")
	h.Set("Signature", "algorithm=RSA256,keyVersion="+version+",signature="+url.QueryEscape(base64.StdEncoding.EncodeToString(value)))
}

// verifies reports whether a message of Alipay+ is signed.
func (w *plain) verifies(h http.Header, timeHeader, target string, body []byte) bool {
	if h.Get("Signature") == "" && w.is("skips the check without a header") {
		return true
	}
	var version, signature string
	for item := range strings.SplitSeq(h.Get("Signature"), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(item), "=")
		switch {
		case name == "algorithm" && value != "RSA256":
			return w.is("takes the algorithm from the message")
		case name == "keyVersion":
			version = value
		case name == "signature":
			signature = value
		}
	}
	clientID := h.Get("Client-Id")
	if clientID != w.clientID && !w.is("takes any client id") || h.Get(timeHeader) == "" {
		return false
	}
	key := w.alipayKeys[version]
	if version != "1" && w.is("knows one key of Alipay+") {
		return false
	}
	text, err := url.PathUnescape(signature)
	if err != nil || key == nil {
		return false
	}
	value, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return false
	}
	if w.is("signs and verifies no path") {
		for _, other := range []string{target, target + "x", "/aps/api/v1/payments/notifyPayment"} {
			if rsa.VerifyPKCS1v15(key, crypto.SHA256, plainDigest(other, clientID, h.Get(timeHeader), body), value) == nil {
				return true
			}
		}
	}
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, plainDigest(target, clientID, h.Get(timeHeader), body), value) == nil
}

// call asks Alipay+ once. status is "" unless it is a verified S or F.
func (w *plain) call(ctx context.Context, address string, body []byte, timeout time.Duration) (status string, answer members) {
	if w.is("waits without a time limit") {
		timeout = time.Hour
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return "", nil
	}
	w.sign(r.Header, "Request-Time", r.URL.RequestURI(), body)
	if w.is("signs a message once") {
		w.db.mu.Lock()
		first := w.db.signed[string(body)]
		if first == nil {
			w.db.signed[string(body)] = r.Header
		}
		w.db.mu.Unlock()
		if first != nil {
			r.Header = first
		}
	}
	response, err := w.client.RoundTrip(r)
	if err != nil {
		return "", nil
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return "", nil
	}
	if location := response.Header.Get("Location"); location != "" && w.is("follows redirects") {
		return w.call(ctx, location, body, timeout)
	}
	if !w.verifies(response.Header, "Response-Time", r.URL.RequestURI(), text) {
		if !w.is("believes answers that do not verify") {
			return "", nil
		}
	}
	at, err := time.Parse(time.RFC3339, response.Header.Get("Response-Time"))
	if (err != nil || time.Since(at).Abs() > 15*time.Minute) && !w.is("believes old answers") && !w.is("believes answers that do not verify") && !w.is("skips the check without a header") {
		return "", nil
	}
	answer, err = w.parse(text)
	if err != nil {
		return "", nil
	}
	status = str(answer, "result", "resultStatus")
	if w.is("compares the status without case") {
		status = strings.ToUpper(status)
	}
	if status != "S" && status != "F" {
		return "", answer
	}
	return status, answer
}

// parse reads JSON: scalars are strings afterwards.
func (w *plain) parse(body []byte) (members, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	v, err := w.value(d)
	if err != nil {
		return nil, err
	}
	m, ok := v.(members)
	if !ok {
		return nil, errors.New("no object")
	}
	return m, nil
}

func (w *plain) value(d *json.Decoder) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '[' {
			var list []any
			for d.More() {
				v, err := w.value(d)
				if err != nil {
					return nil, err
				}
				list = append(list, v)
			}
			_, err = d.Token()
			return list, err
		}
		m := members{}
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return nil, err
			}
			if _, twice := m[name.(string)]; twice && !w.is("lets the last of two members win") {
				return nil, errors.New("a member is there twice")
			}
			v, err := w.value(d)
			if err != nil {
				return nil, err
			}
			m[name.(string)] = v
		}
		_, err = d.Token()
		return m, err
	case json.Number:
		if w.is("refuses native scalars") {
			return nil, errors.New("a number")
		}
		return t.String(), nil
	case bool:
		return strconv.FormatBool(t), nil
	case string:
		return t, nil
	}
	return nil, nil
}

// str returns the text at the path.
func str(v members, path ...string) string {
	for _, name := range path[:len(path)-1] {
		v, _ = v[name].(members)
	}
	s, _ := v[path[len(path)-1]].(string)
	return s
}

func obj(v members, name string) members {
	o, _ := v[name].(members)
	return o
}

// money is an amount.
type money struct {
	currency string
	minor    int64
}

func amountAt(v members, path ...string) (money, bool) {
	value := str(v, append(path, "value")...)
	currency := str(v, append(path, "currency")...)
	if len(value) == 0 || len(value) > 16 || len(currency) != 3 || strings.Trim(value, "0123456789") != "" {
		return money{}, false
	}
	minor, err := strconv.ParseInt(value, 10, 64)
	return money{currency, minor}, err == nil
}

func (m money) json() members {
	return members{"currency": m.currency, "value": strconv.FormatInt(m.minor, 10)}
}

func marshal(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return data
}

func plainResult(status, code string) members {
	return members{"result": members{"resultStatus": status, "resultCode": code}}
}
