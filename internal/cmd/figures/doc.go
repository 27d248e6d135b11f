// Command figures runs the tests and benchmarks that show what the SDK promises
// and prints one table: the promise, its test, what is counted, the limit and
// what was seen.
//
//	go run ./internal/cmd/figures            # the short forms, as text
//	go run ./internal/cmd/figures -long      # the long forms, ALIPAYPLUS_LONG=1
//	go run ./internal/cmd/figures -md        # as Markdown, with the introduction of RELIABILITY.md
//	go run ./internal/cmd/figures -only cut  # the rows whose promise, test or package contains this
//	go run ./internal/cmd/figures -update    # into RELIABILITY.md, in the long forms; with -only, these rows alone
//
// The exit status is 1 if a test fails, is skipped or does not show its figure,
// or if a ratio is beyond its limit, as it may be on a busy machine.
package main
