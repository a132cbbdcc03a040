package restapi

import "sync"

// waits counts the open long polls: those beyond the limits are refused
// instead of held.
type waits struct {
	mu        sync.Mutex
	all, each int
	open      int
	accounts  map[string]int
}

func newWaits(all, each int) *waits {
	return &waits{all: all, each: each, accounts: map[string]int{}}
}

// enter takes a place for account; leave must follow where it returns true.
func (w *waits) enter(account string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.open >= w.all || w.accounts[account] >= w.each {
		return false
	}
	w.open++
	w.accounts[account]++
	return true
}

func (w *waits) leave(account string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open--
	if w.accounts[account]--; w.accounts[account] == 0 {
		delete(w.accounts, account)
	}
}

// count returns the open long polls.
func (w *waits) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.open
}
