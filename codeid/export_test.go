package codeid

// Admit compiles a pattern of a rule; nil if it is skipped.
func Admit(pattern string, partial bool) func(value string) bool {
	c := regexCompiler{left: maxCodeRegexes}
	if r, err := c.java(pattern, partial); err == nil {
		return r.matches
	}
	return nil
}
