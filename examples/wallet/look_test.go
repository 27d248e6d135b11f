package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/chromedp/chromedp"
)

// looks takes pictures in both schemes; nothing is too wide.
func looks(b *browser, width int64) {
	for _, scheme := range []string{"light", "dark"} {
		b.as(width, scheme)
		shoot := func(name string) {
			b.Helper()
			b.idle()
			b.fits()
			b.readable()
			b.picture(fmt.Sprintf("%s-%d-%s", name, width, scheme))
		}
		b.goHome()
		shoot("home")
		b.act("camera")
		b.on("scan")
		b.until("the pictures", `[...document.querySelectorAll(".sign img")].slice(0, 4).every(i => i.complete && i.naturalWidth)`)
		shoot("scan")
		b.scan("surcharge")
		b.on("cashier")
		shoot("cashier")
		b.act("agree")
		b.pin("0000")
		b.says(".error", "not your PIN")
		shoot("pin")
		b.pin("1234")
		b.on("result")
		shoot("result")
		b.scan("limit")
		b.on("sdkpage")
		shoot("refused")
		b.goHome()
		b.act("store")
		b.on("store")
		shoot("store")
		b.act("checkout")
		b.on("verify")
		shoot("verify")
		for _, then := range []string{"2 tries left", "1 try left", "was not paid"} {
			b.fill("#otp", "000000")
			b.act("otp")
			b.says("#phone", then)
		}
		b.on("shop")
		shoot("shop")
		b.arm("cancelPayment", "slow", "3")
		value[any](b, `document.querySelector("#operators-title").scrollIntoView()`)
		shoot("operators")
		value[any](b, `scrollTo(0, 0)`)
		b.arm("cancelPayment", "", "1")
		b.arm("userInitiatedPay", "tamper", "1")
		b.scan("consent")
		b.on("cashier")
		b.says("#messages", "not verified")
		value[any](b, `document.querySelector(".msg > details").open = document.querySelector(".msg .why").open = true`)
		b.readable()
		value[any](b, `document.querySelector(".msg .why").open = false`)
		shoot("overview")
	}
}

// fits reports what is wider than the window.
func (b *browser) fits() {
	b.Helper()
	if wide := value[string](b, `(() => {
		const d = document.documentElement;
		if (d.scrollWidth <= d.clientWidth) return "";
		return [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > d.clientWidth + 1 && !e.closest(".scroll")).map(e => e.className || e.id || e.tagName).slice(0, 5).join(", ") || "the page";
	})()`); wide != "" {
		b.Errorf("sideways scroll: %s", wide)
	}
	if wide := value[string](b, `[...document.querySelectorAll(".screen, .messages, .panel")].filter(e => e.scrollWidth > e.clientWidth).map(e => e.className).join(", ")`); wide != "" {
		b.Errorf("sideways scroll inside: %s", wide)
	}
	if wide := value[string](b, `[...document.querySelectorAll("#phone p, #phone h2, #phone h3, #phone li, #phone dd, #phone button")].filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.innerText).join(", ")`); wide != "" {
		b.Errorf("wider than its place on the phone: %s", wide)
	}
}

// readable reports texts without enough contrast on their real ground (WCAG AA),
// and what is too small to be hit.
func (b *browser) readable() {
	b.Helper()
	if pale := value[string](b, `(() => {
		const numbers = (colour) => (colour.match(/[\d.]+/g) ?? []).map(Number);
		const luminance = (c) => c.slice(0, 3).map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
		const ground = (e) => { for (; e; e = e.parentElement) { const c = numbers(getComputedStyle(e).backgroundColor); if (c.length === 3 || c[3] === 1) return luminance(c); } return 1; };
		const contrast = (e, part) => { const a = luminance(numbers(getComputedStyle(e, part).color)), b = ground(e); return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05); };
		const texts = [...document.querySelectorAll("body *:not(option, noscript)")].filter(e => e.checkVisibility() && !e.disabled && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()));
		return [...texts.filter(e => contrast(e) < 4.5).map(e => e.innerText), ...[...document.querySelectorAll("[placeholder]")].filter(e => contrast(e, "::placeholder") < 4.5).map(e => e.placeholder)].join(", ");
	})()`); pale != "" {
		b.Errorf("too little contrast: %s", pale)
	}
	if small := value[string](b, `[...document.querySelectorAll("a, button, input:not([type=hidden], [type=checkbox]), label:has([type=checkbox]), select, summary")].filter(e => e.checkVisibility()).filter(e => e.offsetHeight < 24 || e.offsetWidth < 24 || e.closest("#phone") && e.offsetHeight < 34).map(e => e.innerText || e.id).join(", ")`); small != "" {
		b.Errorf("too small to be hit: %s", small)
	}
}

// picture keeps a screenshot of the window.
func (b *browser) picture(name string) {
	b.Helper()
	folder := *pictures
	if folder == "" {
		folder = b.ArtifactDir()
	}
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.Fatal(err)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), png, 0o600); err != nil {
		b.Fatal(err)
	}
}
