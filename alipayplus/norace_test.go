//go:build !race

package alipayplus_test

const raceEnabled = false
