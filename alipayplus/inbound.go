package alipayplus

// Inbound is an API of the MPP that Alipay+ calls.
type Inbound[Req, Resp any] struct {
	spec   Spec[Req, Resp]
	result int // field index of Resp.Result
}

// NewInbound makes an Inbound of s. It panics for a Spec that can never work:
// declarations are package variables, so that such a mistake shows at once.
func NewInbound[Req, Resp any](s Spec[Req, Resp]) *Inbound[Req, Resp] {
	if s.Path != "" {
		panic("alipayplus: " + s.Name + ": the MPP chooses the path of an inbound API")
	}
	return &Inbound[Req, Resp]{spec: s, result: checkSpec(&s)}
}

// Name is the API's name.
func (in *Inbound[Req, Resp]) Name() string { return in.spec.Name }

// Spec is the declaration.
func (in *Inbound[Req, Resp]) Spec() Spec[Req, Resp] { return in.spec }
