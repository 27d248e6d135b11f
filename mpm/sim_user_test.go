package mpm_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
)

// user is a customer with a phone, and one order to pay.
type user struct {
	world       *world
	book        *book
	name        string
	intercepted bool // the client SDK took the code from an entry code's page
}

// ask sends a question to the wallet until it answers, and returns the JSON for
// the app. A user whose wallet is down may lose patience; the answer is nil
// then.
func (u *user) ask(fn func(*process) (json.Marshaler, error)) (answer json.Marshaler, data string) {
	for range 200 {
		ok := u.world.call(func(p *process) {
			a, err := fn(p)
			switch {
			case err == nil:
				answer = a
			case !errors.Is(err, errDatabase) && !errors.Is(err, errNoCheck): // HTTP 503
				u.world.violate("the wallet fails: %v", err)
			}
		})
		if ok && answer != nil {
			text, err := json.Marshal(answer)
			if err != nil {
				u.world.violate("no JSON for the app: %v", err)
			}
			return answer, string(text)
		}
		if u.world.chance(10) == 0 {
			return nil, ""
		}
		u.world.pause(time.Second, 3*time.Second)
	}
	u.world.violate("the wallet does not answer %s", u.name)
	return nil, ""
}

func (u *user) run() {
	w := u.world
	u.scan()
	if w.chance(5) == 0 { // the same code again, later
		w.pause(time.Second, 5*time.Minute)
		u.scan()
	}
	if w.chance(10) == 0 { // somebody else scans it
		other := *u
		other.name = "mallory"
		answer, _ := u.ask(other.look)
		if _, ok := answer.(mpm.Cashier); ok && u.book.customer != other.name {
			w.violate("%s: another customer got the cashier page", u.book.id)
		}
	}
}

func (u *user) look(p *process) (json.Marshaler, error) {
	if u.intercepted {
		return p.flow.Decode(context.Background(), alipayplus.Conceal(u.book.code), u.name)
	}
	return p.flow.Scan(context.Background(), alipayplus.Conceal(u.book.code+"\n"), u.name)
}

// scan has a user scan and perhaps pay.
func (u *user) scan() {
	w := u.world
	for range 100 {
		answer, data := u.ask(u.look)
		w.note("%s: %T for %s", u.name, answer, u.book.id)
		switch step := answer.(type) {
		case mpm.Pending:
			w.pause(step.AskAgainAfter, 2*step.AskAgainAfter)
			continue
		case mpm.Failed:
			w.alipay.checkFailed(u.book, u.name, step)
		case mpm.SDKAction:
			if !u.book.action {
				w.violate("%s: an action that Alipay+ did not give", u.book.id)
			}
		case mpm.ResultPage:
			u.follow(data)
		case mpm.Cashier:
			u.cashier(step)
		case nil:
		default:
			w.violate("%s: a step that cannot be: %T", u.book.id, answer)
		}
		return
	}
	w.violate("%s: pending for ever", u.book.id)
}

func (u *user) cashier(step mpm.Cashier) {
	w := u.world
	for range 2 { // if the balance is too low, once more
		w.pause(time.Second, 40*time.Second)
		if w.chance(8) == 0 {
			return // leaves
		}
		confirm := func(p *process) (json.Marshaler, error) {
			return p.flow.Confirm(context.Background(), payment.Confirmation{
				PaymentRequestID: step.Record.PaymentRequestID, CustomerID: u.name, Shown: step.Record.Amounts.Debit(),
			})
		}
		var taps sync.WaitGroup
		if w.chance(3) == 0 { // a double tap
			d := w.draw(0, 300*time.Millisecond)
			taps.Go(func() { time.Sleep(d); u.ask(confirm) })
		}
		answer, data := u.ask(confirm)
		taps.Wait()
		if answer == nil {
			return
		}
		if page, ok := answer.(mpm.ResultPage); !ok || page.Record.State != payment.StateOpen {
			u.follow(data)
			return
		}
	}
}

// follow asks for the payment until it is final. What the user was told must
// stay true.
func (u *user) follow(data string) {
	for i := range 300 {
		for _, state := range []string{"paid", "failed", "closed"} {
			if strings.Contains(data, `"state":"`+state+`"`) {
				u.world.note("%s: %s is %s", u.name, u.book.id, state)
				u.book.shown = append(u.book.shown, state)
				return
			}
		}
		if strings.Contains(data, `"step":"failed"`) || strings.Contains(data, `"state":"open"`) {
			return
		}
		if i < 50 {
			u.world.pause(2*time.Second, 3*time.Second)
		} else { // the bank does not answer, and is asked every ten minutes by now
			u.world.pause(10*time.Second, 20*time.Second)
		}
		var answer json.Marshaler
		answer, data = u.ask(func(p *process) (json.Marshaler, error) {
			return p.flow.ResultPage(context.Background(), u.book.id, u.name)
		})
		if answer == nil {
			return
		}
	}
	u.world.violate("%s: in progress for ever", u.book.id)
}
