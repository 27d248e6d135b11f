//go:build race

package mpm_test

// raceDetector makes everything take five times as long: the simulation is
// shorter then.
const raceDetector = true
