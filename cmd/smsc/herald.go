package main

import (
	"context"
	"strings"

	"smsc/message"
)

// herald is the Reporter of the edges: what wakes a number is news for the
// engine, and for those SMPP clients that asked to hear of it.
type herald struct {
	message.Reporter // the engine
	house            *house
}

// Awake implements message.Reporter.
func (r herald) Awake(ctx context.Context, key string) {
	if number, ok := strings.CutPrefix(key, "number:"); ok && r.house.smpp != nil {
		r.house.smpp.Reachable(ctx, number) // before the engine tries again
	}
	r.Reporter.Awake(ctx, key)
}

// Link implements message.Reporter, and tells the event stream.
func (r herald) Link(name string, up bool) {
	r.Reporter.Link(name, up)
	if s := r.house.located.Load(); s != nil {
		s.LinkChanged(name, up)
	}
}

// waiting tells whether messages wait for a link.
func (h *house) waiting(link string) bool {
	rs, err := h.store.Parked(context.Background(), "link:"+link, 0, 1)
	return err == nil && len(rs) > 0
}
