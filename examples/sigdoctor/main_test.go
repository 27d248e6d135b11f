package main

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// desk is a folder with the files of a session.
type desk struct {
	t                             *testing.T
	private, public, other, wrong string // key files; wrong is no key
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t}
	public := func(key *rsa.PrivateKey) []byte {
		return []byte(base64.StdEncoding.EncodeToString(testkit.Must(x509.MarshalPKIXPublicKey(&key.PublicKey))))
	}
	d.private = d.file("private.pem", pem.EncodeToMemory(&pem.Block{
		Type: "PRIVATE KEY", Bytes: testkit.Must(x509.MarshalPKCS8PrivateKey(testkit.Keys().Wallet)),
	}))
	d.public = d.file("public.txt", public(testkit.Keys().Wallet))
	d.other = d.file("other.txt", public(testkit.Keys().Alipay))
	d.wrong = d.file("wrong.txt", []byte("c2VjcmV0IGtleSBtYXRlcmlhbA=="))
	return d
}

func (d *desk) file(name string, content []byte) string {
	d.t.Helper()
	path := filepath.Join(d.t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		d.t.Fatal(err)
	}
	return path
}

// arguments returns the flags of c, whose body is in a file.
func (d *desk) arguments(command, key string, c alipayplus.Content, more ...string) []string {
	d.t.Helper()
	return append([]string{
		command, "-key", key, "-method", c.Method, "-target", c.Target, "-client-id", c.ClientID, "-time", c.Time,
		"-body", d.file("body", c.Body),
	}, more...)
}

func (d *desk) run(args ...string) (status int, stdout, stderr string) {
	d.t.Helper()
	var out, errs bytes.Buffer
	status = run(args, strings.NewReader(""), &out, &errs)
	return status, out.String(), errs.String()
}

// verify runs verify and checks that its output is one JSON object that agrees
// with its status.
func (d *desk) verify(c alipayplus.Content, header string, more ...string) diagnosis {
	d.t.Helper()
	status, stdout, stderr := d.run(d.arguments("verify", d.public, c, append([]string{"-signature", header}, more...)...)...)
	var found diagnosis
	decoder := json.NewDecoder(strings.NewReader(stdout))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&found); err != nil || decoder.More() || found.Hints == nil || found.Reason == "" {
		d.t.Fatalf("not one diagnosis: %v\n%s%s", err, stdout, stderr)
	}
	want := 1
	if found.Valid {
		want = 0
	}
	if status != want || stderr != "" {
		d.t.Fatalf("status %d for %s, stderr %q", status, stdout, stderr)
	}
	return found
}

func sample() alipayplus.Content {
	return alipayplus.Content{
		Method: "POST", Target: "/aps/api/v1/payments/inquiryPayment", ClientID: "WALLET_CLIENT_01",
		Time: "2025-02-20T08:51:49.090Z", Body: []byte(`{"paymentRequestId":"PR-0001"}`),
	}
}

func TestSignAndVerify(t *testing.T) {
	d := newDesk(t)
	status, header, stderr := d.run(d.arguments("sign", d.private, sample(), "-key-version", "7")...)
	if status != 0 || stderr != "" || !strings.HasPrefix(header, "algorithm=RSA256,keyVersion=7,signature=") || !strings.HasSuffix(header, "%3D%3D\n") {
		t.Fatalf("status %d: %q, stderr %q", status, header, stderr)
	}
	header = strings.TrimSpace(header)
	if found := d.verify(sample(), header); !found.Valid || len(found.Hints) != 0 {
		t.Errorf("a good signature: %+v", found)
	}
	changed := sample()
	changed.Body = []byte(`{"paymentRequestId":"PR-0002"}`)
	if found := d.verify(changed, header); found.Valid || len(found.Hints) != 0 || !strings.Contains(found.Reason, "with this key, but over another text") {
		t.Errorf("another body: %+v", found)
	}
}

// OpenSSL is an oracle that shares no code with the SDK, and the signed text is
// written by hand.
func TestSignAgainstOpenSSL(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	d := newDesk(t)
	for _, c := range []alipayplus.Content{
		sample(),
		{Method: "POST", Target: "/wallet/pay?a=1&b=%2F", ClientID: "a-b_C9", Time: "2025-02-20T16:51:49+08:00", Body: []byte("{\"name\":\"\xc3\xa9\"}\r\n")},
		{Method: "GET", Target: "/", ClientID: "x", Time: "1740041509090", Body: []byte("{}")},
	} {
		text := d.file("text", []byte(c.Method+" "+c.Target+"\n"+c.ClientID+"."+c.Time+"."+string(c.Body)))
		signature, err := exec.Command(openssl, "dgst", "-sha256", "-sign", d.private, text).Output()
		if err != nil {
			t.Fatal(err)
		}
		want := strings.NewReplacer("+", "%2B", "/", "%2F", "=", "%3D").Replace(base64.StdEncoding.EncodeToString(signature))
		status, stdout, stderr := d.run(d.arguments("sign", d.private, c)...)
		if status != 0 || stdout != "algorithm=RSA256,keyVersion=1,signature="+want+"\n" {
			t.Errorf("%s %s: status %d, %q\nwant the signature %q\n%s", c.Method, c.Target, status, stdout, want, stderr)
		}
	}
}

