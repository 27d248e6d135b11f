//go:build !race

package mpm_test

const raceDetector = false
