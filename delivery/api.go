package delivery

import (
	"context"
	"errors"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"smsc/message"
	"smsc/routing"
)

var _ message.Reporter = (*Engine)(nil)
var _ message.Editor = (*Engine)(nil)

// Engine moves what is due: see the package comment. It is safe for
// concurrent use.
type Engine struct {
	cfg   Config
	queue Queue
	shelf Shelf
	table func() *routing.Table
	mint  *message.Mint
	log   zerolog.Logger
}

// New returns an engine that does nothing until Run.
func New(cfg Config, queue Queue, shelf Shelf, table func() *routing.Table, mint *message.Mint,
	log zerolog.Logger, reg prometheus.Registerer) *Engine {
	return &Engine{cfg: cfg, queue: queue, shelf: shelf, table: table, mint: mint, log: log}
}

// SetLanes replaces the lanes. Lanes that stay keep what they hold; what
// waits on a lane that goes is planned anew. A lane is closed until
// Link(name, true), which may come before or after.
func (e *Engine) SetLanes(lanes []Lane) {}

// Replan plans anew what is held for any poller and what waits on closed
// lanes: call it when routes have changed. It returns at once.
func (e *Engine) Replan() {}

// Run works until ctx ends or Drain is done.
func (e *Engine) Run(ctx context.Context) error { return nil }

// Drain starts no more attempts, waits for those in flight until ctx ends,
// writes down what they came to, and ends Run.
func (e *Engine) Drain(ctx context.Context) error { return nil }

// LaneStatus tells how a lane stands, false if there is no such lane.
func (e *Engine) LaneStatus(name string) (LaneStatus, bool) { return LaneStatus{}, false }

// Report implements message.Reporter.
func (e *Engine) Report(ctx context.Context, news ...message.News) []error {
	return []error{errors.ErrUnsupported}
}

// Awake implements message.Reporter.
func (e *Engine) Awake(ctx context.Context, key string) {}

// Link implements message.Reporter.
func (e *Engine) Link(name string, up bool) {}

// Cancel implements message.Editor.
func (e *Engine) Cancel(ctx context.Context, reach message.Reach, id message.ID, who string) error {
	return errors.ErrUnsupported
}

// Retry implements message.Editor.
func (e *Engine) Retry(ctx context.Context, reach message.Reach, id message.ID, who string) error {
	return errors.ErrUnsupported
}

// Edit implements message.Editor.
func (e *Engine) Edit(ctx context.Context, reach message.Reach, id message.ID, who string, change func(*message.Message) error) error {
	return errors.ErrUnsupported
}

// Conclude implements message.Editor.
func (e *Engine) Conclude(ctx context.Context, reach message.Reach, id message.ID, who string, o message.Outcome) error {
	return errors.ErrUnsupported
}
