package payment

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/weburl"
)

// ServiceConfig is what NewService needs. Fields without "required" may stay
// zero.
type ServiceConfig struct {
	Records Records // required
	// Ledger is the wallet's money in the same database, RemoteLedger the money
	// in a service of its own. Exactly one of them is required. Before you change
	// from a RemoteLedger to a Ledger, let everything end that it began: a Service
	// with a Ledger leaves that due, with an alarm.
	Ledger       Ledger
	RemoteLedger RemoteLedger

	// Check is the wallet's risk control, limits and step-up authentication. It
	// is asked before a payment is opened, before it is debited and for an
	// evaluation, outside of the Service's transactions, and may be asked
	// again.
	//
	// A refusal is an error that is wholly a failing alipayplus.ResultCode;
	// with [Retryable] the user may try again. Any other error decides nothing:
	// the payment stays as it is, and the error is returned.
	Check func(ctx context.Context, c Check) error
	// OnChange is called in the transaction of every change, with the record
	// before and after it: for the purchase history, or for a token (see
	// auth.Service.OnPaid). An error undoes the change. What a RemoteLedger did
	// cannot be undone: it is recorded all the same, with an alarm, and Run
	// calls OnChange again; before then has the State of that time and all else
	// from after. OnChange must not change the same payment. What it does
	// elsewhere than in this transaction may happen twice, or for nothing.
	OnChange func(ctx context.Context, before, after Record) error
	// AfterCommit is called once after the commit of every change: for a push
	// message. It is not called again after a crash, and not for a change in a
	// transaction of the caller or one whose commit was not answered.
	AfterCommit func(ctx context.Context, before, after Record)

	// Client is the one that the Relay delivers with: a payment begins only if
	// its CheckNotifyURL allows the paymentNotifyUrl. nil allows https at
	// alipayplus.com and its subdomains alone.
	Client *alipayplus.Client
	// IgnoreWindows accepts a cancelPayment after 00:30 UTC+8 of the next day
	// and a refund after 366 days. (The documents do not say what a late one
	// gets.)
	IgnoreWindows bool
	// NewID makes the wallet's ids of payments and refunds, at most 64
	// characters, each unique; nil means 26 random letters and digits.
	NewID func() string
	// Logger gets alarms (level ERROR) and oddities, never a secret; nil means
	// slog.Default().
	Logger *slog.Logger
}

// Confirmation is what the user agreed to on the cashier page.
type Confirmation struct {
	PaymentRequestID string
	CustomerID       string            // who agreed
	Shown            alipayplus.Amount // what they saw and agreed to pay: Amounts.Debit
	Consent          bool              // they agreed to later one-click payments, too
	Source           string            // ≤ 64: the account they pay from; for the ledger and Check
	Proof            alipayplus.Secret // a PIN, a signature of the phone …; for Check, never stored
}

// Service carries out what happens to payments: it loads the record, applies
// the event, moves the money, puts the notification into the outbox and stores
// the record, all in one transaction (with a RemoteLedger, in one transaction
// before and one after each call). It is immutable and safe for concurrent use;
// any number of processes may work on the same [Records].
//
// An error of a method does not mean that nothing happened: a commit may be
// done although its answer was lost. Ask again, or Find the record; every
// method may be called again with the same arguments. Of the errors, only a
// refusal (see alipayplus.RefusalOf) says that the payment will not do what was
// asked.
//
// A panic of Check, OnChange, AfterCommit or a ledger is an error, with an
// alarm: the transaction is rolled back, and a remote call is made again.
//
// If the ctx of On, Open or Confirm carries a transaction (see [Records]), the
// change joins it and is committed or rolled back with it; after an error, roll
// back. A debit that the Ledger refuses is such an error: nothing is recorded,
// because all that the transaction did must be undone. With a RemoteLedger it
// is an error from the start.
type Service struct {
	cfg ServiceConfig
	log *slog.Logger
}

// NewService checks cfg and returns a Service.
func NewService(cfg ServiceConfig) (*Service, error) {
	switch {
	case cfg.Records == nil:
		return nil, errors.New("payment: a Service needs Records")
	case (cfg.Ledger == nil) == (cfg.RemoteLedger == nil):
		return nil, errors.New("payment: a Service needs either a Ledger or a RemoteLedger")
	}
	if cfg.NewID == nil {
		cfg.NewID = rand.Text
	}
	s := &Service{cfg: cfg, log: cfg.Logger}
	if s.log == nil {
		s.log = slog.Default()
	}
	return s, nil
}

// Evaluate asks ServiceConfig.Check whether the account would support a payment
// with these terms, and returns its error. Nothing is stored.
func (s *Service) Evaluate(ctx context.Context, t Terms) error {
	return s.check(ctx, Check{Stage: StageEvaluation, Terms: t})
}

// Open stores a payment that begins: a scanned code that was decoded with S, or
// a pay request that was accepted. A zero At means now; an absent PaymentID is
// made by ServiceConfig.NewID. A payment that is known already is not changed:
// look at the State of the record.
//
// The errors are those of Check, those of [Opened], [ErrParam] for a
// Terms.NotifyURL that the result could not be sent to, and those of the
// database. ErrParam, ErrOtherCustomer and ErrInconsistent raise an alarm.
func (s *Service) Open(ctx context.Context, e Opened) (Record, error) {
	record, err := s.open(ctx, e)
	if errors.Is(err, ErrParam) || errors.Is(err, ErrOtherCustomer) || errors.Is(err, ErrInconsistent) {
		s.log.ErrorContext(ctx, "payment: alarm: a payment cannot be opened as Alipay+ asks for it",
			slog.String("paymentRequestId", e.PaymentRequestID), slog.Any("error", err))
	}
	return record, err
}

