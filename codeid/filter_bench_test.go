package codeid_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/codeid"
)

// million makes n entries, 40 % exact, 30 % prefixes (half of them of URLs), 20
// % hosts (half of them with the hosts below) and 10 % GUIDs, and codes, half
// of which are in the list, in the same proportions.
func million(n int) (entries []codeid.Entry, codes []string) {
	random := rand.New(rand.NewPCG(5, 6))
	word := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = "0123456789abcdefghijklmnopqrstuvwxyz"[random.IntN(36)]
		}
		return string(b)
	}
	digits := func(n int) string { return fmt.Sprintf("%0*d", n, random.Uint64()%1_000_000_000) }
	qr := func(guid string) string {
		return emv(tlv(0, "01"), tlv(1, "11"), tlv(26, tlv(0, guid)+tlv(1, digits(15))), tlv(52, "5812"), tlv(53, "764"), tlv(58, "TH"),
			tlv(59, "EXAMPLE SHOP "+word(6)), tlv(60, "CITY"))
	}
	for i := range n {
		hit := i%2 == 0
		var e codeid.Entry
		var code string
		switch p := i / 2 % 10; {
		case p < 4:
			e = codeid.Entry{Kind: codeid.KindExact, Value: "281" + digits(3) + "04" + word(18)}
			code = "281" + digits(3) + "04" + word(18)
		case p < 7 && i%4 < 2:
			e = codeid.Entry{Kind: codeid.KindPrefix, Value: "https://" + word(5) + ".example/m/" + word(6+random.IntN(10)) + "/"}
			code = "https://" + word(5) + ".example/m/" + word(10) + "/" + word(8)
		case p < 7:
			e = codeid.Entry{Kind: codeid.KindPrefix, Value: "EX" + word(6+random.IntN(10))}
			code = "EX" + word(24)
		case p < 9:
			e = codeid.Entry{Kind: codeid.KindHost, Value: map[bool]string{true: "*.", false: ""}[i%4 < 2] + word(9) + ".example"}
			code = "https://" + word(9) + ".example/" + word(16)
		default:
			e = codeid.Entry{Kind: codeid.KindGUID, Value: "com.example." + word(12)}
			code = qr("com.example." + word(12))
		}
		entries = append(entries, e)
		if hit {
			switch e.Kind {
			case codeid.KindExact:
				code = e.Value
			case codeid.KindPrefix:
				code = e.Value + word(8)
			case codeid.KindHost:
				code = "https://" + strings.Replace(e.Value, "*.", "pay.", 1) + "/" + word(16)
			case codeid.KindGUID:
				code = qr(e.Value)
			default:
			}
		}
		if i < 100_000 {
			codes = append(codes, strings.Clone(code))
		}
	}
	return entries, codes
}

// BenchmarkFilter compares, in turns, a list of a million entries with a plain
// Go map of them, asked for the same strings:
//
//	x-map      time of a check in times of a look-up
//	x-memory   memory in times of the map's, strings included
func BenchmarkFilter(b *testing.B) {
	entries, codes := million(1_000_000)
	heap := func() float64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc)
	}
	before := heap()
	plain := make(map[string]struct{}, len(entries))
	for _, e := range entries {
		plain[strings.Clone(e.Value)] = struct{}{}
	}
	plainSize := heap() - before

	before = heap()
	file := new(strings.Builder)
	for _, e := range entries {
		fmt.Fprintln(file, e.Kind, e.Value)
	}
	text := file.String()
	file = nil
	whole := heap() - before
	l, err := codeid.ReadList(strings.NewReader(text))
	if err != nil {
		b.Fatal(err)
	}
	listSize := heap() - before - whole
	runtime.KeepAlive(text)
	runtime.KeepAlive(entries)
	f := codeid.NewFilter(codeid.Lists{Allow: l})

	hits := 0
	for _, c := range codes {
		if f.Check(c).Decision == codeid.DecisionLocal {
			hits++
		}
	}
	const batch = 2_000
	var ratios []float64
	var took, floor time.Duration
	at, found := 0, 0
	check := func(part []string) time.Duration {
		start := time.Now()
		for _, c := range part {
			if f.Check(c).Decision == codeid.DecisionLocal {
				found++
			}
		}
		return time.Since(start)
	}
	lookUp := func(part []string) time.Duration {
		start := time.Now()
		for _, c := range part {
			if _, ok := plain[c]; ok {
				found++
			}
		}
		return time.Since(start)
	}
	for b.Loop() {
		part := codes[at : at+batch]
		at = (at + batch) % len(codes)
		var one, other time.Duration
		if len(ratios)%2 == 0 { // whoever comes second finds the strings in the cache
			one = check(part)
			other = lookUp(part)
		} else {
			other = lookUp(part)
			one = check(part)
		}
		ratios = append(ratios, float64(one)/float64(other))
		took += one
		floor += other
	}
	runtime.KeepAlive(plain)
	n := float64(len(ratios) * batch)
	b.ReportMetric(float64(took.Nanoseconds())/n, "ns/check")
	b.ReportMetric(float64(floor.Nanoseconds())/n, "ns/look-up")
	b.ReportMetric(median(ratios), "x-map")
	b.ReportMetric(listSize/plainSize, "x-memory")
	b.ReportMetric(plainSize/(1<<20), "MiB-map")
	b.ReportMetric(float64(hits)/float64(len(codes)), "hits")
	b.ReportMetric(0, "ns/op")
}
