package alipayplus_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

func TestMemoryIdempotencyStore(t *testing.T) {
	alipayplustest.TestIdempotencyStore(t, func(*testing.T) alipayplus.IdempotencyStore { return alipayplus.NewMemoryIdempotencyStore(1000) })
}

// A full store refuses what is new and still answers for what it has.
func TestMemoryIdempotencyStoreIsFull(t *testing.T) {
	ctx := t.Context()
	store := alipayplus.NewMemoryIdempotencyStore(2)
	claim := func(key string) alipayplus.Claim {
		return alipayplus.Claim{Operation: "pay", Key: key, Owner: "o", Lease: time.Minute}
	}
	for _, key := range []string{"a", "b"} {
		if state, _, err := store.Begin(ctx, claim(key)); err != nil || state != alipayplus.ClaimFirst {
			t.Fatalf("%s: %v %v", key, state, err)
		}
	}
	if err := store.Finish(ctx, claim("a"), []byte("answer")); err != nil {
		t.Fatal(err)
	}
	if state, _, err := store.Begin(ctx, claim("c")); err == nil || state != alipayplus.ClaimUndecided {
		t.Errorf("a third record: %v %v", state, err)
	}
	if state, answer, err := store.Begin(ctx, claim("a")); err != nil || string(answer) != "answer" {
		t.Errorf("a record that is there: %v %q %v", state, answer, err)
	}
	cfg := inConfig()
	cfg.Idempotency = store
	h := testkit.Must(alipayplus.NewHandler(cfg, inMove.Handle(inMovePath, inDone)))
	if got := inSend(t, h, inValid); got != alipayplus.CodeUnknownException.Result() {
		t.Errorf("a new request: %v, want U", got)
	}
}

// inRecord is what the model knows of a record.
type inRecord struct {
	fingerprint byte
	owner       string // "" unless running
	until       time.Time
	answered    bool
	answer      []byte
}

// inBubble hides from rapid that a test runs in a bubble: it must not ask for
// the real deadline there.
type inBubble struct{ *testing.T }

// The state machine in IdempotencyStore's comment, as a model, against any
// sequence of claims, ends and time that passes.
func TestMemoryIdempotencyStoreModel(t *testing.T) {
	synctest.Test(t, func(bubble *testing.T) {
		rapid.Check(inBubble{bubble}, func(t *rapid.T) {
			const most = 3
			store, model := alipayplus.NewMemoryIdempotencyStore(most), map[string]*inRecord{}
			var begun []alipayplus.Claim
			draw := func(t *rapid.T) (c alipayplus.Claim, name string) {
				c = alipayplus.Claim{
					Operation: rapid.SampledFrom([]string{"pay", "refund"}).Draw(t, "operation"),
					Key:       rapid.SampledFrom([]string{"a", "b"}).Draw(t, "key"),
					Owner:     fmt.Sprint("o", len(begun)),
					Lease:     time.Duration(rapid.IntRange(1, 5).Draw(t, "lease")) * time.Second,
				}
				c.Fingerprint[0] = byte(rapid.SampledFrom([]int{1, 1, 1, 2}).Draw(t, "fingerprint"))
				return c, c.Operation + " " + c.Key
			}
			t.Repeat(map[string]func(*rapid.T){
				"begin": func(t *rapid.T) {
					c, name := draw(t)
					begun = append(begun, c)
					want, wantAnswer := alipayplus.ClaimFirst, []byte(nil)
					switch r := model[name]; {
					case r == nil && len(model) == most:
						want = alipayplus.ClaimUndecided
					case r == nil:
						model[name] = &inRecord{fingerprint: c.Fingerprint[0], owner: c.Owner, until: time.Now().Add(c.Lease)}
					case r.fingerprint != c.Fingerprint[0]:
						want = alipayplus.ClaimConflict
					case r.answered:
						want, wantAnswer = alipayplus.ClaimAnswered, r.answer
					case r.owner != "" && time.Now().Before(r.until):
						want = alipayplus.ClaimRunning
					default:
						want = alipayplus.ClaimRetry
						r.owner, r.until = c.Owner, time.Now().Add(c.Lease)
					}
					got, answer, err := store.Begin(t.Context(), c)
					if got != want || !bytes.Equal(answer, wantAnswer) || (err != nil) != (want == alipayplus.ClaimUndecided) {
						t.Fatalf("Begin(%v): %v %q %v, want %v %q", c, got, answer, err, want, wantAnswer)
					}
					for i := range answer {
						answer[i] = '!' // the caller's own
					}
				},
				"finish": func(t *rapid.T) {
					if len(begun) == 0 {
						t.Skip("nothing runs")
					}
					c := rapid.SampledFrom(begun).Draw(t, "claim")
					var answer []byte
					if rapid.Bool().Draw(t, "final") {
						answer = []byte("answer of " + c.Owner)
					}
					r := model[c.Operation+" "+c.Key]
					holds := r != nil && !r.answered && r.owner == c.Owner
					if holds {
						r.owner = ""
						if answer != nil {
							r.answered, r.answer = true, bytes.Clone(answer)
						}
					}
					err := store.Finish(t.Context(), c, answer)
					if holds && err != nil || !holds && !errors.Is(err, alipayplus.ErrSuperseded) {
						t.Fatalf("Finish(%v): %v, it holds the record: %t", c, err, holds)
					}
					for i := range answer {
						answer[i] = '!'
					}
				},
				"time passes": func(t *rapid.T) {
					time.Sleep(time.Duration(rapid.IntRange(1, 4).Draw(t, "seconds")) * time.Second)
				},
			})
		})
	})
}

// The zero ClaimState lets nothing run, whatever Begin is told.
func TestZeroClaimState(t *testing.T) {
	cfg := inConfig()
	cfg.Idempotency = inZeroStore{}
	ran := false
	h := testkit.Must(alipayplus.NewHandler(cfg, inMove.Handle(inMovePath, func(context.Context, *inRequest) (*inResponse, error) {
		ran = true
		return &inResponse{}, nil
	})))
	if got := inSend(t, h, inValid); got != alipayplus.CodeUnknownException.Result() || ran {
		t.Errorf("%v, the function ran: %t", got, ran)
	}
}

type inZeroStore struct{}

func (inZeroStore) Begin(_ context.Context, c alipayplus.Claim) (state alipayplus.ClaimState, answer []byte, err error) {
	if c.Operation != "move" || c.Key != "M1" || len(c.Owner) != 26 || c.Fingerprint == [sha256.Size]byte{} || c.Lease != time.Minute {
		return alipayplus.ClaimFirst, nil, nil // the handler's claim is not complete
	}
	return state, nil, nil
}

func (inZeroStore) Finish(context.Context, alipayplus.Claim, []byte) error { return nil }
