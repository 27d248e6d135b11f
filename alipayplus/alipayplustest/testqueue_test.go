package alipayplustest_test

import (
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
)

func TestMemoryQueue(t *testing.T) {
	alipayplustest.TestQueue(t, func(*testing.T) (alipayplus.Outbox, alipayplus.Queue) {
		m := alipayplus.NewMemory()
		return m, m
	})
}

func TestMemoryOutbox(t *testing.T) {
	alipayplustest.TestOutbox(t, func(*testing.T) alipayplustest.OutboxTest {
		m := alipayplus.NewMemory()
		return alipayplustest.OutboxTest{Outbox: m, InTx: m.InTx, Pending: func(t *testing.T) (list []alipayplus.Message) {
			leased, err := m.Lease(t.Context(), 1000, time.Nanosecond)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range leased {
				list = append(list, d.Message)
			}
			return list
		}}
	})
}
