package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/subtle"
	"embed"
	"html/template"
	"io/fs"
	"log"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	qr "github.com/piglig/go-qr"
)

//go:embed assets
var assets embed.FS

// page is what a person looks at.
type page struct {
	home   string // its address
	wallet *wallet
	alipay *alipay
	views  *template.Template
	token  string // every change must carry it: other sites do not know it
	start  string // of this process: a page of an earlier one is loaded again
	ended  <-chan struct{}

	mu     sync.Mutex
	phones map[string]*phone // by session
}

// newPage serves everything at the wallet's address: the page, what the app asks
// and what Alipay+ calls.
func newPage(ctx context.Context, w *wallet, a *alipay, home string) (http.Handler, error) {
	p := &page{home: home, wallet: w, alipay: a, token: random(26), start: random(8), ended: ctx.Done(), phones: make(map[string]*phone)}
	views, err := template.New("").Funcs(template.FuncMap{
		"display": display, "clock": clock, "words": words, "rate": rateText, "seconds": func(n int) int { return cmp.Or(n, 6) }, "what": what, "gift": gift, "login": loginOf, "codes": p.codes,
		"history": p.history, "balance": p.balance, "otp": p.otp, "order": p.order, "connections": p.connections, "remembered": p.remembered,
		"regions": func() map[string]string { return regions }, "marks": func(region string) []string { return acceptanceMarks[region] },
	}).ParseFS(assets, "assets/*.html")
	if err != nil {
		return nil, err
	}
	p.views = views
	static, err := fs.Sub(assets, "assets")
	if err != nil {
		return nil, err
	}
	files := http.FileServerFS(static)

	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.whole)
	mux.HandleFunc("GET /phone", p.showPhone)
	mux.HandleFunc("POST /phone/{action}", p.usePhone)
	mux.HandleFunc("GET /sheet/{goods}", p.picture)
	mux.HandleFunc("GET /books", p.showBooks)
	mux.HandleFunc("GET /faults", p.showFaults)
	mux.HandleFunc("POST /faults", p.setFault)
	mux.HandleFunc("GET /operators", p.showOperators)
	mux.HandleFunc("POST /operators/{action}", p.operate)
	mux.HandleFunc("GET /events", p.events)
	mux.Handle("GET /style.css", files)
	mux.Handle("GET /page.js", files)
	mux.Handle("GET /icon.svg", files)
	mux.HandleFunc("GET "+verifyPath+"{link}", p.verifyPage)
	mux.HandleFunc("POST "+verifyPath+"{link}", p.verify)
	guarded := p.guard(mux)

	all := http.NewServeMux()
	all.Handle("/app/", http.StripPrefix("/app", w.app)) // the JSON of mpm/APP.md
	all.Handle(inboundPath, w.inbound)
	all.Handle("/", guarded)
	return p.here(all), nil
}

// here takes requests for this address only: a name that somebody else made
// point to this machine is another site.
func (p *page) here(next http.Handler) http.Handler {
	port := p.home[strings.LastIndexByte(p.home, ':'):]
	names := []string{strings.TrimPrefix(p.home, "http://"), "127.0.0.1" + port, "localhost" + port, "[::1]" + port}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !slices.Contains(names, r.Host) {
			http.Error(w, "This page is at "+p.home, http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// guard keeps other sites out: it takes changes only with the page's token.
func (p *page) guard(next http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	return cross.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		// The script sends the forms; without it no form goes anywhere.
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "none" && site != "same-origin" && r.Header.Get("Sec-Fetch-Dest") != "document" {
			http.Error(w, "This page is not a part of other pages.", http.StatusForbidden)
			return
		}
		if r.Method == http.MethodPost && !strings.HasPrefix(r.URL.Path, verifyPath) &&
			subtle.ConstantTimeCompare([]byte(r.Header.Get("X-Wallet-Token")), []byte(p.token)) != 1 {
			http.Error(w, "This did not come from the page. Please load it again.", http.StatusForbidden)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
		next.ServeHTTP(w, r)
	}))
}

const sessionCookie = "wallet_phone"

// phoneOf finds the phone of this browser, or makes one.
func (p *page) phoneOf(w http.ResponseWriter, r *http.Request) *phone {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c, err := r.Cookie(sessionCookie); err == nil && p.phones[c.Value] != nil {
		return p.phones[c.Value]
	}
	id := random(26)
	if len(p.phones) >= 100 {
		clear(p.phones) // a toy: they begin anew
	}
	p.phones[id] = &phone{wallet: p.wallet, alipay: p.alipay, app: app{p.home + "/app"}, User: users[0].id, Region: "JP", Screen: "home"}
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}) //nolint:gosec // this machine has no TLS; a link from elsewhere shows the same phone
	return p.phones[id]
}

