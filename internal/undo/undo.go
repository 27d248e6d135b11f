// Package undo changes maps in a transaction in memory: what keeps records in
// an alipayplus.Memory takes its changes back when the transaction is rolled
// back.
package undo

import "context"

// Memory is *alipayplus.Memory. (This package does not import that one.)
type Memory interface {
	OnRollback(ctx context.Context, undo func())
}

// Set changes in[key] until the transaction that ctx carries is rolled back.
func Set[V any](ctx context.Context, m Memory, in map[string]V, key string, value V) {
	restore(ctx, m, in, key)
	in[key] = value
}

// Delete deletes in[key] until the transaction that ctx carries is rolled back.
func Delete[V any](ctx context.Context, m Memory, in map[string]V, key string) {
	restore(ctx, m, in, key)
	delete(in, key)
}

func restore[V any](ctx context.Context, m Memory, in map[string]V, key string) {
	old, there := in[key]
	m.OnRollback(ctx, func() {
		if there {
			in[key] = old
		} else {
			delete(in, key)
		}
	})
}
