package wire

import (
	"bytes"
	"reflect"
)

// Decode fills the zero struct that into points to from a message. It keeps no
// part of data. The error is a *SyntaxError if data does not pass Check, else
// an *InvalidError with all problems; the struct then holds what could be read.
// A message whose parts are so many that they take more than 8 MiB of memory
// breaks a rule, too.
func Decode(data []byte, into any) error { return decode(data, into, false) }

// Restore decodes what this package wrote: every value that cannot
// be read is a problem, nothing is required, and memory is not bounded.
func Restore(data []byte, into any) error { return decode(data, into, true) }

func decode(data []byte, into any, stored bool) error {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return invalid("nothing but a pointer to a struct can be decoded into")
	}
	v = v.Elem()
	check := scanner{data: data, stored: stored}
	if !check.check() {
		return &SyntaxError{check.rule, check.offset}
	}
	report, path := newReport()
	d := decoder{scanner: scanner{data: data, stored: stored}, report: report}
	d.message(planOf(v.Type()), v)
	d.done(path)
	switch {
	case d.rule == ruleMemory:
		return invalid("has more parts than any message needs")
	case d.failed():
		return invalid("not valid JSON: " + d.rule)
	}
	return d.err()
}

// decoder reads in one pass. Like the scanner's, its methods return the
// position after what they read, or -1.
type decoder struct {
	scanner
	report
	depth  int
	buffer []byte // to unescape into
}

// problem notes a broken rule. What that costs counts.
func (d *decoder) problem(rule string) {
	if d.spend(memoryOfProblem) {
		d.report.problem(rule)
	}
}

// memoryOfProblem is what a problem with its path takes, growth included.
const memoryOfProblem = 512

// found says what was at the place of a value.
type found uint8

const (
	nothing   found = iota // no value, or one that is made of nothing
	something              // a value
	odd                    // a value that cannot be read
)

// span is where the value of a field is, end 0 if it was not given. A start
// of -1 marks one that was given twice with different values.
type span struct{ start, end int }

// message reads all of the data.
func (d *decoder) message(p *plan, v reflect.Value) {
	i := d.space(0)
	if !d.is(i, '{') {
		d.fail("not-an-object", i)
		return
	}
	if p.kind == kindObject {
		i, _ = d.object(p, v, i)
	} else {
		i, _ = d.read(p, v, i, true)
	}
	if i >= 0 {
		if i = d.space(i); i < len(d.data) {
			d.fail("trailing-data", i)
		}
	}
}

// object reads the members of an object into a struct.
func (d *decoder) object(p *plan, v reflect.Value, i int) (_ int, got found) {
	if d.depth == maxDepth {
		return d.fail("depth", i), nothing
	}
	d.depth++
	problems := len(d.problems)
	strange := false  // a member that has no field
	var room [32]span // on the stack, for most messages
	given := room[:]
	if len(p.fields) > len(room) {
		if !d.spend(16 * len(p.fields)) {
			return -1, nothing
		}
		given = make([]span, len(p.fields))
	}
	i = d.space(i + 1)
	if d.is(i, '}') {
		i++
	} else {
		for more := true; more; {
			var name key
			if name, i = d.key(i); i < 0 {
				return -1, nothing
			}
			if end, absent := d.absent(i); absent {
				i = end
			} else if k := p.find(d.name(name)); k >= 0 {
				i = d.member(&p.fields[k], v, i, &given[k])
			} else {
				i = d.skip(i)
				strange = true
			}
			if i < 0 || d.failed() {
				return -1, nothing
			}
			if i, more = d.next(i, '}'); i < 0 {
				return -1, nothing
			}
		}
	}
	d.depth--
	for k := range p.fields {
		if given[k].end > 0 {
			got = something
			break
		}
	}
	if got == something || strange || len(d.path) == 0 { // else it is as absent as {}
		for k := range p.fields {
			if given[k].end == 0 && p.fields[k].required && !d.stored {
				d.enter(step{name: p.fields[k].name})
				d.problem("missing")
				d.leave()
			}
		}
	}
	if len(d.problems) > problems {
		got = something // but wrong: these problems speak for it, it is not missing as well
	}
	return i, got
}

// member reads the value of f, which is not absent, and notes in given where it
// is.
func (d *decoder) member(f *field, v reflect.Value, i int, given *span) int {
	d.enter(step{name: f.name})
	defer d.leave()
	if first := *given; first.end > 0 {
		end := d.skip(i)
		switch {
		case end < 0 || first.start < 0: // broken, or reported already
		case bytes.Equal(d.data[first.start:first.end], d.data[i:end]):
		case !d.spend(memoryOfAny * (first.end - first.start + end - i)):
			return -1
		case !sameValue(d.data[first.start:first.end], d.data[i:end], f.jsonString):
			d.problem("given twice with different values")
			given.start = -1
		case end-i < first.end-first.start:
			*given = span{i, end} // compare with the shorter one from now on, or many of them cost a square
		}
		return end
	}
	for n, x := range f.index {
		if n > 0 && v.Kind() == reflect.Pointer { // an embedded struct
			if v.IsNil() {
				if !d.spend(int(v.Type().Elem().Size())) {
					return -1
				}
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(x)
	}
	strict := f.required || f.check || d.stored
	var end int
	var got found
	if f.jsonString && d.is(i, '"') {
		end, got = d.jsonString(f.plan, v, i, strict)
	} else {
		end, got = d.read(f.plan, v, i, strict)
	}
	if got != nothing {
		*given = span{i, end}
	}
	return end
}
