package emvqr

// polynomial of CRC-16/CCITT-FALSE; the register starts at 0xFFFF and nothing
// is reflected.
const polynomial = 0x1021

// table holds the remainder of every byte value. It is never written to.
var table = func() (t [256]uint16) {
	for b := range t {
		r := uint16(b) << 8
		for range 8 {
			if r&0x8000 != 0 {
				r = r<<1 ^ polynomial
			} else {
				r <<= 1
			}
		}
		t[b] = r
	}
	return t
}()

// Checksum returns the CRC-16/CCITT-FALSE of text. The checksum of a code
// covers the UTF-8 bytes of everything up to and including "6304" and follows
// them as four upper-case hexadecimal digits, padded with zeros.
func Checksum(text string) uint16 {
	crc := uint16(0xFFFF)
	for i := range len(text) {
		crc = crc<<8 ^ table[byte(crc>>8)^text[i]]
	}
	return crc
}
