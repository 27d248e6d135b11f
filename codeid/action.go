package codeid

import (
	"cmp"
	"errors"
	"net/url"
	"strings"
	"unicode"

	"github.com/alipayplus-mpp/alipayplus-go/internal/emvqr"
	"github.com/alipayplus-mpp/alipayplus-go/internal/weburl"
)

// defaultUserAgent is the user agent of rules that do not name one.
const defaultUserAgent = "AlipayConnect"

const (
	noTag         = -1
	maxExpression = 2_048 // bytes of a dynamicUrlExpression
	maxVariables  = 8     // variables in it
)

// action is what a rule says about the codes that it matches.
type action struct {
	kind      Action
	userAgent string
	untrusted bool // trust is not Y, or a version of the Java SDK is required

	// For ActionOpenURL, one of these; none of them means the code itself.
	dynamic string // "https://host/path?code=${codeValue}&i=${issuer}"
	urlTag  *urlTag
}

// urlTag is where an EMVCo code holds a URL: a root field, or a field in a
// template.
type urlTag struct {
	root int // merchantTag: the template that met the rule's conditions
	sub  int // noTag: the root field itself
}

func compileAction(public *actionDocument, extend *extendResultDocument, ignoreTrust bool) (a action, err error) {
	a.kind = Action(public.Type)
	if public.Type == "" {
		// What a rule says for wallets without the server SDK comes first.
		switch cmp.Or(extend.NonSDKRouter, extend.Router) {
		case "AC_CODE":
			a.kind = ActionDecode
		case "AC_URL":
			a.kind = ActionOpenURL
		}
	}
	a.untrusted = !ignoreTrust &&
		(extend.Trust != "" && extend.Trust != "Y" || extend.NonSDKVersion != "" || extend.SDKVersion != "")
	switch a.kind {
	case ActionDecode:
		return a, nil
	case ActionOpenURL:
	default:
		return a, errors.New("unknown action")
	}
	a.userAgent = cmp.Or(public.UserAgent, extend.UserAgent, defaultUserAgent)
	if strings.ContainsFunc(a.userAgent, unicode.IsControl) {
		return a, errors.New("user agent with control characters")
	}
	expression, tag := cmp.Or(public.Dynamic, extend.Dynamic), cmp.Or(public.URLTag, extend.URLTag)
	method := public.Method
	if method == "" { // extendInfo has none: what it gives says which
		method = "USE_DIRECTLY"
		if tag != "" {
			method = "EXTRACT_URL_FROM_EMVCODE"
		}
		if expression != "" {
			method = "CONSTRUCT_DYNAMIC_URL"
		}
	}
	switch method {
	case "USE_DIRECTLY":
	case "CONSTRUCT_DYNAMIC_URL":
		a.dynamic, err = expression, checkDynamicURL(expression)
	case "EXTRACT_URL_FROM_EMVCODE":
		a.urlTag, err = parseURLTag(tag)
	default:
		err = errors.New("unknown URL construction method")
	}
	return a, err
}

// checkDynamicURL accepts an expression with known variables. They come after
// the host, so that no code can choose it.
func checkDynamicURL(expression string) error {
	fixed := strings.NewReplacer("${codeValue}", "", "${issuer}", "").Replace(expression)
	start, _, isDynamic := strings.Cut(expression, "${")
	_, start, _ = strings.Cut(start, "://")
	u, isURL := weburl.Parse(fixed)
	switch {
	case len(expression) > maxExpression:
		return errors.New("URL expression of more than 2,048 bytes")
	case strings.Contains(fixed, "${"):
		return errors.New("unknown variable in the URL expression")
	case strings.Count(expression, "${") > maxVariables:
		return errors.New("URL expression of more than 8 variables")
	case !isURL, isDynamic && !strings.ContainsAny(start, "/?#"):
		return errors.New("URL expression without a fixed host")
	case u.Problem != "":
		return errors.New("URL expression that " + u.Problem)
	}
	return nil
}

// parseURLTag reads "merchantTag.03" (in the template that matched), "62.05" or
// "80".
func parseURLTag(text string) (*urlTag, error) {
	root, sub, nested := strings.Cut(text, ".")
	t := urlTag{root: merchantTag, sub: noTag}
	ok := true
	if root != "merchantTag" {
		t.root, ok = parseTag(root)
	}
	if ok && nested {
		t.sub, ok = parseTag(sub)
	}
	if !ok || t.root == merchantTag && !nested {
		return nil, errors.New("unknown emvUrlTag")
	}
	return &t, nil
}

// url returns what to open for a code, in whatever shape: the caller checks it.
// It is "" if the code does not have it.
func (a *action) url(v *view, account int, issuer string) string {
	if a.urlTag != nil {
		return a.urlTag.find(v.emv, account)
	}
	if a.dynamic == "" {
		return v.code
	}
	return strings.NewReplacer("${codeValue}", escape(v.code), "${issuer}", escape(cmp.Or(issuer, issuerOf(v)))).Replace(a.dynamic)
}

// escape percent-encodes text for the path, the query or the fragment of a URL.
func escape(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

func (t *urlTag) find(c *emvqr.Code, account int) string {
	if c == nil {
		return ""
	}
	root := t.root
	if root == merchantTag {
		root = account
	}
	if t.sub == noTag {
		return c.Root(root)
	}
	return c.Template(root).Find(t.sub)
}

// issuerOf returns the first six digits of an order code: 281, three digits of
// a routing number, two of a type, and more. The order code may be the last
// part of a URL's path.
func issuerOf(v *view) string {
	text := v.code
	if v.isURL && v.url.Problem == "" {
		path := v.url.Path()
		if i := strings.IndexAny(path, "?#"); i >= 0 {
			path = path[:i]
		}
		text = path[strings.LastIndexByte(path, '/')+1:]
	}
	if len(text) < 9 || text[:3] != "281" {
		return ""
	}
	for _, c := range []byte(text[3:8]) {
		if c < '0' || c > '9' {
			return ""
		}
	}
	return text[:6]
}
