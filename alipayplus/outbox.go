package alipayplus

import (
	"context"
	"time"
)

// Outbox takes messages that must reach Alipay+ even if this process dies. A
// service puts a message in the transaction that makes the message true, and a
// [Relay] delivers it after the commit. ctx carries the transaction; how is the
// outbox's own matter.
//
// A [Memory] and package sqlstore have one. A team with a job engine implements
// Outbox alone and delivers each message with [Client.Deliver] by itself.
type Outbox interface {
	// Put adds m, once for each Operation and Key: a message that was put before
	// stays as it is, whatever became of it. Nobody delivers it before the
	// commit.
	Put(ctx context.Context, m Message) error
	// Withdraw takes a message back that is not acknowledged, a dead letter too.
	// It is no error if there is none, and the message may be put later. A
	// delivery that is under way may still arrive.
	Withdraw(ctx context.Context, operation, key string) error
}

// Queue is what a [Relay] works through: the other side of an [Outbox]. Any
// number of processes may share one. Times are those of the queue's own clock.
//
// A Queue may also have the method
//
//	Ready() <-chan struct{}
//
// whose channel gets a value after a message was put and committed in this
// process. A Relay then delivers at once and does not wait for its next look.
//
// and two more, which a Relay does not use:
//
//	Backlog(ctx context.Context) (Backlog, error)
//	Waiting(ctx context.Context, n int) ([]Delivery, error)
//
// Backlog is for metrics and alarms. Waiting is for a page for operators: it
// lists at most n messages that wait, leased ones included, in the order of
// their next try, with Delivery.Due. A [Memory] and package sqlstore have all
// three.
type Queue interface {
	// Lease takes at most n messages that are due, for the time d, and counts a
	// try for each. Nobody else gets a leased message before its lease ends. Those
	// that were never tried come in the order of Put, and what must wait, such as
	// the rest of a group, holds nothing else up, however small n is.
	//
	// Of a Group that is not empty only the first message that is neither
	// acknowledged, withdrawn nor dead can be leased, and none while a lease of
	// the group runs. So the messages of a group arrive in the order of Put. A
	// dead letter that is due again has its old place in that order.
	Lease(ctx context.Context, n int, d time.Duration) ([]Delivery, error)
	// Finish ends the lease of d. If another lease replaced it, or d has none,
	// as those of DeadLetters and Waiting, only an acknowledgement is recorded.
	Finish(ctx context.Context, d Delivery, end End) error
	// DeadLetters lists at most n dead letters, the oldest first.
	DeadLetters(ctx context.Context, n int) ([]Delivery, error)
	// Requeue makes a dead letter due again, with its tries counted from 0. It
	// is no error if there is none.
	Requeue(ctx context.Context, operation, key string) error
}

// Delivery is a message that a worker has leased, or a dead letter.
type Delivery struct {
	Message Message    // as it was put
	Tries   int        // leases so far, this one included
	Lease   string     // names the lease; of the Queue's making, "" for a dead letter
	Put     time.Time  // when the message was put
	Due     time.Time  // of Waiting: the next try, or the end of the lease
	Code    ResultCode // of the last verified answer, if there was one
	Err     error      // set if the message could not be read; Operation and Key are set
}

// Backlog is what a [Queue] holds that Alipay+ has not acknowledged.
type Backlog struct {
	Waiting int       // messages that are due or will be, leased ones included
	Oldest  time.Time // when the first of them was put; zero if none waits
	Dead    int       // dead letters
}

// End is how a delivery ended.
type End struct {
	State EndState      // what becomes of the message
	After time.Duration // EndAgain: the wait before the message is due again
	Code  ResultCode    // of the verified answer, if there was one; at most 64 printable characters
}

// EndState says what becomes of a message after a delivery.
type EndState uint8

// The ends of a delivery.
const (
	EndAgain        EndState = iota // not acknowledged; it is due again after End.After
	EndAcknowledged                 // Alipay+ answered S; the body is forgotten
	EndDead                         // a dead letter: it waits for Queue.Requeue
)
