package sqltest_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/sqlstore"
	"github.com/alipayplus-mpp/alipayplus-go/internal/sqltest"
)

// The processes of TestKill: this test's binary, started again. They listen on
// sockets in one folder.

// part is what a process gets from its environment.
type part struct {
	Folder, Socket   string
	Dialect          sqlstore.Dialect
	Address          string
	Wallet, Alipay   string // private keys
	WalletP, AlipayP string // public keys
}

func play(role string) {
	var p part
	check(json.Unmarshal([]byte(os.Getenv("SQLTEST_PART")), &p))
	listener, err := net.Listen("unix", filepath.Join(p.Folder, p.Socket))
	check(err)
	handler := playAlipay
	if role == "wallet" {
		handler = playWallet
	}
	check(http.Serve(listener, handler(p)))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
}

func keyTexts() (private, public string) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	check(err)
	a, err := x509.MarshalPKCS8PrivateKey(key)
	check(err)
	b, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	check(err)
	return base64.StdEncoding.EncodeToString(a), base64.StdEncoding.EncodeToString(b)
}

// through returns a transport to a socket.
func through(folder string) *http.Transport {
	dial := func(ctx context.Context, _, address string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(folder, host))
	}
	return &http.Transport{DialContext: dial, DialTLSContext: dial, MaxIdleConnsPerHost: 32}
}

// told is what Alipay+ knows of a payment.
type told struct {
	Codes  []alipayplus.ResultCode // each that arrived, once
	Amount alipayplus.Amount       // of the last one
	First  time.Time
}

// playAlipay plays Alipay+: it verifies notifications, writes them into its
// books and signs its answer, one in seven of which is lost.
func playAlipay(p part) http.Handler {
	credentials, err := alipayplus.ParseCredentials("WALLET", "1", []byte(p.Alipay), []byte(p.WalletP))
	check(err)
	var mu sync.Mutex
	books, arrived := map[string]*told{}, 0
	mux := http.NewServeMux()
	mux.HandleFunc("/books", func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		_ = json.NewEncoder(w).Encode(books)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		content := alipayplus.Content{Method: r.Method, Target: r.RequestURI, ClientID: r.Header.Get("Client-Id"), Time: r.Header.Get("Request-Time"), Body: body}
		var request struct {
			PaymentRequestID string
			PaymentResult    struct{ ResultCode alipayplus.ResultCode }
			PaymentAmount    alipayplus.Amount
		}
		if err != nil || content.Verify(r.Header.Get("Signature"), credentials.Keys) != nil || json.Unmarshal(body, &request) != nil {
			fmt.Fprintln(os.Stderr, "a request does not verify")
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		mu.Lock()
		known := books[request.PaymentRequestID]
		if known == nil {
			known = &told{First: time.Now()}
			books[request.PaymentRequestID] = known
		}
		if code := request.PaymentResult.ResultCode; len(known.Codes) == 0 || known.Codes[0] != code {
			known.Codes = append(known.Codes, code)
		}
		known.Amount = request.PaymentAmount
		arrived++
		lost := arrived%7 == 0
		mu.Unlock()
		if lost {
			panic(http.ErrAbortHandler)
		}
		answer := alipayplus.Content{Method: r.Method, Target: r.RequestURI, ClientID: "WALLET",
			Time: time.Now().UTC().Format("2006-01-02T15:04:05.000Z"),
			Body: []byte(`{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}`)}
		signature, err := answer.Sign(r.Context(), credentials.Signer)
		check(err)
		for name, value := range map[string]string{"Client-Id": answer.ClientID, "Response-Time": answer.Time, "Signature": signature, "Content-Type": "application/json; charset=UTF-8"} {
			w.Header().Set(name, value)
		}
		_, _ = w.Write(answer.Body)
	})
	return mux
}

// shortly shortens leases, so that another process takes over soon.
const shortly = 2 * time.Second

type shortQueue struct{ *sqlstore.Outbox }

func (q shortQueue) Lease(ctx context.Context, n int, _ time.Duration) ([]alipayplus.Delivery, error) {
	return q.Outbox.Lease(ctx, n, shortly)
}

type shortRecords struct{ payment.Records }

func (r shortRecords) Lease(ctx context.Context, n int, _ time.Duration) ([]string, error) {
	return r.Records.Lease(ctx, n, shortly)
}

