package alipayplus

// RefusalOf returns the result with status F that err is: alone, or at the end
// of a chain in which each error wraps one other. It reports false for every
// other error, also for one that wraps several: that says more than the
// refusal, for example that a transaction did not end, and decides nothing. A
// handler classifies the errors of its functions in this way; see
// [Inbound.Handle].
func RefusalOf(err error) (Result, bool) {
	result, ok := ownResult(err)
	return result, ok && result.Status == StatusFailed
}
