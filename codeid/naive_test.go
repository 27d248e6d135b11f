package codeid_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/alipayplus-mpp/alipayplus-go/codeid"
)

// naive is the oracle of the fuzz targets: rules and lists by their definition,
// on encoding/json, net/url and slices of runes, and nothing of this module. It
// knows what the rules of these tests use. Where Java's patterns and Go's may
// differ it has no opinion.
type naive struct {
	code   string
	url    *url.URL // nil: no URL that every program reads alike
	isURL  bool
	fields map[string]string // of an EMVCo code, nil: it is none
	unsure bool
}

func newNaive(code string) *naive {
	n := &naive{code: strings.TrimRight(strings.TrimLeft(code, "\ufeff"), " \t\r\n")}
	lower := strings.ToLower(n.code)
	n.isURL = strings.HasPrefix(lower, "http://") || strings.HasPrefix(lower, "https://")
	if n.isURL {
		n.url = naiveURL(n.code)
		return n
	}
	if f, ok := naiveFields(n.code, false); ok && naiveIsCode(n.code, f) {
		n.fields = f
	}
	return n
}

var (
	naiveHost = regexp.MustCompile(`^(?:[A-Za-z0-9_-]+\.)*[A-Za-z0-9_-]+(?::[0-9]{0,5})?$`)
	naiveDots = regexp.MustCompile(`(?i)(?:/|%2f|%5c)(?:\.|%2e){1,2}(?:;[^/]*?)?(?:/|%2f|%5c|$)`)
)

func naiveURL(text string) *url.URL {
	for _, r := range text {
		if r == '\\' || r == utf8.RuneError || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
			return nil
		}
	}
	// Percent signs are no escapes here, and the host ends at the first of these.
	_, rest, _ := strings.Cut(text, "://")
	authority := rest
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority = rest[:i]
	}
	path := rest[len(authority):]
	if i := strings.IndexAny(path, "?#"); i >= 0 {
		path = path[:i]
	}
	if !naiveHost.MatchString(authority) || len(authority) > 250 || naiveDots.MatchString(path) {
		return nil
	}
	u, err := url.Parse(strings.ReplaceAll(text, "%", "%25"))
	if err != nil || u.User != nil {
		return nil
	}
	u.Host = strings.ToLower(u.Host)
	port := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	u.Host = strings.TrimSuffix(strings.TrimSuffix(u.Host, ":"+port), ":")
	return u
}

// rest returns all that follows the host of a URL.
func (n *naive) rest(text string) string {
	_, rest, _ := strings.Cut(text, "://")
	i := strings.IndexAny(rest, "/?#")
	if i < 0 {
		return "/"
	}
	if rest[i] != '/' {
		return "/" + rest[i:]
	}
	return rest[i:]
}

func (n *naive) begins(prefix string) bool {
	p := newNaive(prefix)
	if !p.isURL || !n.isURL {
		return p.isURL == n.isURL && strings.HasPrefix(n.code, prefix)
	}
	return n.url != nil && p.url != nil && n.url.Scheme == p.url.Scheme && n.url.Host == p.url.Host &&
		strings.HasPrefix(n.rest(n.code), p.rest(prefix))
}

// matches has an opinion on texts of ASCII without control characters.
func (n *naive) matches(pattern, value string) bool {
	for _, r := range value {
		n.unsure = n.unsure || r < ' ' || r > '~'
	}
	if i := strings.Index(pattern, "(?!"); i >= 0 {
		before, after := pattern[:i], pattern[i+3:]
		ahead, after, _ := strings.Cut(after, ")")
		return regexp.MustCompile("^(?:"+before+after+")$").MatchString(value) &&
			!regexp.MustCompile("^(?:"+before+ahead+")").MatchString(value)
	}
	return regexp.MustCompile("^(?:" + pattern + ")$").MatchString(value)
}

func (n *naive) holds(expression, value string) bool {
	operand := ""
	if len(expression) > 3 {
		operand = expression[2 : len(expression)-1]
	}
	switch {
	case expression == "N<NULL>":
		return value == ""
	case value == "":
		return false
	case expression == "N<NOT_NULL>":
		return true
	case strings.HasPrefix(expression, "S<"):
		return strings.HasPrefix(value, operand)
	case strings.HasPrefix(expression, "C<"):
		return strings.Contains(value, operand)
	case strings.HasPrefix(expression, "R<"):
		return n.matches(operand, value)
	}
	return value == expression
}

// field returns the value at the end of a path.
func (n *naive) field(tags ...string) (value string, readable bool) {
	value = n.fields[tags[0]]
	for i, tag := range tags[1:] {
		root, _ := strconv.Atoi(tags[0])
		if value == "" {
			return "", true
		}
		fields, ok := naiveFields(value, true)
		if !ok || i == 0 && (root < 26 || root > 51 && root != 62 && root != 64 && root < 80) {
			return "", false
		}
		value = fields[tag]
	}
	return value, true
}

