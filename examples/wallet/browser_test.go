package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

var (
	long     = flag.Bool("long", false, "every switch, not some")
	pictures = flag.String("pictures", "", "folder for screenshots; empty: a temporary one")
)

// browser is a tab of a headless Chromium at the page of a running wallet.
type browser struct {
	*testing.T
	ctx  context.Context
	home string

	mu       sync.Mutex
	problems []string // what the console complains about
	away     bool     // the test took the wallet away
}

// backAgain in the console ends away: what the page complained about before it
// comes before it.
const backAgain = "the wallet is back"

// startChromium finds Debian's chromium; without it the test is skipped, but not
// in CI.
func startChromium(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("no chromium: apt-get install chromium")
		}
		t.Skip("no chromium: the page is not tested in a browser")
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.WSURLReadTimeout(patienceOfTests), chromedp.Flag("disable-quic", true), chromedp.Flag("no-first-run", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true))
	allocator, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("chromium does not start: %v", err)
	}
	return ctx
}

// open opens the page in a new tab of its own phone.
func open(t *testing.T, chromium context.Context, home string, width int64, scheme string) *browser {
	t.Helper()
	ctx, cancel := chromedp.NewContext(chromium, chromedp.WithNewBrowserContext())
	b := &browser{T: t, ctx: ctx, home: home}
	messages := chromedp.Console(ctx)
	read := make(chan struct{})
	go func() {
		defer close(read)
		for m, err := range messages {
			if err != nil {
				return
			}
			if m.Type == "log" && strings.Contains(m.String(), backAgain) {
				b.mu.Lock()
				b.away = false
				b.mu.Unlock()
			}
			if kind := string(m.Type); m.IsException() || kind == "error" || kind == "warning" {
				b.mu.Lock()
				if text := m.String(); !b.away || !strings.Contains(text, "net::ERR_") && !strings.Contains(text, "a status of 503") {
					b.problems = append(b.problems, text)
				}
				b.mu.Unlock()
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-read
		for _, p := range b.problems {
			t.Errorf("console: %s", p)
		}
	})
	b.as(width, scheme)
	b.run("open", chromedp.Navigate(home))
	b.ready()
	return b
}

// as changes the window and the colour scheme.
func (b *browser) as(width int64, scheme string) {
	b.Helper()
	b.run("resize", chromedp.EmulateViewport(width, 900))
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}); err != nil {
		b.Fatal(err)
	}
}

// ready waits until the page shows everything.
func (b *browser) ready() {
	b.Helper()
	b.until("the page", `document.querySelector("#operators h3") && document.querySelector("#books b") && document.querySelector("#faults select") && document.querySelector(".msg")`)
}

// patienceOfTests is for what never comes; on a machine that is busy with other
// things all may take long.
const patienceOfTests = 2 * time.Minute

func (b *browser) run(what string, actions ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patienceOfTests)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.Fatalf("%s: %v; the phone shows %q", what, err, b.text("#phone"))
	}
}

// value evaluates an expression.
func value[T any](b *browser, expression string) T {
	b.Helper()
	v, err := evaluate[T](b, expression)
	if err != nil {
		b.Fatalf("%s: %v", expression, err)
	}
	return v
}

func evaluate[T any](b *browser, expression string) (T, error) {
	ctx, cancel := context.WithTimeout(b.ctx, patienceOfTests)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression))
}

// text is the visible text of an element.
func (b *browser) text(selector string) string {
	b.Helper()
	return value[string](b, fmt.Sprintf(`document.querySelector(%q)?.innerText ?? ""`, selector))
}

// until waits for a condition of the page. A page that is being replaced by
// another one cannot say whether it holds.
func (b *browser) until(what, condition string) {
	b.Helper()
	for deadline := time.Now().Add(patienceOfTests); ; {
		holds, err := evaluate[bool](b, "!!("+condition+")")
		if err == nil && holds {
			return
		}
		if time.Now().After(deadline) || b.ctx.Err() != nil {
			if err != nil {
				b.Fatalf("waited for %s: %v", what, err)
			}
			b.picture("failed-" + strings.ReplaceAll(b.Name(), "/", "-"))
			b.Fatalf("waited for %s; the phone shows %q, the books say %q", what, b.text("#phone"), b.text("#books"))
		}
		select {
		case <-b.ctx.Done():
		case <-time.After(30 * time.Millisecond):
		}
	}
}

// click clicks an element as a person does.
func (b *browser) click(selector string) {
	b.Helper()
	b.idle()
	ctx, cancel := context.WithTimeout(b.ctx, patienceOfTests)
	defer cancel()
	for try := 1; ; try++ { // the page may replace the element meanwhile
		err := chromedp.Do(ctx, chromedp.ScrollIntoView(selector), chromedp.Click(selector, chromedp.NodeVisible))
		if err == nil {
			return
		}
		if try == 5 || ctx.Err() != nil {
			b.Fatalf("click %s: %v; the phone shows %q", selector, err, b.text("#phone"))
		}
	}
}

// act submits a form of the phone by its action.
func (b *browser) act(action string) {
	b.Helper()
	b.click(`#phone form[action="/phone/` + action + `"] button`)
}

// idle waits until no answer is awaited.
func (b *browser) idle() {
	b.Helper()
	b.until("an answer", `!document.querySelector('[aria-busy="true"]')`)
}

// on waits for a screen of the phone.
func (b *browser) on(screen string) {
	b.Helper()
	b.until("screen "+screen, `document.querySelector('#phone [data-screen="`+screen+`"]')`)
}

// says waits for a text in an element.
func (b *browser) says(selector, text string) {
	b.Helper()
	b.until(selector+" says "+text, fmt.Sprintf(`(document.querySelector(%q)?.innerText ?? "").includes(%q)`, selector, text))
}

func (b *browser) fill(selector, value string) {
	b.Helper()
	b.run("fill "+selector, chromedp.SetValue(selector, value))
}

// chromedpSelect chooses an option.
func chromedpSelect(selector, v string) chromedp.Action[chromedp.Void] {
	return chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`(() => { const e = document.querySelector(%q); e.value = %q; e.dispatchEvent(new Event("change", {bubbles: true})); })()`, selector, v))
}

// scan opens the scanner and clicks a code of the sheet.
func (b *browser) scan(goods string) {
	b.Helper()
	b.goHome()
	b.act("camera")
	b.on("scan")
	sign := `[data-goods="` + goods + `"]`
	if value[bool](b, `!!document.querySelector('li:has(`+sign+`) form[action="/phone/new"]')`) {
		b.click(`li:has(` + sign + `) form[action="/phone/new"] button`)
	}
	b.click(sign)
}

// goHome brings the phone to its home page.
func (b *browser) goHome() {
	b.Helper()
	b.idle()
	if value[bool](b, `!!document.querySelector('#phone [data-screen="home"]')`) {
		return
	}
	// The phone may be on its way by itself, so that one click is not enough.
	b.until("screen home", `(() => {
		if (document.querySelector('#phone [data-screen="home"]')) return true;
		["home", "cashier", "giveup"].map(a => document.querySelector('#phone form[action="/phone/' + a + '"]')).find(f => f)?.requestSubmit();
		return false;
	})()`)
	b.idle()
}

// pin enters a PIN on its page.
func (b *browser) pin(pin string) {
	b.Helper()
	b.on("pin")
	b.fill("#pin", pin)
	b.act("pin")
}

// key presses keys.
func (b *browser) key(keys ...string) {
	b.Helper()
	for _, k := range keys {
		b.run("key", chromedp.KeyEvent(k))
	}
}

const tab, enter = kb.Tab, kb.Enter
