package codeid_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/codeid"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// mix returns a rule set in the shape of real ones: five regular expressions,
// and of the others half prefixes, for URLs and for texts, and half EMVCo
// rules: a scheme, an acquirer, a country, most with an amount or without.
func mix(t testing.TB, n int) *codeid.Ruleset {
	t.Helper()
	schemes := []struct{ guid, country, currency string }{
		{"A0000006150001", "MY", "458"}, {"A000000677010111", "TH", "764"}, {"ID.CO.QRIS.WWW", "ID", "360"},
		{"A000000727", "VN", "704"}, {"hk.com.hkicl", "HK", "344"}, {"SG.PAYNOW", "SG", "702"},
	}
	rules := []object{prefix("https://first.example/")}
	for i := range 5 {
		rules = append(rules, regex(fmt.Sprintf("^EXR%d[0-9]{6}(?!0000$)[0-9A-Z]*$", i)))
	}
	for i := 0; len(rules) < n-1; i++ {
		switch i % 4 {
		case 0:
			rules = append(rules, prefix(fmt.Sprintf("https://qr%d.example/m/%d/", i%97, i)))
		case 2:
			rules = append(rules, prefix(fmt.Sprintf("281%03d04%d", i%1000, i)))
		default:
			s := schemes[i%len(schemes)]
			rules = append(rules, extended(t, account("00", s.guid, "01", fmt.Sprintf("ACQ%06d", i/2)), "matcherType", "EMVCO",
				"countryCode", s.country, "transactionCurrency", s.currency,
				"transactionAmount", []string{"N<NULL>", "N<NOT_NULL>"}[i/2%2]))
		}
	}
	rules = append(rules, prefix("LAST-"))
	set := parse(t, ruleset(t, "c_1_mix", rules...), codeid.RuleOptions{MaxRules: n, MaxBytes: 64 << 20})
	if set.Len() != n {
		t.Fatal(set.Len(), set.Skipped())
	}
	return set
}

var mixCodes = []struct{ name, code string }{
	{"first", "https://first.example/28100104AbCdEf0123456789"},
	{"last", "LAST-0123456789"},
	{"miss", "https://miss.example/28100104AbCdEf0123456789"},
	{"emv", emv(tlv(0, "01"), tlv(1, "12"), tlv(26, tlv(0, "A000000677010111")+tlv(1, "ACQ000021")+tlv(2, "M1")), tlv(52, "5812"),
		tlv(53, "764"), tlv(54, "120.00"), tlv(58, "TH"), tlv(59, "Example Shop"), tlv(60, "Bangkok"))},
	{"emv-miss", emv(tlv(0, "01"), tlv(1, "12"), tlv(26, tlv(0, "A000000677010111")+tlv(1, "NONE")+tlv(2, "M1")), tlv(52, "5812"),
		tlv(53, "764"), tlv(54, "120.00"), tlv(58, "TH"), tlv(59, "Example Shop"), tlv(60, "Bangkok"))},
}

// BenchmarkIdentify compares, in turns, one identification at 75 rules (as many
// as real sets have) and at 2,000 (the limit) with one RSA signature of 2,048
// bits, which every call to Alipay+ needs:
//
//	ns/N       one identification with N rules, the median of all runs and codes
//	%call-N    that, in hundredths of a signature
func BenchmarkIdentify(b *testing.B) {
	sizes := []int{75, 2_000}
	var sets []*codeid.Ruleset
	for _, n := range sizes {
		sets = append(sets, mix(b, n))
	}
	key := testkit.Keys().Wallet
	digest := sha256.Sum256([]byte("content"))
	for _, c := range mixCodes {
		b.Run(c.name, func(b *testing.B) {
			took := make([][]float64, len(sets))
			var floor []float64
			for b.Loop() {
				start := time.Now()
				if _, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:]); err != nil {
					b.Fatal(err)
				}
				floor = append(floor, float64(time.Since(start).Nanoseconds()))
				for s, set := range sets {
					const batch = 20
					start := time.Now()
					for range batch {
						_, _ = set.Identify(c.code)
					}
					took[s] = append(took[s], float64(time.Since(start).Nanoseconds())/batch)
				}
			}
			for s, n := range sizes {
				b.ReportMetric(median(took[s]), fmt.Sprintf("ns/%d", n))
				b.ReportMetric(100*median(took[s])/median(floor), fmt.Sprintf("%%call-%d", n))
			}
			b.ReportMetric(0, "ns/op") // of a whole round: says nothing
		})
	}
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