type naiveText = map[string]any

// inner returns an object, which may be JSON in a string.
func inner(v any) naiveText {
	if text, ok := v.(string); ok {
		_ = json.Unmarshal([]byte(text), &v)
	}
	o, _ := v.(naiveText)
	return o
}

var naiveRoots = map[string]string{
	"payloadFormatIndicator": "00", "pointOfInitiationMethod": "01", "merchantCategoryCode": "52", "transactionCurrency": "53",
	"transactionAmount": "54", "convenienceIndicator": "55", "fixedConvenienceFee": "56", "percentageConvenienceFee": "57",
	"countryCode": "58", "merchantName": "59", "merchantCity": "60", "postalCode": "61",
}

// takes reports whether a rule matches the code.
func (n *naive) takes(raw json.RawMessage) bool {
	var rule naiveText
	if err := json.Unmarshal(raw, &rule); err != nil {
		panic(err)
	}
	public, extend := inner(rule["codeMatchPattern"]), inner(inner(rule["extendInfo"])["matchPattern"])
	for _, p := range []any{public["prefix"], extend["prefix"]} {
		if p != nil && !n.begins(p.(string)) {
			return false
		}
	}
	all := map[string]string{} // path: expression
	account := map[string]string{}
	items, _ := public["emvMatchRules"].([]any)
	for _, i := range items {
		e := i.(naiveText)
		if e["primitiveMerchant"] == true || e["isPrimitiveMerchant"] == true {
			all[e["primitiveMerchantTag"].(string)] = "N<NOT_NULL>"
		} else {
			account[e["extendedMerchantTag"].(string)] = e["extendedMerchantValue"].(string)
		}
	}
	if extend["primitiveMai"] == true {
		all[extend["primitiveMaiTag"].(string)] = "N<NOT_NULL>"
	}
	for tag, v := range inner(extend["merchantMaiRestrictions"]) {
		account[tag] = v.(string)
	}
	for tag, v := range inner(extend["additionalDataFieldTemplate"]) {
		all["62."+tag] = v.(string)
	}
	for name, tag := range naiveRoots {
		if v, ok := extend[name].(string); ok {
			all[tag] = v
		}
	}
	items, _ = extend["accurateTagRules"].([]any)
	for _, i := range items {
		e := i.(naiveText)
		path := e["tag"].(string) + "." + e["secTag"].(string)
		if third, ok := e["thiTag"].(string); ok {
			path += "." + third
		}
		all[path] = e["rule"].(string)
	}
	if len(all)+len(account) > 0 && n.fields == nil {
		return false
	}
	for path, expression := range all {
		value, readable := n.field(strings.Split(path, ".")...)
		if !readable || !n.holds(expression, value) {
			return false
		}
	}
	met := len(account) == 0
	for tag := 26; tag <= 51 && !met; tag++ {
		fields, ok := naiveFields(n.fields[fmt.Sprint(tag)], true)
		met = ok
		for sub, expression := range account {
			met = met && n.holds(expression, fields[sub])
		}
	}
	if !met {
		return false
	}
	for _, p := range []any{public["regex"], extend["regx"]} {
		if p == nil {
			continue
		}
		if utf8.RuneCountInString(n.code) > 512 || !n.matches(p.(string), n.code) {
			return false
		}
	}
	return true
}

// naiveRule returns the index of the rule that decides about a code; it is not
// sure if patterns meet texts that Java and Go may read in different ways.
func naiveRule(rules []json.RawMessage, code string) (index int, sure bool) {
	type ranked struct {
		index    int
		priority float64
	}
	var order []ranked
	for i, raw := range rules {
		var rule naiveText
		if err := json.Unmarshal(raw, &rule); err != nil {
			panic(err)
		}
		priority, ok := inner(rule["codeMatchPattern"])["priority"].(float64)
		if !ok {
			if priority, ok = inner(inner(rule["extendInfo"])["matchPattern"])["priority"].(float64); !ok {
				priority = 10_000
			}
		}
		order = append(order, ranked{i, priority})
	}
	slices.SortStableFunc(order, func(a, b ranked) int { return cmp.Compare(a.priority, b.priority) })
	n := newNaive(code)
	if n.code == "" {
		return codeid.NoRule, true
	}
	for _, r := range order {
		if n.takes(rules[r.index]) {
			return r.index, !n.unsure
		}
	}
	return codeid.NoRule, !n.unsure
}

