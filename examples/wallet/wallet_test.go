package main

import (
	"context"
	"flag"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/internal/sqltest"
)

// TestMain gives the code that closes in 20 seconds an hour, unless -long waits
// for its end: on a slow machine a visitor of the page may need more time to pay.
func TestMain(m *testing.M) {
	flag.Parse()
	for i := range sheet {
		if sheet[i].life > 0 && !*long {
			sheet[i].life = time.Hour
		}
	}
	sqltest.Main(m)
}

// visitor is a browser without a screen: it keeps cookies and the page's token.
type visitor struct {
	*testing.T
	home, token string
	turn        string // of the phone's screen
	client      *http.Client
}

func visit(t *testing.T, home string) *visitor {
	t.Helper()
	jar, _ := cookiejar.New(nil)
	v := &visitor{T: t, home: home, client: &http.Client{Jar: jar, Timeout: time.Minute}}
	text := v.get("/")
	if found := regexp.MustCompile(`name="token" content="([A-Z2-7]+)"`).FindStringSubmatch(text); found != nil {
		v.token = found[1]
	}
	return v
}

func (v *visitor) do(r *http.Request) string {
	v.Helper()
	response, err := v.client.Do(r)
	if err != nil {
		v.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		v.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		v.Fatalf("%s %s: HTTP %d %s", r.Method, r.URL.Path, response.StatusCode, text)
	}
	if found := turnOf.FindSubmatch(text); found != nil {
		v.turn = string(found[1])
	}
	return string(text)
}

var turnOf = regexp.MustCompile(`data-turn="([0-9]+)"`)

func (v *visitor) get(path string) string {
	v.Helper()
	r, err := http.NewRequestWithContext(v.Context(), http.MethodGet, v.home+path, nil)
	if err != nil {
		v.Fatal(err)
	}
	return v.do(r)
}

// post sends a form of the page; form is name, value, name, value …
func (v *visitor) post(path string, form ...string) string {
	v.Helper()
	r := request(v.T, v.home+path, append(form, "turn", v.turn)...)
	r.Header.Set("X-Wallet-Token", v.token)
	return v.do(r)
}

