package alipayplus

import (
	"sync"
	"time"
)

// onceASecond lets a log line pass at most once a second, because a stranger
// can cause as many as they like.
type onceASecond struct {
	mu   sync.Mutex
	last time.Time
	held int64
}

// next reports whether a line may be written now, and how many lines were held
// back since the last one.
func (o *onceASecond) next(now time.Time) (held int64, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.last.IsZero() && now.Sub(o.last) < time.Second {
		o.held++
		return 0, false
	}
	held, o.held, o.last = o.held, 0, now
	return held, true
}
