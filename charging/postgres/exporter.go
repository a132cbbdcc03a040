// Package postgres carries the records of the CDR files into a table of
// PostgreSQL (spec records §7). It follows the files with a cursor that is
// kept durably, so the way of a message never touches SQL and an outage of
// the database costs only lag: after any crash no row is missing and none is
// double. It decides nothing about a record and never alters a file.
package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

// Defaults of a Config.
const (
	DefaultTable = "smsc_cdr"
	DefaultBatch = 100
	DefaultFlush = 100 * time.Millisecond
)

// Config is what an Exporter needs to know. Zero fields take the defaults.
type Config struct {
	DSN   string // secret: a URL or key=value words of libpq
	Table string // may have its schema before it: "billing.smsc_cdr"
	Batch int    // rows of one statement, at most
	// Flush is how long a row waits for others to share its statement.
	Flush time.Duration
	Dir   string // of the CDR files
	Node  string // whose files they are
}

var tableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,50}(\.[A-Za-z_][A-Za-z0-9_]{0,50})?$`)

// Validate returns the first thing that is wrong with c, without its secrets.
func (c *Config) Validate() error {
	switch _, err := pgx.ParseConfig(c.DSN); {
	case err != nil:
		return errors.New("dsn: is no connection string of PostgreSQL")
	case c.Table != "" && !tableName.MatchString(c.Table):
		return fmt.Errorf("table: %q is no name of a table", c.Table)
	case c.Batch < 0 || c.Batch > 10_000:
		return errors.New("batch: is 1 to 10000")
	case c.Flush < 0 || c.Flush > time.Minute:
		return errors.New("flush: is at most 1m")
	}
	return nil
}

// Shelf keeps the cursor, durably.  [store.Store]
type Shelf interface {
	Set(ctx context.Context, kind, key string, value []byte, lapse time.Time) error
	Get(ctx context.Context, kind, key string) ([]byte, bool, error)
}

const (
	shelfKind = "cdr.sql"
	// saveEvery is how often the cursor is kept while rows flow; a crash only
	// repeats what came since, which changes nothing.
	saveEvery = time.Second
	reach     = 10 * time.Second // to connect, and for one statement
	backFirst = time.Second
	backMost  = time.Minute
	rowTries  = 3
)

// Exporter follows the files of one node into one table. Run is called once.
type Exporter struct {
	cfg   Config
	table table
	shelf Shelf
	log   zerolog.Logger
	met   *metrics

	files follower
	at    Cursor
	saved time.Time // when at was kept last

	mu    sync.Mutex
	kept  Cursor // as the shelf has it
	stats Stats
}

// Stats is how the export fares.
type Stats struct {
	Enqueued  uint64 // rows written since the start and those that wait, about
	Flushed   uint64 // rows written since the start
	Pending   uint64 // rows that wait, about
	LastFlush time.Duration
	Refused   uint64 // rows that the database would not have
	Down      string // why nothing flows, "" while it does
}

// New returns an exporter whose cursor is read from the shelf.
func New(ctx context.Context, cfg Config, shelf Shelf, log zerolog.Logger, reg prometheus.Registerer) (*Exporter, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Table == "" {
		cfg.Table = DefaultTable
	}
	if cfg.Batch == 0 {
		cfg.Batch = DefaultBatch
	}
	if cfg.Flush == 0 {
		cfg.Flush = DefaultFlush
	}
	e := &Exporter{cfg: cfg, table: newTable(cfg.Table), shelf: shelf, log: log,
		files: follower{dir: cfg.Dir, prefix: "cdr-" + cfg.Node + "-"}}
	value, ok, err := shelf.Get(ctx, shelfKind, e.key())
	if err != nil {
		return nil, err
	}
	if ok {
		if err := json.Unmarshal(value, &e.at); err != nil {
			return nil, fmt.Errorf("the cursor of the export is damaged: %w", err)
		}
	}
	e.kept = e.at
	e.met = newMetrics(reg, e)
	return e, nil
}

func (e *Exporter) key() string { return e.cfg.Node + "/" + e.cfg.Table }

// Exported tells whether every line of a file, given by its name without
// folder, is in the table: it may be removed.
func (e *Exporter) Exported(file string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return filepath.Base(file) < e.kept.File
}

// Stats returns how the export fares. It looks at the sizes of the files.
func (e *Exporter) Stats() Stats {
	e.mu.Lock()
	s, at := e.stats, e.at
	e.mu.Unlock()
	s.Pending = uint64(e.met.rows(e.files.left(at)))
	s.Enqueued = s.Flushed + s.Pending
	return s
}

// Run exports until ctx ends. An outage is waited for, for as long as it
// takes.
func (e *Exporter) Run(ctx context.Context) error {
	defer e.files.close()
	for back := backFirst; ctx.Err() == nil; back = min(2*back, backMost) {
		flowed, err := e.session(ctx)
		if ctx.Err() != nil {
			break
		}
		if flowed {
			back = backFirst
		}
		e.down(err)
		e.log.Warn().Err(err).Dur("again_in", back).Msg("records wait for the database")
		rest(ctx, back)
	}
	// What was written is written; the cursor only spares repeating it.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), reach)
	defer cancel()
	_ = e.save(last)
	return ctx.Err()
}

func (e *Exporter) down(err error) {
	e.met.errors.Inc()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stats.Down = err.Error()
}

// session exports over one connection, until it fails.
func (e *Exporter) session(ctx context.Context) (flowed bool, err error) {
	conn, err := e.connect(ctx)
	if err != nil {
		return false, err
	}
	defer func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(end)
	}()
	e.mu.Lock()
	e.stats.Down = ""
	e.mu.Unlock()
	for ctx.Err() == nil {
		p, err := e.gather(ctx)
		if err != nil {
			return flowed, err
		}
		if len(p.rows) == 0 {
			e.move(p.next, 0)
			if e.saved.IsZero() || time.Since(e.saved) > saveEvery {
				if err := e.save(ctx); err != nil {
					return flowed, err
				}
			}
			if rest(ctx, e.cfg.Flush); conn.IsClosed() {
				return flowed, errors.New("the connection is closed")
			}
			continue
		}
		if err := e.flush(ctx, conn, p); err != nil {
			return flowed, err
		}
		flowed = true
	}
	return flowed, ctx.Err()
}

func (e *Exporter) connect(ctx context.Context) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, reach)
	defer cancel()
	conn, err := pgx.Connect(ctx, e.cfg.DSN)
	if err != nil {
		return nil, err
	}
	if err := e.table.ensure(ctx, conn); err != nil {
		_ = conn.Close(ctx)
		return nil, err
	}
	return conn, nil
}

// gather returns the rows of one statement: a full batch, or what came within
// the flush time.
func (e *Exporter) gather(ctx context.Context) (page, error) {
	p, err := e.files.page(e.at, e.cfg.Batch)
	if err == nil && len(p.rows) > 0 && len(p.rows) < e.cfg.Batch {
		rest(ctx, e.cfg.Flush)
		p, err = e.files.page(e.at, e.cfg.Batch)
	}
	return p, err
}

// flush writes one page and moves the cursor behind it.
func (e *Exporter) flush(ctx context.Context, conn *pgx.Conn, p page) error {
	began := time.Now()
	stmt, cancel := context.WithTimeout(ctx, reach)
	defer cancel()
	if err := e.write(stmt, conn, p); err != nil {
		return err
	}
	took := time.Since(began)
	e.met.flush.Observe(took.Seconds())
	e.met.sized(p)
	e.mu.Lock()
	e.stats.Flushed += uint64(len(p.rows))
	e.stats.LastFlush = took
	e.mu.Unlock()
	e.move(p.next, len(p.rows))
	if time.Since(e.saved) > saveEvery {
		return e.save(ctx)
	}
	return nil
}

// move sets the cursor in memory.
func (e *Exporter) move(to Cursor, rows int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if rows == 0 && to.File == e.at.File && to.Offset == e.at.Offset {
		return
	}
	e.at = to
}

// save keeps the cursor, if it has moved.
func (e *Exporter) save(ctx context.Context) error {
	e.saved = time.Now()
	e.mu.Lock()
	at, kept := e.at, e.kept
	e.mu.Unlock()
	if at == kept {
		return nil
	}
	value, err := json.Marshal(at)
	if err != nil {
		return err
	}
	if err := e.shelf.Set(ctx, shelfKind, e.key(), value, time.Time{}); err != nil {
		return err
	}
	e.mu.Lock()
	e.kept = at
	e.mu.Unlock()
	return nil
}

// refuses tells whether err is about the values of a row: SQLSTATE classes 22
// (data exception) and 23 (constraint violation).
func refuses(err error) bool {
	var said *pgconn.PgError
	return errors.As(err, &said) && len(said.Code) == 5 && (said.Code[:2] == "22" || said.Code[:2] == "23")
}

// rest waits for d, or less if ctx ends.
func rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
