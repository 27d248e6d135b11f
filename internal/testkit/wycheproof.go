package testkit

import (
	"os"
	"path/filepath"
	"testing"
)

// Wycheproof returns the names of the files of Project Wycheproof's newer test
// vectors that match pattern (see filepath.Match), at least one. It skips t if
// the environment variable WYCHEPROOF_DIR does not say where the project is.
func Wycheproof(t *testing.T, pattern string) []string {
	t.Helper()
	dir := os.Getenv("WYCHEPROOF_DIR")
	if dir == "" {
		t.Skip("WYCHEPROOF_DIR names no folder with the test vectors of Project Wycheproof")
	}
	files, err := filepath.Glob(filepath.Join(dir, "testvectors_v1", pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors %s in WYCHEPROOF_DIR: %v", pattern, err)
	}
	return files
}
