package main

import (
	"context"
	"sync"

	"smsc/delivery"
	"smsc/tenant"
)

// suspensions remembers whose traffic is held back, to let it go on.
type suspensions struct {
	mu    sync.Mutex
	held  map[string]bool
	known bool // held is of this run: the first time everybody may have been
}

// held tells the engine whose messages wait.
func (h *house) held(account string) bool {
	return h.catalog.Directory().Status(account) == tenant.Suspended
}

// resume lets go on what waited while its account was suspended.
func (h *house) resume(d *tenant.Directory) {
	h.suspended.mu.Lock()
	defer h.suspended.mu.Unlock()
	was, first := h.suspended.held, !h.suspended.known
	h.suspended.held, h.suspended.known = map[string]bool{}, true
	doc := d.Document()
	for i := range doc.Accounts {
		name := doc.Accounts[i].Name
		switch d.Status(name) {
		case tenant.Suspended:
			h.suspended.held[name] = true
		case tenant.Active:
			if first || was[name] {
				h.awakeAccount(name)
			}
		}
	}
}

// awakeAccount wakes what waits for an account, if anything does.
func (h *house) awakeAccount(name string) {
	key := delivery.AccountKey(name)
	if rs, err := h.store.Parked(context.Background(), key, 0, 1); err == nil && len(rs) == 0 {
		return
	}
	h.engine.Awake(context.Background(), key)
}
