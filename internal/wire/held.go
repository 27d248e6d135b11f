package wire

// Held keeps a value out of sight. A struct type that embeds a Held is read,
// checked and written as the value itself; its own methods
// decide what else may be done with it. It is not comparable with ==, which
// would compare pointers.
type Held[T any] struct {
	_ [0]func()
	// value points to a pointer: fmt prints what a pointer to a struct points
	// to even deep inside, if the verb does not fit (%s).
	value **T
}

// Hold returns a Held that keeps v.
func Hold[T any](v T) Held[T] {
	p := &v
	return Held[T]{value: &p}
}

// Look returns what h keeps, the zero value if that is nothing.
func Look[T any](h Held[T]) (v T) {
	if h.value != nil {
		v = **h.value
	}
	return v
}

// holder is a type that embeds a Held. Its methods deal in pointers to the
// value.
type holder interface {
	look() any // nil if nothing is held
	hold(v any)
	fresh() any
}

func (h *Held[T]) hold(v any) {
	p := v.(*T)
	h.value = &p
}

func (h *Held[T]) fresh() any { return new(T) }

func (h *Held[T]) look() any {
	if h.value == nil {
		return nil
	}
	return *h.value
}
