package main

import (
	"strings"
	"sync"
	"time"

	"smsc/message"
)

// limitNews tells which accounts are refused for their limits: once a minute
// for each, however many messages that are.
type limitNews struct {
	tell func(account, what string) // nil: nobody listens

	mu   sync.Mutex
	told map[string]time.Time
}

const (
	limitEvery = time.Minute
	maxLimited = 10_000 // accounts that are remembered
)

// look finds the refusals among the answers of the door.
func (l *limitNews) look(ms []*message.Message, errs []error) {
	for i, err := range errs {
		if err == nil || l.tell == nil {
			continue
		}
		// The door says so of rates and of backlogs, and of nothing else.
		if text := message.TextOf(err); strings.HasPrefix(text, "too many messages") {
			l.once(ms[i].Account, text)
		}
	}
}

func (l *limitNews) once(account, text string) {
	now := time.Now()
	l.mu.Lock()
	if now.Sub(l.told[account]) < limitEvery {
		l.mu.Unlock()
		return
	}
	if l.told == nil || len(l.told) >= maxLimited {
		l.told = map[string]time.Time{}
	}
	l.told[account] = now
	l.mu.Unlock()
	l.tell(account, text)
}
