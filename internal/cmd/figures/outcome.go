package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// outcome is what a test did.
type outcome struct {
	end   string // pass, fail, skip
	logs  []logged
	parts []string // that passed, by name, those of parts, too
}

// logged is a line that a test or a part of it logged.
type logged struct{ part, text string }

// figure returns what the test of r showed, and whether it kept its promise.
func (o *outcome) figure(r row) (now string, ok bool) {
	switch {
	case o == nil:
		return "DID NOT RUN", false
	case o.end != "pass":
		return strings.ToUpper(o.end), false
	case r.isBenchmark():
		return o.ratio(r)
	case r.Seen == "" && len(o.parts) > 0:
		return fmt.Sprintf("holds in %d parts", o.leaves()), true
	case r.Seen == "":
		return "holds", true
	}
	var seen []string
	for _, line := range o.logs {
		found := regexp.MustCompile(r.Seen).FindString(line.text)
		if found != "" && r.By == eachPart {
			part, _, _ := strings.Cut(line.part, "/")
			found = part + ": " + found
		}
		if found != "" && (r.By == sumOfParts || !slices.Contains(seen, found)) {
			seen = append(seen, found)
		}
	}
	switch {
	case len(seen) == 0:
		return "SHOWS NO FIGURE", false
	case r.By == sumOfParts:
		if now, ok = sum(seen); !ok {
			return "CANNOT BE ADDED UP", false
		}
		return grouped(now), true
	case len(seen) > 4:
		seen = append(seen[:3], fmt.Sprintf("and %d more", len(seen)-3))
	}
	return grouped(strings.Join(seen, "; ")), true
}

// leaves counts the parts that have no parts themselves.
func (o *outcome) leaves() (n int) {
	for _, part := range o.parts {
		if !slices.ContainsFunc(o.parts, func(other string) bool { return strings.HasPrefix(other, part+"/") }) {
			n++
		}
	}
	return n
}

var number = regexp.MustCompile(`\d+`)

// sum adds up lines that differ in nothing but whole numbers, and says how many
// there are.
func sum(lines []string) (total string, ok bool) {
	words := number.Split(lines[0], -1)
	sums := make([]int, len(words)-1)
	for _, line := range lines {
		if !slices.Equal(number.Split(line, -1), words) {
			return "", false
		}
		for i, text := range number.FindAllString(line, -1) {
			n, err := strconv.Atoi(text)
			if err != nil {
				return "", false
			}
			sums[i] += n
		}
	}
	for i, n := range sums {
		total += words[i] + strconv.Itoa(n)
	}
	return fmt.Sprintf("%s, in %d parts", total+words[len(sums)], len(lines)), true
}

var longNumber = regexp.MustCompile(`[\d.]*\d`)

// grouped writes a comma before every three digits of the whole numbers of more
// than four digits.
func grouped(text string) string {
	return longNumber.ReplaceAllStringFunc(text, func(n string) string {
		if len(n) < 5 || strings.Contains(n, ".") {
			return n
		}
		for i := len(n) - 3; i > 0; i -= 3 {
			n = n[:i] + "," + n[i:]
		}
		return n
	})
}

var logLine = regexp.MustCompile(`^\s+\S+\.go:\d+: (.*)`)

// read reads the output of go test -json.
func read(r io.Reader, names []string) map[string]*outcome {
	outcomes := map[string]*outcome{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var event struct{ Action, Test, Output string }
		if json.Unmarshal(lines.Bytes(), &event) != nil {
			continue
		}
		name, part, _ := strings.Cut(event.Test, "/")
		if !slices.Contains(names, name) {
			continue
		}
		if outcomes[name] == nil {
			outcomes[name] = &outcome{}
		}
		switch event.Action {
		case "output":
			if m := logLine.FindStringSubmatch(event.Output); m != nil {
				outcomes[name].logs = append(outcomes[name].logs, logged{part, m[1]})
			}
		case "pass", "fail", "skip":
			switch {
			case part == "":
				outcomes[name].end = event.Action
			case event.Action == "pass":
				outcomes[name].parts = append(outcomes[name].parts, part)
			}
		}
	}
	return outcomes
}
