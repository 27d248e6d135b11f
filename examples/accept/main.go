// Accept runs the acceptance suite against a wallet's backend, in whatever
// language it is written:
//
//	go run ./examples/accept -new DIR                 # accept.json and the wallet's keys, to begin with
//	go run ./examples/accept DIR/accept.json          # the checks, over HTTP
//	go run ./examples/accept -quick DIR/accept.json   # without the checks that wait
//	go run ./examples/accept -demo                    # the checks, on a wallet of this example
//	go run ./examples/accept -list                    # what is checked
//
// The exit status is the verdict: 0 accepted, 1 not accepted, 2 the checks could
// not begin. CONTRACT.md, beside package accept, says what a wallet offers.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest/accept"
)

func main() {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // what the faults do to the demo's wallet is in the report
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

const (
	accepted = iota
	notAccepted
	cannotBegin
)

const usage = `accept checks a wallet's backend from outside: it plays Alipay+, the merchants, the app and its users.

  accept -new DIR          write accept.json and wallet.json with new keys into this folder, to begin with
  accept [OPTIONS] FILE    check the wallet that this accept.json describes
  accept [OPTIONS] -demo   check a wallet that comes with this command
  accept -list             list the checks

  -quick        leave out the checks that wait for seconds
  -only N,N     run these checks alone
  -json FILE    write the report as JSON
  -junit FILE   write the report as JUnit XML

Exit status: 0 accepted, 1 not accepted, 2 the checks could not begin. What a wallet offers to the checks, and
what accept.json says, is in alipayplus/alipayplustest/accept/CONTRACT.md.
`

// run is the command, for the tests, too.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("accept", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { _, _ = io.WriteString(stderr, usage) }
	fresh := flags.String("new", "", "")
	demo := flags.Bool("demo", false, "")
	list := flags.Bool("list", false, "")
	only := flags.String("only", "", "")
	quick := flags.Bool("quick", false, "")
	jsonFile := flags.String("json", "", "")
	junitFile := flags.String("junit", "", "")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return accepted
	case err != nil:
		return cannotBegin
	}
	fail := func(err error) int {
		_, _ = fmt.Fprintln(stderr, err)
		return cannotBegin
	}
	numbers, err := parseNumbers(*only)
	if err != nil {
		return fail(err)
	}
	set := func(cfg *accept.Config) {
		cfg.Only, cfg.Quick = numbers, *quick
		cfg.Progress = func(r accept.Result) { _, _ = io.WriteString(stdout, r.String()) }
	}
	var report *accept.Report
	switch {
	case *list:
		for _, c := range accept.List() {
			_, _ = fmt.Fprintf(stdout, "%d  %s\n     at stake:  %s\n     documents: %s\n", c.Number, c.Name, c.Loses, c.Source)
		}
		return accepted
	case *fresh != "":
		if err := writeNew(*fresh, stdout); err != nil {
			return fail(err)
		}
		return accepted
	case *demo:
		report, err = runDemo(ctx, set)
	case flags.NArg() == 1:
		report, err = runConfigured(ctx, flags.Arg(0), set, stderr)
	default:
		_, _ = io.WriteString(stderr, "accept: name one accept.json, after the options\n\n")
		flags.Usage()
		return cannotBegin
	}
	if err != nil {
		return fail(err)
	}
	_, err = io.WriteString(stdout, report.Summary())
	if err := errors.Join(err, toFile(*jsonFile, report.WriteJSON), toFile(*junitFile, report.WriteJUnit)); err != nil {
		return fail(err)
	}
	if report.Err() != nil {
		return notAccepted
	}
	return accepted
}

func parseNumbers(text string) (numbers []int, err error) {
	if text == "" {
		return nil, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil {
			return nil, fmt.Errorf("-only: %q is no number", part)
		}
		numbers = append(numbers, n)
	}
	return numbers, nil
}

func toFile(name string, write func(io.Writer) error) error {
	if name == "" {
		return nil
	}
	file, err := os.Create(name) //nolint:gosec // the user names it
	if err != nil {
		return err
	}
	return errors.Join(write(file), file.Close())
}

// writeNew writes a configuration to begin with. It replaces none: a wallet may
// have the keys already.
func writeNew(dir string, stdout io.Writer) error {
	for _, name := range []string{"accept.json", "wallet.json"} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			return fmt.Errorf("accept: %s is there already, and may be in use: delete it, or name another folder", filepath.Join(dir, name))
		}
	}
	cfg, wallet, err := accept.NewConfig()
	if err != nil {
		return err
	}
	for name, v := range map[string]any{"accept.json": cfg, "wallet.json": wallet} {
		data, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), append(data, '\n'), 0o600); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(stdout, newText, filepath.Join(dir, "wallet.json"), filepath.Join(dir, "accept.json"), cfg.Alipay.BaseURL)
	return err
}

const newText = `1. Give %[1]s to the test environment of your wallet: its clientId, its private keys, and
   the public keys of the Alipay+ that it is to believe. Its gateway is %[3]s.
2. Say in %[2]s where your wallet is, who its users are and what it offers: take
   away the capabilities that it does not have. CONTRACT.md explains each member.
3. Start the checks, with %[2]s as the argument, and the wallet: in any order,
   if it starts without Alipay+, else within the 30 seconds that the checks wait for it.
`

// runConfigured checks the wallet of an accept.json.
func runConfigured(ctx context.Context, name string, set func(*accept.Config), stderr io.Writer) (*accept.Report, error) {
	cfg, err := accept.Load(name)
	if err != nil {
		return nil, err
	}
	set(&cfg)
	suite, err := accept.New(cfg)
	if err != nil {
		return nil, err
	}
	if cfg.Alipay.Listen == "" {
		return nil, errors.New("accept: alipay.listen is missing: where the suite's Alipay+ listens")
	}
	listener, err := listen(ctx, cfg.Alipay.Listen)
	if err != nil {
		return nil, err
	}
	defer serve(listener, suite.Alipay())()
	_, _ = fmt.Fprintf(stderr, "Alipay+ is played at %s; the wallet's driver is expected at %s, within 30 seconds\n", cfg.Alipay.Listen, cfg.Wallet.Driver)
	return suite.Run(ctx)
}

// runDemo checks the wallet of this example, over HTTP on this machine.
func runDemo(ctx context.Context, set func(*accept.Config)) (*accept.Report, error) {
	cfg := accept.Config{Capabilities: accept.Capabilities()}
	cfg.Limits.ResendSeconds = 45 // see schedule; and a lease of the process before ends
	set(&cfg)
	var w *wallet
	defer func() {
		if w != nil {
			w.end()
		}
	}()
	return accept.RunOverHTTP(ctx, cfg, func(ctx context.Context, world accept.World) (_ accept.Handlers, err error) {
		if w, err = newWallet(ctx, world); err != nil {
			return accept.Handlers{}, err
		}
		return w.handlers(), nil
	})
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("accept: alipay.listen: %w", err)
	}
	return listener, nil
}

// serve serves h until stop is called.
func serve(listener net.Listener, h http.Handler) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = alipayplus.ServeListener(ctx, alipayplus.NewServer("", h), listener)
	}()
	return func() { cancel(); <-ended }
}