// playWallet plays a process of the wallet's backend; its handler is the app
// and Alipay+'s requests.
func playWallet(p part) http.Handler {
	ctx := context.Background()
	d, err := sqltest.Connect(p.Dialect, p.Address)
	check(err)
	d.DB.SetMaxOpenConns(16)
	var store *sqlstore.Store
	for { // the database may be down; the test kills a process that waits for it in vain
		if store, err = sqlstore.Open(ctx, d.DB, d.Dialect); err == nil {
			break
		}
		fmt.Fprintln(os.Stderr, err)
		time.Sleep(50 * time.Millisecond)
	}
	service, err := payment.NewService(payment.ServiceConfig{Records: shortRecords{store.Payments()}, Ledger: store.Ledger(d.OpenBank())})
	check(err)
	credentials, err := alipayplus.ParseCredentials("WALLET", "1", []byte(p.Wallet), []byte(p.AlipayP))
	check(err)
	client, err := alipayplus.NewClient(alipayplus.ClientConfig{Credentials: credentials, BaseURL: "https://alipay", Transport: through(p.Folder)})
	check(err)
	relay, err := alipayplus.NewRelay(alipayplus.RelayConfig{Client: client, Queue: shortQueue{store.Outbox()}, Poll: 200 * time.Millisecond,
		Schedule: slices.Repeat(alipayplus.Schedule{200 * time.Millisecond}, 1000)})
	check(err)
	go func() { check(relay.Run(ctx)) }()
	go func() { check(service.Run(ctx)) }()

	mux := http.NewServeMux()
	serve := func(path string, do func(ctx context.Context, id string, r *http.Request) (payment.State, error)) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			state, err := do(r.Context(), r.FormValue("id"), r)
			if err != nil {
				http.Error(w, err.Error(), http.StatusServiceUnavailable)
				return
			}
			_, _ = io.WriteString(w, string(state))
		})
	}
	serve("/confirm", func(ctx context.Context, id string, r *http.Request) (payment.State, error) {
		minor, _ := strconv.ParseInt(r.FormValue("minor"), 10, 64)
		amount := alipayplus.Amount{Currency: sqltest.Currency, Minor: minor}
		_, err := service.Open(ctx, payment.Opened{Terms: payment.Terms{
			PaymentRequestID: id, CustomerID: r.FormValue("customer"), CodeValueDigest: "digest",
			Amounts: payment.Amounts{PaymentAmount: amount, PayToAmount: amount},
		}})
		if err != nil {
			return "", err
		}
		record, err := service.Confirm(ctx, payment.Confirmation{PaymentRequestID: id, CustomerID: r.FormValue("customer"), Shown: amount})
		return record.State, err
	})
	serve("/cancel", func(ctx context.Context, id string, _ *http.Request) (payment.State, error) {
		record, err := service.On(ctx, id, payment.Cancelled{At: time.Now()})
		return record.State, err
	})
	serve("/refund", func(ctx context.Context, id string, _ *http.Request) (payment.State, error) {
		amount := alipayplus.Amount{Currency: sqltest.Currency, Minor: 10}
		record, err := service.On(ctx, id, payment.Refunded{
			Request:  payment.RefundRequest{PaymentRequestID: id, RefundRequestID: id + "-r", RefundAmount: amount, RefundFromAmount: amount},
			RefundID: "W" + id, At: time.Now(),
		})
		if err == nil && record.RefundAnswer(id+"-r").Result.Status != alipayplus.StatusSucceeded {
			err = errUnknown
		}
		return record.State, err
	})
	return mux
}

// process is a running part.
type process struct {
	t    *testing.T
	role string
	part part
	run  *exec.Cmd
	log  bytes.Buffer
}

func (p *process) start() {
	p.t.Helper()
	text, err := json.Marshal(p.part)
	must(p.t, err)
	_ = os.Remove(filepath.Join(p.part.Folder, p.part.Socket))
	p.run = exec.Command(os.Args[0])
	p.run.Env = append(os.Environ(), "SQLTEST_ROLE="+p.role, "SQLTEST_PART="+string(text))
	p.run.Stderr = &p.log
	sqltest.DieWithParent(p.run)
	must(p.t, p.run.Start())
}

func (p *process) kill() {
	_ = p.run.Process.Kill()
	_ = p.run.Wait()
}