func TestBodyFromStandardInput(t *testing.T) {
	d := newDesk(t)
	args := d.arguments("sign", d.private, sample())
	_, fromFile, _ := d.run(args...)
	args[slices.Index(args, "-body")+1] = "-"
	var out, errs bytes.Buffer
	if status := run(args, bytes.NewReader(sample().Body), &out, &errs); status != 0 || out.String() != fromFile {
		t.Errorf("status %d, %q, stderr %q; want %q", status, out.String(), errs.String(), fromFile)
	}
}

func TestHelp(t *testing.T) {
	d := newDesk(t)
	for _, arg := range []string{"help", "-h", "-help", "--help"} {
		if status, stdout, stderr := d.run(arg); status != 0 || stdout != usage || stderr != "" {
			t.Errorf("%s: status %d, %q, %q", arg, status, stdout, stderr)
		}
	}
	if status, stdout, _ := d.run("verify", "-h"); status != 0 || stdout != usage {
		t.Errorf("verify -h: status %d, %q", status, stdout)
	}
	// A flag that the usage does not name is one that nobody finds.
	for _, name := range []string{"key", "target", "client-id", "time", "body", "signature", "method", "key-version", "other-key"} {
		if !strings.Contains(usage, "\n  -"+name+" ") {
			t.Errorf("the usage does not explain -%s", name)
		}
	}
}

func TestWrongUse(t *testing.T) {
	d := newDesk(t)
	good := func(command, key string) []string {
		args := d.arguments(command, key, sample())
		if command == "verify" {
			args = append(args, "-signature", "x")
		}
		return args
	}
	without := func(args []string, flag string) []string {
		at := slices.Index(args, flag)
		return slices.Concat(args[:at], args[at+2:])
	}
	with := func(args []string, flag, value string) []string {
		at := slices.Index(args, flag)
		if at < 0 {
			return append(args, flag, value)
		}
		args[at+1] = value
		return args
	}
	sign, verify := func() []string { return good("sign", d.private) }, func() []string { return good("verify", d.public) }
	for _, c := range []struct {
		rule string
		args []string
		says string
	}{
		{"no command", nil, "sign or verify"},
		{"unknown command", []string{"check"}, "neither sign nor verify"},
		{"unknown flag", append(sign(), "-colour", "blue"), "-colour"},
		{"stray argument", append(sign(), "blue"), "without a flag"},
		{"a flag of the other command", append(sign(), "-signature", "x"), "-signature"},
		{"no key", without(sign(), "-key"), "-key is missing"},
		{"no target", without(sign(), "-target"), "-target is missing"},
		{"no client id", without(sign(), "-client-id"), "-client-id is missing"},
		{"no time", without(sign(), "-time"), "-time is missing"},
		{"no body", without(sign(), "-body"), "-body is missing"},
		{"no signature", without(verify(), "-signature"), "-signature is missing"},
		{"no such key file", with(sign(), "-key", d.private+".gone"), "-key: "},
		{"no such body file", with(sign(), "-body", d.private+".gone"), "-body: "},
		{"a key that is none", with(sign(), "-key", d.wrong), "-key: "},
		{"public key signs", with(sign(), "-key", d.public), "a public key where the private one belongs"},
		{"private key verifies", with(verify(), "-key", d.private), "a private key where the public one belongs"},
		{"other key that is none", with(verify(), "-other-key", d.wrong), "-other-key: "},
		{"bad key version", with(sign(), "-key-version", "v1"), "-key-version: "},
		{"a target that cannot be signed", with(sign(), "-target", "no/slash"), "cannot sign this: the target"},
		{"a time that cannot be signed", with(sign(), "-time", "yesterday"), "cannot sign this: the time"},
	} {
		status, stdout, stderr := d.run(c.args...)
		if status != 2 || stdout != "" || !strings.Contains(stderr, c.says) {
			t.Errorf("%s: status %d, stdout %q, stderr %q; want 2 and %q", c.rule, status, stdout, stderr, c.says)
		}
		for _, file := range []string{d.private, d.wrong} {
			for line := range strings.SplitSeq(string(testkit.Must(os.ReadFile(file))), "\n") {
				if !strings.HasPrefix(line, "-----") && line != "" && strings.Contains(stderr, line) {
					t.Errorf("%s: stderr shows a part of a key file", c.rule)
				}
			}
		}
	}
}