func TestMixCodes(t *testing.T) {
	for _, n := range []int{75, 2_000} {
		set := mix(t, n)
		for i, want := range []int{0, n - 1, codeid.NoRule} {
			if id, _ := set.Identify(mixCodes[i].code); id.Rule != want {
				t.Errorf("%d rules, %s: rule %d, want %d", n, mixCodes[i].name, id.Rule, want)
			}
		}
		if id, _ := set.Identify(mixCodes[3].code); id.Rule == codeid.NoRule {
			t.Errorf("%d rules: no rule for the EMVCo code", n)
		}
	}
}

func TestIdentifyAllocations(t *testing.T) {
	set := parse(t, ruleset(t, "v", prefix("https://d.example/"), rule(openURL("USE_DIRECTLY"), "PREFIX", "prefix", "https://o.example/"),
		regex("[a-z]*"), account("00", "X")), codeid.RuleOptions{})
	var codes []string
	for i := range 1000 {
		codes = append(codes, fmt.Sprintf("HTTPS://O.EXAMPLE/%d", i), fmt.Sprintf("https://o.example/%d", i),
			fmt.Sprintf("https://d.example/%d", i), fmt.Sprintf("https://miss.example/%d", i))
	}
	for i, most := range []float64{3, 1, 0, 0} {
		n := 0
		got := testing.AllocsPerRun(500, func() {
			id, err := set.Identify(codes[n*4+i]) // another code each time
			if err != nil || id.Supported != (i < 3) {
				t.Fatal(id, err)
			}
			n++
		})
		if got > most {
			t.Errorf("%s: %v allocations, want at most %v", codes[i], got, most)
		}
	}
}

// worst returns rule sets that are accepted, and codes, that take as long as
// possible, each in another way.
func worst(t testing.TB) map[string]struct {
	body []byte
	code string
} {
	full := make([]string, 0, 30) // an EMVCo code with 26 full templates
	for tag := 26; tag <= 51; tag++ {
		full = append(full, tlv(tag, tlv(0, "X")+tlv(1, strings.Repeat("e", 86))))
	}
	fill := []string{tlv(0, "01"), tlv(58, "XX")}
	for i := range 54 { // 2 to 19 and 64 to 99
		fill = append(fill, tlv(map[bool]int{true: 2 + i, false: 46 + i}[i < 18], strings.Repeat("e", 99)))
	}
	longEMV := emv(append(fill, full...)...)
	shortEMV := emv(tlv(0, "01"), tlv(58, "XX"), full[0], full[1], full[2], full[3], tlv(80, strings.Repeat("e", 70)))
	small := make([]string, 0, 30) // and one with as many fields as possible
	for tag := 26; tag <= 51; tag++ {
		fields := ""
		for sub := range 19 {
			fields += tlv(sub, "X")
		}
		small = append(small, tlv(tag, fields))
	}
	manyFields := emv(append([]string{tlv(0, "01")}, small...)...)

	slow := []string{`(?:\w*\w){%d}b`, `(?:[^a]*[^b]){%d}c`, `(?:(?:[^a]?)*){%d}b`}
	size := map[string]int{slow[0]: 240, slow[1]: 240, slow[2]: 240}
	repeat := func(n int, f func(i int) object) (rules []object) {
		for i := range n {
			rules = append(rules, f(i))
		}
		return rules
	}
	type c = struct {
		body []byte
		code string
	}
	if len(shortEMV) > 512 || len(longEMV) < 8_100 || len(longEMV) > 8_192 {
		t.Fatal(len(shortEMV), len(longEMV))
	}
	cases := map[string]c{}
	for i, p := range slow {
		codes := repeat(6, func(i int) object { return regex(fmt.Sprintf(p, size[p]+i)) })
		values := repeat(25, func(i int) object { return account("00", "X", "01", "R<"+fmt.Sprintf(p, size[p]-i)+">") })
		cases[fmt.Sprintf("code patterns %d", i)] = c{ruleset(t, "v", codes...), strings.Repeat("e", 512)}
		cases[fmt.Sprintf("value patterns %d", i)] = c{ruleset(t, "v", values...), longEMV}
		cases[fmt.Sprintf("both %d", i)] = c{ruleset(t, "v", append(codes, values...)...), shortEMV}
	}
	long := strings.Repeat("é", 8_192)
	cases["text of three bytes a character"] = c{ruleset(t, "v", repeat(5, func(i int) object {
		return regex(fmt.Sprintf(`(?:(?:[^a]?)*){%d}b`, 240-i))
	})...), strings.Repeat("文", 512)}
	cases["conditions not indexed"] = c{ruleset(t, "v", repeat(2000, func(i int) object {
		return account("00", "C<X>", "01", "S<e>", "01", fmt.Sprintf("C<e%d>", i))
	})...), longEMV}
	cases["conditions at one field"] = c{ruleset(t, "v", repeat(2000, func(i int) object {
		return account("00", "X", "01", "S<e>", "01", "C<ef>", "02", fmt.Sprintf("S<e%d>", i))
	})...), longEMV}
	cases["every field is a candidate"] = c{ruleset(t, "v", repeat(2000, func(i int) object {
		return account(fmt.Sprintf("%02d", i%19), "X", "18", "N<NULL>")
	})...), manyFields}
	cases["nested prefixes"] = c{ruleset(t, "v", repeat(2000, func(i int) object {
		return prefix(strings.Repeat("a", i+1)+"b", "priority", i)
	})...), strings.Repeat("a", 8192)}
	cases["nested paths"] = c{ruleset(t, "v", append(repeat(1000, func(i int) object {
		return prefix("https://h.example/"+strings.Repeat("a", i+1), "priority", i)
	}), repeat(1000, func(i int) object {
		return prefix("https://h.example/"+strings.Repeat("a", i+1)+"b", "priority", i)
	})...)...), "https://h.example/" + strings.Repeat("a", 8174)}
	cases["long URL"] = c{ruleset(t, "v", rule(openURL("CONSTRUCT_DYNAMIC_URL", "dynamicUrlExpression",
		"https://h.example/"+strings.Repeat("${codeValue}", 8)), "PREFIX", "prefix", "é")), long}
	cases["64 conditions in 64 KiB"] = c{ruleset(t, "v", repeat(500, func(i int) object {
		var pairs []string
		for j := range 64 {
			pairs = append(pairs, "01", fmt.Sprintf("C<%s%d%d>", strings.Repeat("e", 9), i, j))
		}
		return account(pairs...)
	})...), longEMV}
	return cases
}