func request(t *testing.T, target string, form ...string) *http.Request {
	t.Helper()
	values := make(url.Values)
	for i := 0; i < len(form); i += 2 {
		values.Set(form[i], form[i+1])
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, target, strings.NewReader(values.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

// eventually gets a path until the answer matches.
func (v *visitor) eventually(path string, match *regexp.Regexp) string {
	v.Helper()
	for deadline := time.Now().Add(patienceOfTests); ; {
		got := v.get(path)
		if match.MatchString(got) {
			return got
		}
		if time.Now().After(deadline) {
			v.Fatalf("%s does not say %q: %s", path, match, got)
		}
		select {
		case <-v.Context().Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Other sites and other names of this machine get nothing done.
func TestGuard(t *testing.T) {
	home := startWallet(t)
	v := visit(t, home)
	for _, test := range []struct {
		name   string
		change func(*http.Request)
		status int
	}{
		{"the page itself", func(*http.Request) {}, http.StatusOK},
		{"without the token", func(r *http.Request) { r.Header.Del("X-Wallet-Token") }, http.StatusForbidden},
		{"another token", func(r *http.Request) { r.Header.Set("X-Wallet-Token", "A") }, http.StatusForbidden},
		{"another site", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, http.StatusForbidden},
		{"another origin", func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }, http.StatusForbidden},
		{"a picture of another site", func(r *http.Request) {
			r.Method, r.Body = http.MethodGet, http.NoBody
			r.URL.Path = "/phone"
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			r.Header.Set("Sec-Fetch-Dest", "image")
		}, http.StatusForbidden},
		{"another name of this machine", func(r *http.Request) { r.Host = "evil.example" }, http.StatusMisdirectedRequest},
	} {
		r := request(t, home+"/phone/camera")
		r.Header.Set("X-Wallet-Token", v.token)
		test.change(r)
		response, err := v.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != test.status {
			t.Errorf("%s: HTTP %d, want %d", test.name, response.StatusCode, test.status)
		}
		if policy := response.Header.Get("Content-Security-Policy"); test.status == http.StatusOK && (!strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe")) {
			t.Errorf("%s: Content-Security-Policy %q", test.name, policy)
		}
	}
	r := request(t, home+"/app/scan")
	r.Host = "evil.example"
	r.Header.Set("Authorization", "Bearer alice")
	if response, err := v.client.Do(r); err != nil {
		t.Fatal(err)
	} else if _ = response.Body.Close(); response.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("the app's JSON under another name: HTTP %d", response.StatusCode)
	}
	for _, addr := range []string{"0.0.0.0:0", "192.0.2.1:0", ":0"} {
		if l, err := listen(t.Context(), addr); err == nil {
			_ = l.Close()
			t.Errorf("the wallet listens at %s", addr)
		}
	}
}

// Two instances share a database: at one the user pays, the other one gives back.
func TestTwoInstances(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { twoInstances(t, filepath.Join(t.TempDir(), "wallet.db")) })
	t.Run("PostgreSQL", func(t *testing.T) {
		twoInstances(t, postgreSQL(t))
	})
}

// postgreSQL is the address of an empty schema of the private server. Without
// PostgreSQL the test is skipped; with CI=true it fails.
func postgreSQL(t *testing.T) string {
	t.Helper()
	var folder, schema string
	if err := sqltest.PostgreSQL(t).DB.QueryRowContext(t.Context(), `SELECT current_setting('unix_socket_directories'), current_schema()`).Scan(&folder, &schema); err != nil {
		t.Fatal(err)
	}
	return "postgres:///postgres?" + url.Values{"host": {folder}, "user": {"postgres"}, "search_path": {schema}}.Encode()
}

func twoInstances(t *testing.T, database string) {
	first, second := visit(t, startOn(t, database)), visit(t, startOn(t, database))
	first.post("/phone/scan", "goods", "order")
	if text := first.post("/phone/agree"); !strings.Contains(text, "Enter your PIN") {
		t.Fatal(text)
	}
	if text := first.post("/phone/pin", "pin", "1234"); !strings.Contains(text, "Paid") {
		t.Fatal(text)
	}
	second.eventually("/books", regexp.MustCompile("reported 1"))
	id := regexp.MustCompile(`name="id" value="([0-9]+)"`).FindStringSubmatch(second.get("/operators"))
	if id == nil {
		t.Fatal("the other instance does not see the payment")
	}
	if text := second.post("/operators/cancel", "id", id[1]); !strings.Contains(text, "the wallet answered S SUCCESS") {
		t.Error(text)
	}
	if text := first.post("/phone/home"); !strings.Contains(text, "Given back") || !strings.Contains(text, "HKD 20,000.00") {
		t.Error(text)
	}
	if text := first.get("/books"); !strings.Contains(text, "differences 0") {
		t.Error(text)
	}
}

// An order that nobody agrees to in time closes by itself, and the user learns it.
func TestOrderCloses(t *testing.T) {
	if !*long {
		t.Skip("it takes 20 seconds; use -long")
	}
	v := visit(t, startWallet(t))
	v.post("/phone/scan", "goods", "hurry")
	v.post("/phone/agree")
	v.eventually("/operators", regexp.MustCompile("was told F"))
	if text := v.post("/phone/pin", "pin", "1234"); !strings.Contains(text, "Not paid") {
		t.Error(text)
	}
}

func startOn(t *testing.T, database string) string {
	t.Helper()
	return start(t, options{listen: "127.0.0.1:0", database: database, sealingKey: strings.Repeat("0f", 32)})
}

// startWallet runs the program on SQLite and returns its address.
func startWallet(t *testing.T) string {
	t.Helper()
	return start(t, options{listen: "127.0.0.1:0"})
}

func start(t *testing.T, o options) string {
	t.Helper()
	home, stop := begin(t, o)
	t.Cleanup(stop)
	return home
}

// begin runs the program until stop.
func begin(t *testing.T, o options) (home string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out := &lines{found: make(chan string, 1)}
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, o, out) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	select {
	case home := <-out.found:
		return home, stop
	case err := <-ended:
		cancel()
		t.Fatal(err)
	case <-time.After(patienceOfTests):
		cancel()
		t.Fatal("the wallet does not start")
	}
	return "", stop
}

// lines finds the address in what the program prints.
type lines struct{ found chan string }

func (l *lines) Write(text []byte) (int, error) {
	if at := strings.Index(string(text), "http://"); at >= 0 {
		l.found <- strings.TrimSpace(string(text[at:]))
	}
	return len(text), nil
}
