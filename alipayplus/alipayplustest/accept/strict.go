package accept

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// strict decodes a body of the wallet and checks what the documents ask of a
// sender.
func strict(body []byte, members *object) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(members); err != nil {
		return errors.New("the body is no JSON object")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON object")
	}
	return strictValue("", *members)
}

func strictValue(path string, v any) error {
	switch v := v.(type) {
	case object:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if err := strictValue(path+"."+name, v[name]); err != nil {
				return err
			}
		}
		if wrong := strictResult(text(v, "resultStatus"), text(v, "resultCode")); wrong != "" {
			return fmt.Errorf("%s is %s", cmp.Or(strings.TrimPrefix(path, "."), "the body"), wrong)
		}
	case []any:
		for i, element := range v {
			if err := strictValue(fmt.Sprintf("%s[%d]", path, i), element); err != nil {
				return err
			}
		}
	case string:
		if wrong := strictText(path[strings.LastIndex(path, ".")+1:], v); wrong != "" {
			return fmt.Errorf("%s %s", strings.TrimPrefix(path, "."), wrong)
		}
	case bool, json.Number:
		return fmt.Errorf("%s is not a string", strings.TrimPrefix(path, "."))
	}
	return nil
}

// longest are the most characters of the members that a wallet sends.
var longest = map[string]int{
	"paymentRequestId": 64, "paymentId": 64, "customerId": 64, "refundId": 64, "authClientId": 64, "referenceAgreementId": 64,
	"referenceMerchantId": 32, "accessToken": 128, "refreshToken": 128, "authCode": 32, "paymentUrl": 2048, "resultMessage": 256,
}

var (
	digits       = regexp.MustCompile(`^[0-9]{1,16}$`)
	currencyForm = regexp.MustCompile(`^[A-Z]{3}$`)
)

// strictText says what is wrong with the text of the member called name.
func strictText(name, value string) string {
	n := utf8.RuneCountInString(value)
	_, err := time.Parse(time.RFC3339, value)
	switch most := longest[name]; {
	case value == "":
		return "is empty"
	case most > 0 && n > most:
		return fmt.Sprintf("has %d characters, at most %d are taken", n, most)
	case strings.HasSuffix(name, "Time") && err != nil:
		return "is no time like 2026-01-31T23:59:59+08:00, with its offset"
	case name == "value" && !digits.MatchString(value):
		return "is no whole number of smallest units, of at most 16 digits"
	case name == "currency" && !currencyForm.MatchString(value):
		return "is no currency of three capital letters"
	}
	return ""
}

// strictResult says what is wrong with a result: the documents give these codes
// one status each, and S one code.
func strictResult(status, code string) string {
	want := map[string]string{"SUCCESS": "S", "PAYMENT_IN_PROCESS": "U", "UNKNOWN_EXCEPTION": "U", "REQUEST_TRAFFIC_EXCEED_LIMIT": "U"}[code]
	if want != "" && want != status || status == "S" && want != "S" {
		return fmt.Sprintf("%s %s, and in the documents S has the code SUCCESS, and %s the status %s", status, code, code, cmp.Or(want, "F"))
	}
	return ""
}
