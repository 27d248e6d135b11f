package main

import (
	"fmt"
	"strings"
)

// arm switches a fault on by its form.
func (b *browser) arm(api, kind, count string) {
	b.Helper()
	b.idle()
	value[any](b, fmt.Sprintf(`(() => {
		const form = document.querySelector('#faults input[value=%q]').form;
		form.kind.value = %q; form.count.value = %q; form.requestSubmit();
	})()`, api, kind, count))
	b.idle()
	if kind != "" {
		b.says(`#faults li:has(input[value="`+api+`"])`, map[string]string{"1": "1 to come", "3": "3 to come", "-1": "on"}[count])
	}
}

// someSwitches pays while something goes wrong.
func someSwitches(b *browser) {
	b.arm("userInitiatedPay", "answer", "1")
	b.arm("notifyPayment", "answer", "1")
	b.scan("order")
	b.pays()
	b.says("#messages", "the connection was closed")
	b.says("#messages", "attempt 2")

	b.arm("userInitiatedPay", "tamper", "1")
	b.arm("notifyPayment", "duplicate", "1")
	b.scan("promotion")
	b.pays()
	b.says("#messages", "not verified")

	// Nobody is there: the user waits, and nothing fails.
	b.arm("userInitiatedPay", "down", "-1")
	b.scan("surcharge")
	b.on("waiting")
	b.says("#phone", "Nothing was charged")
	b.arm("userInitiatedPay", "", "1")
	b.pays()

	// Refused: a dead letter waits for the operator.
	b.arm("notifyPayment", "refused", "1")
	b.scan("countryamount")
	b.on("cashier")
	b.act("agree")
	b.pin("1234")
	b.says("#phone", "Paid")
	b.says("#books", "1 dead")
	b.until("the dead letter", `document.querySelector('#operators form[action="/operators/requeue"]')`)
	b.click(`#operators form[action="/operators/requeue"] button`)
	b.says("#operators", "on its way again")
	b.goHome()

	// Nobody takes the report: it waits in the outbox, and is tried again.
	b.arm("notifyPayment", "down", "-1")
	b.scan("surcharge")
	b.on("cashier")
	b.act("agree")
	b.pin("1234")
	b.says("#phone", "Paid")
	b.says("#operators", "tries, next in")
	b.arm("notifyPayment", "", "1")
	b.goHome()
}

// everySwitch meets every fault of every API.
func everySwitch(b *browser) {
	for _, a := range apis {
		for _, k := range faultKinds {
			if a.Inbound && k.Outbound {
				continue
			}
			b.arm(a.Name, k.ID, "1")
			b.Logf("%s: %s", a.Name, k.Name)
			meet(b, a.Name, k.ID)
			if strings.Contains(b.text("#books"), "dead") {
				b.click(`#operators form[action="/operators/requeue"] button`)
			}
			b.booksAgree()
			b.until("the fault to be met", fmt.Sprintf(`!document.querySelector('#faults li:has(input[value="%s"])').classList.contains("armed")`, a.Name))
		}
	}
}

// meet does what calls the API.
func meet(b *browser, api, kind string) {
	b.Helper()
	switch api {
	case "userInitiatedPay":
		b.scan("order")
		if kind == "refused" {
			b.on("failed")
			return
		}
		b.pays()
	case "notifyPayment":
		b.scan("order")
		b.on("cashier")
		b.act("agree")
		b.pin("1234")
		b.says("#phone", "Paid")
		if kind == "refused" {
			b.says("#books", "dead")
		}
	case "refund", "cancelPayment", "inquiryPayment":
		b.scan("order")
		b.pays()
		b.booksAgree()
		action := map[string]string{"refund": "refund", "cancelPayment": "cancel", "inquiryPayment": "inquire"}[api]
		b.until("the payment", fmt.Sprintf(`document.querySelector('#operators .payments li:first-child button[formaction="/operators/%s"]')`, action))
		b.click(fmt.Sprintf(`#operators .payments li:first-child button[formaction="/operators/%s"]`, action))
		b.says("#operators", " S SUCCESS.")
	default: // pay, authNotify, consultUnbinding: Easy Pay, and its end in the wallet
		b.goHome()
		b.act("store")
		b.act("checkout")
		b.on("verify")
		b.fill("#otp", b.text(".otp"))
		b.act("otp")
		b.says("#phone", "are paid")
		if api == "authNotify" && kind == "refused" {
			b.says("#books", "dead")
			b.click(`#operators form[action="/operators/requeue"] button`)
		}
		b.booksAgree()
		b.goHome()
		b.act("shops")
		b.act("unbind")
		if api == "consultUnbinding" && kind == "refused" {
			b.says("#phone", "try again")
			b.act("unbind")
		}
		b.says("#phone", "cannot charge you any more")
	}
}
