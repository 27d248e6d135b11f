package mpm_test

import (
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
)

// The figures of the documents, to the cent.
func TestLimits(t *testing.T) {
	none := alipayplus.Amount{}
	for _, c := range []struct {
		rule          string
		limit         mpm.Limit
		amount, spent alipayplus.Amount
		want          mpm.Excess
	}{
		{"in store: 7,000 a payment", mpm.MainlandInStore, fen(7_000_00), none, mpm.WithinLimit},
		{"in store: a cent over it", mpm.MainlandInStore, fen(7_000_01), none, mpm.OverTransaction},
		{"in store: 70,000 a year", mpm.MainlandInStore, fen(1_000_00), fen(69_000_00), mpm.WithinLimit},
		{"in store: a cent over it", mpm.MainlandInStore, fen(1_000_00), fen(69_000_01), mpm.OverYear},
		{"in store: both", mpm.MainlandInStore, fen(7_000_01), fen(70_000_00), mpm.OverTransaction},
		{"entry code: 500 a payment", mpm.MainlandEntryCode, fen(500_00), none, mpm.WithinLimit},
		{"entry code: a cent over it", mpm.MainlandEntryCode, fen(500_01), none, mpm.OverTransaction},
		{"entry code: 50,000 a year", mpm.MainlandEntryCode, fen(500_00), fen(49_500_00), mpm.WithinLimit},
		{"entry code: a cent over it", mpm.MainlandEntryCode, fen(500_00), fen(49_500_01), mpm.OverYear},
		{"entry code: the year is full", mpm.MainlandEntryCode, fen(0), fen(50_000_00), mpm.WithinLimit},
		{"another currency is not limited", mpm.MainlandEntryCode, jpy(1_000_000), none, mpm.WithinLimit},
		{"spent in another currency says nothing", mpm.MainlandEntryCode, fen(500_00), jpy(1_000_000_000), mpm.WithinLimit},
		{"no amount", mpm.MainlandEntryCode, none, fen(60_000_00), mpm.WithinLimit},
		{"the largest amounts of a message", mpm.MainlandInStore, fen(1), fen(9_999_999_999_999_999), mpm.OverYear},
		{"a limit of the wallet's own", mpm.Limit{Transaction: jpy(10), Year: jpy(20)}, jpy(10), jpy(11), mpm.OverYear},
	} {
		if got := c.limit.Check(c.amount, c.spent); got != c.want {
			t.Errorf("%s: %d, want %d", c.rule, got, c.want)
		}
	}
	for _, l := range []mpm.Limit{mpm.MainlandInStore, mpm.MainlandEntryCode} {
		if l.Name == "" || l.Source == "" {
			t.Errorf("%+v does not say what it is", l)
		}
	}
}