// render writes a template, or says that it cannot.
func (p *page) render(w http.ResponseWriter, name string, data any) {
	var text bytes.Buffer
	if err := p.views.ExecuteTemplate(&text, name, data); err != nil {
		log.Printf("page: %s: %v", name, err)
		http.Error(w, "The page cannot be shown now. Please load it again.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = text.WriteTo(w)
}

func (p *page) whole(w http.ResponseWriter, r *http.Request) {
	mine := p.phoneOf(w, r)
	if mine.mu.TryLock() {
		defer mine.mu.Unlock()
	} else { // in the middle of an action: it is shown when it is over
		mine = &phone{Screen: "busy", Turn: -1}
	}
	p.render(w, "page.html", struct {
		Token, Start string
		Users        []user
		Phone        *phone
	}{p.token, p.start, users, mine})
}

func (p *page) showPhone(w http.ResponseWriter, r *http.Request) {
	mine := p.phoneOf(w, r)
	mine.mu.Lock()
	defer mine.mu.Unlock()
	p.render(w, "phone", mine)
}

func (p *page) usePhone(w http.ResponseWriter, r *http.Request) {
	if r.ParseForm() != nil {
		http.Error(w, "not a form", http.StatusBadRequest)
		return
	}
	// What was begun is finished, even if the browser goes away.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), patience)
	defer cancel()
	p.phoneOf(w, r).do(ctx, r.PathValue("action"), r.PostForm)
	p.showPhone(w, r)
}

// picture is a code of the sheet as a QR picture.
func (p *page) picture(w http.ResponseWriter, r *http.Request) {
	g, ok := goodsOf(strings.TrimSuffix(r.PathValue("goods"), ".png"))
	if !ok {
		http.NotFound(w, r)
		return
	}
	o, err := p.alipay.sign(r.Context(), g, false)
	if err == nil {
		var code *qr.QrCode
		if code, err = qr.EncodeText(o.Code, qr.Medium); err == nil {
			w.Header().Set("Content-Type", "image/png")
			_ = code.WriteAsPNG(qr.NewQrCodeImgConfig(6, 4), w) // at worst the browser went away
			return
		}
	}
	http.Error(w, "no picture", http.StatusInternalServerError)
}

func (p *page) showBooks(w http.ResponseWriter, r *http.Request) {
	b, err := p.wallet.books(r.Context(), p.alipay)
	if err != nil {
		http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
		return
	}
	p.render(w, "books", b)
}

// shownAPI is a row of the switches.
type shownAPI struct {
	api
	Kinds []faultKind
	Armed armed
}

func (p *page) showFaults(w http.ResponseWriter, _ *http.Request) {
	type group struct {
		Title string
		APIs  []shownAPI
	}
	groups := []group{{Title: "The wallet calls Alipay+"}, {Title: "Alipay+ calls the wallet"}}
	for _, a := range apis {
		row, g := shownAPI{api: a, Armed: p.alipay.faults.get(a.Name)}, &groups[0]
		if a.Inbound {
			g = &groups[1]
		}
		for _, k := range faultKinds {
			if !a.Inbound || !k.Outbound {
				row.Kinds = append(row.Kinds, k)
			}
		}
		g.APIs = append(g.APIs, row)
	}
	p.render(w, "faults", groups)
}

func (p *page) setFault(w http.ResponseWriter, r *http.Request) {
	count, err := strconv.Atoi(r.PostFormValue("count"))
	if err == nil {
		err = p.alipay.faults.set(r.PostFormValue("api"), r.PostFormValue("kind"), count)
	}
	if err != nil {
		http.Error(w, "no such switch", http.StatusBadRequest)
		return
	}
	p.showFaults(w, r)
}

func (p *page) showOperators(w http.ResponseWriter, r *http.Request) { p.operatorsWith(w, r, "") }

func (p *page) operatorsWith(w http.ResponseWriter, r *http.Request, notice string) {
	o, err := p.wallet.operators(r.Context(), p.alipay)
	if err != nil {
		http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
		return
	}
	o.Notice = notice
	p.render(w, "operators", o)
}

func (p *page) operate(w http.ResponseWriter, r *http.Request) {
	if r.ParseForm() != nil {
		http.Error(w, "not a form", http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), patience)
	defer cancel()
	p.operatorsWith(w, r, operate(ctx, p.wallet, p.alipay, r.PathValue("action"), r.PostForm))
}
