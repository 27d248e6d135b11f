package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/sqlstore"
)

// messageArgs is a message to Alipay+ as a job. The message is bytes, because
// jsonb would change a text.
type messageArgs struct {
	ID      string `json:"id" river:"unique"` // a hash of operation and key
	Group   string `json:"group"`             // a hash of the group, "" if there is none
	Message []byte `json:"message"`
}

// Kind implements river.JobArgs.
func (messageArgs) Kind() string { return "alipayplus" }

func hash(texts ...string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", texts))
	return hex.EncodeToString(sum[:])
}

// Outbox is an alipayplus.Outbox on River: a message is a job, inserted in the
// transaction of the Store that ctx carries.
type Outbox struct {
	store *sqlstore.Store
	river *river.Client[*sql.Tx]
}

// tx runs do in the transaction of ctx, or in one of its own.
func (o Outbox) tx(ctx context.Context, do func(context.Context, *sql.Tx) error) error {
	return o.store.InTx(ctx, func(ctx context.Context) error {
		tx, err := sqlstore.Tx(ctx)
		if err != nil {
			return err
		}
		return do(ctx, tx)
	})
}

// Put implements alipayplus.Outbox. Jobs of every state count, so that a
// message which was delivered is not put again; see newRiver for how long they
// stay.
func (o Outbox) Put(ctx context.Context, m alipayplus.Message) error {
	if m.Operation == "" || m.Key == "" {
		return errors.New("a message needs an operation and a key")
	}
	data, err := m.MarshalBinary()
	if err != nil {
		return err
	}
	args := messageArgs{ID: hash(m.Operation, m.Key), Message: data}
	if m.Group != "" {
		args.Group = hash(m.Group)
	}
	return o.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := o.river.InsertTx(ctx, tx, args, &river.InsertOpts{
			MaxAttempts: 11, // as many as alipayplus.Schedule has
			UniqueOpts:  river.UniqueOpts{ByArgs: true, ByState: rivertype.JobStates()},
		})
		return err
	})
}

// Withdraw implements alipayplus.Outbox.
func (o Outbox) Withdraw(ctx context.Context, operation, key string) error {
	return o.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		jobs, err := o.river.JobListTx(ctx, tx, with("id", hash(operation, key)))
		if err != nil {
			return err
		}
		for _, job := range jobs.Jobs {
			if _, err := o.river.JobCancelTx(ctx, tx, job.ID); err != nil {
				return err
			}
		}
		return nil
	})
}

// with lists the jobs whose args have a member, found by River's index on args.
func with(member, value string) *river.JobListParams {
	args, _ := json.Marshal(map[string]string{member: value}) // texts always encode
	return river.NewJobListParams().Where("args @> @args::jsonb", river.NamedArgs{"args": string(args)})
}

// records are the payments of a sqlstore.Store, with River's Outbox instead of
// its own.
type records struct {
	payment.Records
	Outbox
}

// Put implements alipayplus.Outbox.
func (r records) Put(ctx context.Context, m alipayplus.Message) error { return r.Outbox.Put(ctx, m) }

// Withdraw implements alipayplus.Outbox.
func (r records) Withdraw(ctx context.Context, operation, key string) error {
	return r.Outbox.Withdraw(ctx, operation, key)
}

// worker delivers messages, one attempt each time, as an alipayplus.Relay does.
type worker struct {
	river.WorkerDefaults[messageArgs]
	client *alipayplus.Client
}

// Work implements river.Worker. A message that Alipay+ refused for good is
// cancelled: look at it, mend the cause and retry the job.
func (w *worker) Work(ctx context.Context, job *river.Job[messageArgs]) error {
	if waits, err := w.waits(ctx, job); err != nil || waits {
		return errors.Join(err, river.JobSnooze(time.Second))
	}
	var m alipayplus.Message
	err := m.UnmarshalBinary(job.Args.Message)
	if err == nil {
		err = w.client.Deliver(ctx, m, alipayplus.WithRetry(alipayplus.NoRetry))
	}
	if err == nil {
		return nil
	}
	if _, again := alipayplus.Schedule(nil).Next(job.Attempt, err); !again {
		return river.JobCancel(err)
	}
	return err
}

// waits reports whether an earlier message of the group is not finished.
func (w *worker) waits(ctx context.Context, job *river.Job[messageArgs]) (bool, error) {
	if job.Args.Group == "" {
		return false, nil
	}
	earlier, err := river.ClientFromContext[*sql.Tx](ctx).JobList(ctx, with("group", job.Args.Group).
		Where("id < @id AND finalized_at IS NULL", river.NamedArgs{"id": job.ID}).First(1))
	return err == nil && len(earlier.Jobs) > 0, err
}

// NextRetry implements river.Worker, by the schedule of the SDK.
func (w *worker) NextRetry(job *river.Job[messageArgs]) time.Time {
	wait, _ := alipayplus.Schedule(nil).Next(job.Attempt, errNotAcknowledged)
	return time.Now().Add(wait)
}

var errNotAcknowledged = errors.New("not acknowledged")

// Timeout implements river.Worker.
func (w *worker) Timeout(*river.Job[messageArgs]) time.Duration { return 20 * time.Second }
