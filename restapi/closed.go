package restapi

import (
	"context"
	"errors"
	"sync"

	"smsc/message"
	"smsc/tenant"
)

// closings remembers the accounts whose waiting messages were seen to.
type closings struct {
	mu   sync.Mutex
	done map[string]bool
}

// cancelClosed cancels what accounts that are closed still have waiting: its
// receipts go home, and nothing of theirs leaves any more (spec rest §4.2).
// It also meets what an earlier run left.
func (s *Server) cancelClosed(d *tenant.Directory) {
	doc := d.Document()
	s.closings.mu.Lock()
	defer s.closings.mu.Unlock()
	for i := range doc.Accounts {
		name := doc.Accounts[i].Name
		if d.Status(name) != tenant.Closed {
			delete(s.closings.done, name)
			continue
		}
		if s.closings.done[name] {
			continue
		}
		if s.closings.done == nil {
			s.closings.done = map[string]bool{}
		}
		s.closings.done[name] = true
		go s.cancelOf(name)
	}
}

// cancelOf cancels the waiting messages of one account; it ends when all are,
// or when the server stops.
func (s *Server) cancelOf(account string) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-s.stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	kind := message.KindMessage
	q := message.Query{Account: account, Kind: &kind, Statuses: []string{"queued", "scheduled", "retrying"}, Limit: scanPage}
	for {
		rows, err := s.deps.Ledger.List(ctx, q)
		for _, r := range rows {
			q.After = r.Message.ID
			failed := s.deps.Editor.Cancel(ctx, only(r.Message), r.Message.ID, "account closed")
			if failed != nil && !passed(failed) {
				err = errors.Join(err, failed)
			}
		}
		if err != nil && ctx.Err() == nil {
			s.log.Error().Err(err).Str("account", account).Msg("messages of a closed account cannot be cancelled")
		}
		if err != nil || len(rows) < q.Limit {
			return
		}
	}
}
