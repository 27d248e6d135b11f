package codeid

import (
	"hash/maphash"
	"math/bits"
)

// table is a map that says no quickly. Most look-ups find nothing: a code is looked up in every way in which it could be
// in a list, and is there in one at most. In a large map each of them waits for memory; the sieve in front of it is small
// enough for the processor's cache, and lets one in 20 of them through.
type table[V any] struct {
	entries map[string]V
	seed    maphash.Seed
	sieve   []uint64 // a power of two of words; every key sets four bits in one of them
}

// sieveBits is the number of bits of the sieve for each entry, or up to twice as many.
const sieveBits = 8

func newTable[V any](entries map[string]V) table[V] {
	words := 1 << bits.Len(uint(len(entries)*sieveBits/64))
	t := table[V]{entries: entries, seed: maphash.MakeSeed(), sieve: make([]uint64, words)}
	for key := range entries {
		word, mask := t.place(key)
		*word |= mask
	}
	return t
}

func (t *table[V]) get(key string) (v V, ok bool) {
	if len(t.entries) == 0 {
		return v, false
	}
	if word, mask := t.place(key); *word&mask != mask {
		return v, false
	}
	v, ok = t.entries[key]
	return v, ok
}

// place is where the sieve holds key.
func (t *table[V]) place(key string) (word *uint64, mask uint64) {
	h := maphash.String(t.seed, key)
	mask = 1<<(h&63) | 1<<(h>>6&63) | 1<<(h>>12&63) | 1<<(h>>18&63)
	return &t.sieve[h>>24&uint64(len(t.sieve)-1)], mask
}
