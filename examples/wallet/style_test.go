package main

import (
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Every text can be read on its ground, in both colour schemes: WCAG AA wants
// 4.5 to 1 for text and 3 to 1 for the edges of fields.
func TestContrast(t *testing.T) {
	sheet, err := os.ReadFile("assets/style.css")
	if err != nil {
		t.Fatal(err)
	}
	schemes := regexp.MustCompile(`(?s):root \{(.*?)\}`).FindAllStringSubmatch(string(sheet), -1)
	if len(schemes) != 2 {
		t.Fatalf("%d colour schemes, want light and dark", len(schemes))
	}
	for i, scheme := range schemes {
		colours := make(map[string]string)
		for _, c := range regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{3,6})\b`).FindAllStringSubmatch(scheme[1], -1) {
			colours[c[1]] = c[2]
		}
		for ground, texts := range map[string]string{
			"back": "ink soft main them", "face": "ink soft main good warn bad us them", "sunk": "ink soft good warn",
			"main": "on-main", "main-soft": "ink", "good-soft": "good", "warn-soft": "warn", "bad-soft": "bad",
		} {
			for text := range strings.FieldsSeq(texts) {
				if got := contrast(t, colours[text], colours[ground]); got < 4.5 {
					t.Errorf("scheme %d: %s on %s has %.2f to 1", i+1, text, ground, got)
				}
			}
		}
		if got := contrast(t, colours["edge"], colours["face"]); got < 3 {
			t.Errorf("scheme %d: the edges of fields have %.2f to 1", i+1, got)
		}
	}
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func luminance(t *testing.T, colour string) (sum float64) {
	t.Helper()
	if len(colour) == 3 {
		colour = string([]byte{colour[0], colour[0], colour[1], colour[1], colour[2], colour[2]})
	}
	if len(colour) != 6 {
		t.Fatalf("%q is no colour", colour)
	}
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(colour[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		v := float64(n) / 255
		if v <= 0.03928 {
			sum += weight * v / 12.92
		} else {
			sum += weight * math.Pow((v+0.055)/1.055, 2.4)
		}
	}
	return sum
}

// The protocol shows no secret.
func TestSecretsAreHidden(t *testing.T) {
	got := readable([]byte(`{"paymentMethod":{"paymentMethodId":"token\"1"},"codeValue" : "2810004","order":{"referenceOrderId":"O1"}}`))
	for _, secret := range []string{"token", "2810004"} {
		if strings.Contains(got, secret) {
			t.Errorf("%q is in %s", secret, got)
		}
	}
	if !strings.Contains(got, `"referenceOrderId": "O1"`) || strings.Count(got, "(hidden)") != 2 {
		t.Errorf("%s", got)
	}
}
