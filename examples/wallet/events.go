package main

import (
	"bytes"
	"fmt"
	"log"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// events is a stream of what happens: which process it is, messages as HTML, and
// hints to look again.
func (p *page) events(w http.ResponseWriter, r *http.Request) {
	stream := http.NewResponseController(w)
	if err := stream.SetWriteDeadline(time.Time{}); err != nil {
		http.Error(w, "no stream", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = fmt.Fprintf(w, "event: hello\ndata: %s\n\n", p.start)
	last, _ := strconv.Atoi(r.Header.Get("Last-Event-ID"))
	messages, stopMessages := p.alipay.wire.changed.listen()
	defer stopMessages()
	payments, stopPayments := p.wallet.changed.listen()
	defer stopPayments()
	world, stopWorld := p.alipay.changed.listen()
	defer stopWorld()
	switches, stopSwitches := p.alipay.faults.changed.listen()
	defer stopSwitches()
	for {
		for _, m := range p.alipay.wire.after(last) {
			var text bytes.Buffer
			if err := p.views.ExecuteTemplate(&text, "message", m); err != nil {
				log.Printf("page: message: %v", err)
				return
			}
			last = m.Number
			_, _ = fmt.Fprintf(w, "id: %d\nevent: message\ndata: %s\n\n", m.Number, strings.ReplaceAll(text.String(), "\n", "\ndata: "))
		}
		if stream.Flush() != nil {
			return
		}
		hint := "books"
		select {
		case <-messages:
		case <-payments:
		case <-world:
		case <-switches:
			hint = "faults"
		case <-time.After(20 * time.Second): // another instance may have worked
		case <-r.Context().Done():
			return
		case <-p.ended:
			return
		}
		_, _ = fmt.Fprintf(w, "event: look\ndata: %s\n\n", hint)
	}
}