func (s *Service) open(ctx context.Context, e Opened) (Record, error) {
	unusable := s.checkNotifyURL(e.NotifyURL)
	if s.cfg.Check != nil || unusable != nil {
		known, err := s.Find(ctx, e.PaymentRequestID)
		switch {
		case err != nil:
			return known, err
		case known.State != "":
		case unusable != nil:
			return known, unusable
		default:
			if err := s.check(ctx, Check{Stage: StageOpen, Terms: e.Terms}); err != nil {
				return known, err
			}
		}
	}
	if e.PaymentID == "" {
		e.PaymentID = s.cfg.NewID()
	}
	if e.At.IsZero() {
		e.At = time.Now()
	}
	return s.On(ctx, e.PaymentRequestID, e)
}

// checkNotifyURL refuses a paymentNotifyUrl that no message would be sent to: a
// payment whose result cannot be reported must not begin. None is fine.
func (s *Service) checkNotifyURL(raw string) error {
	if s.cfg.Client != nil {
		if err := s.cfg.Client.CheckNotifyURL(raw); err != nil {
			return fmt.Errorf("%w: %s", ErrParam, err.Error()) // one %w: it is a refusal
		}
		return nil
	}
	var alipay weburl.Notify // its own hosts alone
	if _, rule := alipay.Check(raw); raw != "" && rule != "" {
		return fmt.Errorf("%w: paymentNotifyUrl %s (ServiceConfig.Client is not set)", ErrParam, rule)
	}
	return nil
}

// Confirm debits the user, who agreed on the cashier page. It returns the
// record that results: paid, failed, closed (the payment had expired), paying
// (a RemoteLedger does not know the end yet: ask Find), or open again, with
// Record.Code, if Check or the ledger refused and the user may try again. A
// second call for the same payment debits nothing.
//
// The errors are those of [Confirmed] (another customer, another amount, an
// unknown payment), an error of Check or of the ledger that is no refusal, and
// those of the database.
func (s *Service) Confirm(ctx context.Context, c Confirmation) (Record, error) {
	e := Confirmed{CustomerID: c.CustomerID, Amount: c.Shown, Consent: c.Consent, Source: c.Source, At: time.Now()}
	return s.on(ctx, c.PaymentRequestID, e, c.Proof)
}

// On applies any other event to a payment and carries out what follows. The
// errors are those of [Record.On] and those of the ledger and the database.
func (s *Service) On(ctx context.Context, paymentRequestID string, e Event) (Record, error) {
	return s.on(ctx, paymentRequestID, e, alipayplus.Secret{})
}

// Find returns the record of a payment. A payment that is not there has the
// empty State.
func (s *Service) Find(ctx context.Context, paymentRequestID string) (Record, error) {
	record, err := s.cfg.Records.Find(ctx, paymentRequestID)
	if err != nil {
		return record, &undecided{"the database", err}
	}
	return record, nil
}

// Joined reports whether ctx carries a transaction of the [Records]. What may
// not be undone any more, like the count of a PIN before it is compared, must
// not happen in one.
func (s *Service) Joined(ctx context.Context) bool { return s.cfg.Records.Joined(ctx) }

// Routes serve inquiryPayment, cancelPayment and refund below prefix:
// "/alipayplus/", or the same without its last slash, gives
// "/alipayplus/refund" and so on, the paths to register with Alipay+.
func (s *Service) Routes(prefix string) []alipayplus.Route {
	return []alipayplus.Route{
		InquiryPayment.Handle(path.Join(prefix, "inquiryPayment"), s.inquire),
		CancelPayment.Handle(path.Join(prefix, "cancelPayment"), s.cancel),
		Refund.Handle(path.Join(prefix, "refund"), s.refund),
	}
}

func (s *Service) inquire(ctx context.Context, r *InquiryPaymentRequest) (*InquiryPaymentResponse, error) {
	record, err := s.Find(ctx, r.PaymentRequestID)
	if err != nil {
		return nil, err
	}
	return record.InquiryAnswer(), nil
}

func (s *Service) cancel(ctx context.Context, r *CancelPaymentRequest) (*CancelPaymentResponse, error) {
	record, err := s.On(ctx, r.PaymentRequestID, Cancelled{At: time.Now(), IgnoreWindow: s.cfg.IgnoreWindows})
	if err != nil {
		return nil, err
	}
	return record.CancelAnswer(), nil
}

func (s *Service) refund(ctx context.Context, r *RefundRequest) (*RefundResponse, error) {
	record, err := s.On(ctx, r.PaymentRequestID, Refunded{
		Request: *r, RefundID: s.cfg.NewID(), At: time.Now(), IgnoreWindow: s.cfg.IgnoreWindows,
	})
	if err != nil {
		return nil, err
	}
	if entry, _ := record.refund(r.RefundRequestID); !entry.Cut.IsZero() {
		s.log.ErrorContext(ctx, "payment: alarm: the refunds of a payment are rounded to more than its debit; the last one is cut",
			slog.String("paymentRequestId", r.PaymentRequestID), slog.String("refundRequestId", r.RefundRequestID),
			slog.String("cut", entry.Cut.String()))
	}
	return record.RefundAnswer(r.RefundRequestID), nil
}
