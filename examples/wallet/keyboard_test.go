package main

import (
	"fmt"
	"strings"
)

// keyboardAlone pays with Tab, Space, Enter and digits, and sees the focus.
func keyboardAlone(b *browser) {
	// reach presses Tab until the focus is on what the selector names.
	reach := func(selector string) {
		b.Helper()
		b.idle()
		for range 60 {
			if value[bool](b, fmt.Sprintf(`document.activeElement?.matches(%q) ?? false`, selector)) {
				if value[string](b, `getComputedStyle(document.activeElement).outlineStyle`) == "none" {
					b.Errorf("%s has the focus, and nothing shows it", selector)
				}
				return
			}
			b.key(tab)
		}
		b.Fatalf("the keyboard does not reach %s; the focus is on %q", selector, value[string](b, `document.activeElement.outerHTML.slice(0, 200)`))
	}
	press := func(selector string) { b.Helper(); reach(selector); b.key(enter) }

	press(`#phone form[action="/phone/camera"] button`)
	b.on("scan")
	press(`[data-goods="consent"]`)
	b.on("cashier")
	reach(`#phone input[name="consent"]`)
	b.key(" ")
	press(`#phone .main`)
	b.on("pin")
	reach("#pin")
	b.key("1", "2", "3", "4", enter)
	b.on("result")
	press(`#phone form[action="/phone/back"] button`)
	b.says("#phone", "are paid")
	press(`#phone form[action="/phone/home"] button.second`)
	b.on("home")
	press(`#phone form[action="/phone/shops"] button`)
	b.on("shops")
	press(`#phone form[action="/phone/unbind"] button`)
	b.says("#phone", "cannot charge you any more")
	press(`#phone form[action="/phone/home"] button`)
	b.on("home")
	press(`#phone form[action="/phone/store"] button`)
	b.on("store")
	press(`#phone .main`)
	b.on("verify")
	reach("#otp")
	b.key(strings.Split(b.text(".otp"), "")...)
	b.key(enter)
	b.says("#phone", "are paid")
	press(`#faults button`)
	press(`#operators button[formaction="/operators/inquire"]`)
	b.says("#operators", "the payment is S SUCCESS")
	press(`.msg > details > summary`)
	b.until("an open message", `document.querySelector(".msg > details[open]")`)
}
