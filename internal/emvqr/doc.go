// Package emvqr reads EMVCo merchant-presented QR codes: tag, length, value and a checksum.
//
// A code is a row of fields. A field is a two-digit tag, a two-digit length from 01 to 99 and a value of that many
// characters: characters, not bytes, because names in Japanese or Thai are counted that way in real codes. Field 00 comes
// first and field 63, the checksum, last; in between any order is accepted. Fields 26 to 51 are templates: their value is
// a row of fields again, in which 00 names the scheme that the account belongs to.
//
// What real codes get wrong is accepted: missing fields 52, 59 and 60, lower-case checksums, more than 512 characters. What
// would make two readers see two different codes is not: a wrong checksum, a tag that occurs twice, a length of 00, or
// anything that is left over.
package emvqr
