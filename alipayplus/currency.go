package alipayplus

import "strings"

// Currency is an ISO 4217 code, three upper-case letters.
type Currency string

// Exponent returns how many decimal digits amounts in the major unit of c have
// (JPY 0, HKD 2, KWD 3), and false for a currency that ISO 4217 does not list:
// nothing is ever assumed of it.
func (c Currency) Exponent() (int, bool) {
	if len(c) != 3 {
		return 0, false
	}
	// A blank precedes each code in the lists, so that no match is half of two.
	entry := " " + string(c)
	for exponent, codes := range currenciesByExponent {
		if strings.Contains(codes, entry) {
			return exponent, !strings.Contains(string(c), " ")
		}
	}
	return 0, false
}

// currenciesByExponent holds the codes of ISO 4217 that have a minor unit, by
// its exponent. ANG and BGN were withdrawn lately; old orders can have them.
var currenciesByExponent = [...]string{
	0: " BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
	1: "",
	2: " AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN" +
		" BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP" +
		" GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP" +
		" LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR" +
		" NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN" +
		" SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR" +
		" ZMW ZWG",
	3: " BHD IQD JOD KWD LYD OMR TND",
	4: " CLF UYW",
}

// wellFormed reports whether c is three upper-case letters.
func (c Currency) wellFormed() bool {
	if len(c) != 3 {
		return false
	}
	for i := range len(c) {
		if c[i] < 'A' || c[i] > 'Z' {
			return false
		}
	}
	return true
}
