package codeid

// Linear is the rule set without its index: the same compiled rules, tried one by one in their order, the code parsed
// once. It is what the index must agree with, and the floor that it is measured against.
func (s *Ruleset) Linear(code string) (rule int) {
	var v view
	v.read(code)
	for rank, r := range s.rules {
		budget := workPerCode
		if _, ok := s.try(int32(rank), &v, &budget); ok {
			return r.index
		}
	}
	return NoRule
}
