package alipayplus_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// The model: what Alipay+ may see of one key, whatever happens inside.

type inInput struct {
	key, print int
	alone      bool // no fault can have touched this request
}

type inSeen struct {
	lost   bool   // the process died, nobody knows how far it got
	result string // "S <ref>", "U" or "F <code>"
}

// inKnown is a possible state of a key. An answer that was recorded by a process
// that died is not known before somebody sees it.
type inKnown struct {
	print    int // 0: none yet
	answered bool
	answer   string
}

var inModel = porcupine.NondeterministicModel[inKnown, inInput, inSeen]{
	Partition: func(history []porcupine.Operation[inInput, inSeen]) [][]porcupine.Operation[inInput, inSeen] { return nil },
}