// BenchmarkWorst reports for the slowest of them the milliseconds of one
// identification, and for the largest the MiB that compiling it allocates in
// all (which is more than what is in use at once), and the MiB that stay.
func BenchmarkWorst(b *testing.B) {
	slowest, largest, stays, name := 0.0, 0.0, 0.0, ""
	for n, c := range worst(b) {
		var before, after, kept runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		set, err := codeid.ParseRuleset(c.body, codeid.RuleOptions{})
		runtime.ReadMemStats(&after)
		if err != nil {
			b.Fatal(n, err)
		}
		var took []float64
		for range 7 {
			start := time.Now()
			_, err = set.Identify(c.code)
			took = append(took, time.Since(start).Seconds()*1000)
		}
		if err != nil {
			b.Fatal(n, err)
		}
		runtime.GC()
		runtime.ReadMemStats(&kept)
		runtime.KeepAlive(set)
		if ms := median(took); ms > slowest {
			slowest, name = ms, n
		}
		mib := float64(after.TotalAlloc-before.TotalAlloc) / (1 << 20)
		largest = max(largest, mib)
		stays = max(stays, float64(int64(kept.HeapAlloc)-int64(before.HeapAlloc))/(1<<20))
		b.Logf("%-28s %6.1f ms %6.1f MiB, %d rules in use of %d KiB", n, median(took), mib, set.Len(), len(c.body)>>10)
	}
	for b.Loop() { //nolint:revive // measured above
	}
	b.Logf("the slowest: %s", name)
	b.ReportMetric(slowest, "ms-slowest")
	b.ReportMetric(largest, "MiB-allocated")
	b.ReportMetric(stays, "MiB-stay")
	b.ReportMetric(0, "ns/op")
}

// The worst cases as a test: they are accepted and come to an end. Most take a
// second under -race and run with ALIPAYPLUS_LONG=1.
func TestWorst(t *testing.T) {
	for name, c := range worst(t) {
		if !strings.HasPrefix(name, "both") && os.Getenv("ALIPAYPLUS_LONG") == "" {
			continue
		}
		set, err := codeid.ParseRuleset(c.body, codeid.RuleOptions{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := set.Identify(c.code); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if set.Len() == 0 {
			t.Errorf("%s: no rule in use: %v", name, set.Skipped()[0])
		}
	}
}
