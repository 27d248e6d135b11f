// Command mutate measures the tests: it makes small changes to the code that
// decides about money, one at a time, and counts how many of them make a test
// fail.
//
//	go run ./internal/cmd/mutate -n 400 -seed 1
//
// Every change of a package is compiled into one test binary, under a switch
// that the environment sets, so that a change costs a run of the tests and no
// build. A first pass runs each test alone and records which changes it
// reaches; a change is then run against the tests that reach it, the fastest
// first, until one fails or takes too long. The tests of sqlstore are its own and
// those of internal/sqltest.
//
// The sample is drawn file by file in turn, by the seed. Results are kept in
// -dir: an interrupted run goes on where it was, and -again runs the survivors
// once more after a test was written. The report is Markdown; the reasons in
// survivors.txt, beside this file, say why a survivor is equivalent or
// acceptable.
package main
