package mpmtest

import (
	"slices"
	"strings"
	"sync"
)

// Journal is what happened between the parties, a line each:
//
//	app -> backend: scan
//	backend -> app: launch
//	merchant -> user: amount page
//
// The zero Journal is empty. It is safe for concurrent use.
type Journal struct {
	mu    sync.Mutex
	lines []string
}

// Note adds a line. A backend under test may add its own.
func (j *Journal) Note(line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, line)
}

// Lines returns all lines so far.
func (j *Journal) Lines() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.lines)
}

// pages returns what the user was shown since line n.
func (j *Journal) pages(n int) []string {
	var pages []string
	for _, line := range j.Lines()[n:] {
		if _, page, ok := strings.Cut(line, " -> user: "); ok {
			pages = append(pages, page)
		}
	}
	return pages
}