// naiveFields reads a row of fields, with lengths in code points.
func naiveFields(text string, emptyFields bool) (fields map[string]string, ok bool) {
	fields = map[string]string{}
	for rest := []rune(text); len(rest) > 0; {
		if len(rest) < 4 || strings.Trim(string(rest[:4]), "0123456789") != "" {
			return nil, false
		}
		tag := string(rest[:2])
		length, _ := strconv.Atoi(string(rest[2:4]))
		if _, twice := fields[tag]; twice || len(rest) < 4+length || length == 0 && !emptyFields {
			return nil, false
		}
		fields[tag] = string(rest[4 : 4+length])
		rest = rest[4+length:]
	}
	return fields, len(fields) > 0
}

func naiveIsCode(text string, fields map[string]string) bool {
	sum := fields["63"]
	want, err := strconv.ParseUint(sum, 16, 16)
	if !strings.HasPrefix(text, "00") || len(sum) != 4 || err != nil || !strings.HasSuffix(text, "6304"+sum) {
		return false
	}
	crc := uint16(0xFFFF)
	for _, b := range []byte(text[:len(text)-4]) {
		for bit := 7; bit >= 0; bit-- {
			top := crc>>15 ^ uint16(b>>bit)&1
			if crc <<= 1; top == 1 {
				crc ^= 0x1021
			}
		}
	}
	return crc == uint16(want)
}

// The naive matcher agrees with the corpus: it is worth something.
func TestNaiveMatcherOnTheCorpus(t *testing.T) {
	body := read(t, "rules.json")
	rules, _ := names(t, body)
	raw := rawRules(t, body)
	for _, c := range corpus(t) {
		got, sure := naiveRule(raw, c.Code)
		name := ""
		if got != codeid.NoRule {
			name = rules[got]
		}
		if sure && name != c.Rule {
			t.Errorf("%s: %q, want %q", c.Name, name, c.Rule)
		}
	}
}

// Random sets of rules and codes: the rule that decides is the one that the
// naive matcher finds.
func TestRulesAgreeWithTheNaiveMatcher(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	pick := func(s ...string) string { return s[random.IntN(len(s))] }
	address := func() string {
		return pick("http://", "https://", "HTTPS://") + pick("a", "b", "A") + pick(".example", ".example:8080", ".example:443") +
			pick("", "/", "/x", "/x/", "/x/y", "/X", "?q", "/x?q", "/x/y/z")
	}
	text := func() string { return randomText(random, "", "ab", 6) + "c" }
	value := func() string { return pick("L1", "L2", "L3", "S<L>", "C<2>", "R<L[12]>", "N<NULL>", "N<NOT_NULL>") }
	code := func() string {
		switch random.IntN(3) {
		case 0:
			return address()
		case 1:
			return text()
		}
		fields := []string{tlv(0, "01")}
		if random.IntN(3) == 0 {
			fields = append(fields, tlv(15, "1"))
		}
		for tag := 26; tag < 29; tag++ {
			if random.IntN(2) == 0 {
				fields = append(fields, tlv(tag, tlv(0, pick("L1", "L2", "L3", "L4"))+tlv(1, pick("L1", "L2", "L3", "L4"))))
			}
		}
		if random.IntN(3) > 0 {
			fields = append(fields, tlv(58, pick("L1", "L2", "L3")))
		}
		return emv(fields...)
	}
	hits := map[bool]int{}
	for range 100 {
		var rules []object
		for range 1 + random.IntN(30) {
			priority := random.IntN(4)
			var r object
			switch random.IntN(6) {
			case 0:
				r = prefix(address(), "priority", priority)
			case 1:
				r = prefix(text(), "priority", priority)
			case 2:
				r = regex("[abc]{"+pick("2", "3,", "5")+"}", "priority", priority)
			case 3:
				r = account("00", value(), "01", value())
				r["codeMatchPattern"].(object)["priority"] = priority
			case 4:
				r = extended(t, account("00", value()), "countryCode", value(), "priority", priority)
			case 5:
				r = extended(t, rule(decode, "EMVCO"), "priority", priority, "primitiveMai", true, "primitiveMaiTag", "15", "countryCode", value())
			}
			rules = append(rules, r)
		}
		set := parse(t, ruleset(t, "v", rules...), codeid.RuleOptions{})
		if len(set.Skipped()) > 0 {
			t.Fatal(set.Skipped())
		}
		raw := rawRules(t, ruleset(t, "v", rules...))
		for range 40 {
			c := code()
			id, err := set.Identify(c)
			if want, sure := naiveRule(raw, c); err != nil || sure && id.Rule != want {
				t.Fatalf("%q: rule %d, want %d; %v\n%s", c, id.Rule, want, err, encode(t, rules))
			}
			hits[id.Rule != codeid.NoRule]++
		}
	}
	if hits[true] < 600 || hits[false] < 600 {
		t.Errorf("hits and misses: %v", hits)
	}
}
