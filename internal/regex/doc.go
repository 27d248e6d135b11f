// Package regex compiles regular expressions that come from outside. They have
// a largest size, so that none takes long. [Go] compiles those in Go's syntax.
// [Java] compiles those that were written for Java: they mean what they mean to
// Java's Pattern (without flags), or they are not admitted.
//
// # Java
//
// Java and Go take many constructs for different things, some of them without
// an error. So none reaches Go as it is written: the pattern is read by a
// parser of its own, which knows a safe part of Java's syntax and writes the
// same meaning in Go's.
//
// Read alike by both, and copied:
//
//	literals, (…), (?:…), |, ?, *, +, {n}, {n,}, {n,m}, each of them also lazy:
//	    what matches the whole value does not depend on greed
//	^ at any place; [a-z], [^a-z]
//
// Rewritten:
//
//	.          Java stops at \n \r U+0085 U+2028 U+2029
//	$          Java also matches before a line terminator at the end of the
//	           value: see [Regexp.Match]. It must be last in its branch.
//	(?i)       Java folds ASCII letters only
//	(?s)       Java and Go agree; it is written out like (?i)
//	\d \w \s   and their complements: Java's \s has U+000B
//	\p{Alpha}  and its kind (POSIX, ASCII only in Java)
//	\Q…\E      \t \n \r \f \a \e \xhh \x{h…} \uhhhh, surrogate pairs
//	(?<name>…) is (?:…)
//	(?!…)      after a part of fixed length: "the pattern without the look-ahead
//	           matches; the part before it, followed by what is in it, does not"
//
// Everything else is refused with a reason. Some of it Go cannot do: other
// look-arounds, back references, possessive quantifiers, atomic groups,
// intersections and classes in classes. Some of it would mean something else in
// Go: \0 and \1 to \9, \v, [[:alpha:]], (?P<name>…), the flags d m u x U. Some
// depends on the version of Java: \b, \p{L} and all other classes of Unicode.
package regex
