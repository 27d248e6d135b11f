// Package emvqr reads EMVCo merchant-presented QR codes: fields of tag, length
// and value, and a checksum. [Parse] returns a [Code]; a template in it is a
// [Row] of fields.
//
// A code is a row of fields. A field is a two-digit tag, a two-digit length
// from 01 to 99 and a value of that many characters. Field 00 comes first and
// field 63, the checksum, last; any order is accepted in between. Fields 26 to
// 51, 62, 64 and 80 to 99 may be templates: their value is a row of fields
// again. In 26 to 51, the merchant accounts, field 00 names the scheme.
//
// Real codes bend the rules, and what they do is accepted: fields 52, 59 and 60
// are missing, checksums are in lower case, there are more than 512 characters,
// a field of a template has length 00 (it counts as absent). Lengths count
// characters, as names in Japanese or Thai need it: code points or, if the code
// makes no sense that way, UTF-16 units as Java and JavaScript count.
//
// What would make two readers see two different codes is refused: a wrong
// checksum, a tag that occurs twice, a root field of length 00, or anything
// that is left over.
package emvqr
