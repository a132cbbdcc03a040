package store

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// Stats is how the store fares: what an operator looks at when writing is
// slow. Sizes are in octets.
type Stats struct {
	Tables      int64  // files of the database
	Size        uint64 // on the disk, with the write-ahead log
	WAL         uint64
	Memory      uint64 // in tables that are not written yet
	Compactions int64  // since Open
	Compacting  int64  // now
	Debt        uint64 // what is left to compact, about

	Syncs     uint64        // batches that were synced since Open
	LastSync  time.Duration // of the newest of them
	Committed uint64        // messages written by batches since Open
	InLine    int           // calls that wait for the next batch
	Records   uint64        // CDR lines written since Open
	Pending   int           // ended messages without a CDR line yet
	Free      uint64        // octets left on the disk; 0 where it is not watched
	Total     uint64        // and that it has
}

// Stats tells how the store fares. It costs some tens of microseconds.
func (s *Store) Stats() Stats {
	st := Stats{LastSync: time.Duration(s.lastSync.Load())}
	s.queueMu.Lock()
	st.InLine = len(s.queue)
	s.queueMu.Unlock()
	st.Syncs, _ = totals(s.met.sync)
	_, st.Committed = totals(s.met.batch)
	if s.journal != nil {
		st.Records, st.Pending = s.journal.written.Load(), int(s.journal.pending())
	}
	if s.disk.watched {
		st.Free, st.Total = uint64(s.disk.left()), s.disk.total.Load()
	}
	b, db, err := s.use()
	if err != nil {
		return st
	}
	defer b.release()
	p := db.Metrics()
	st.Size, st.WAL, st.Memory = p.DiskSpaceUsage(), p.WAL.PhysicalSize, p.MemTable.Size
	for _, l := range p.Levels {
		st.Tables += l.TablesCount
	}
	st.Compactions, st.Compacting, st.Debt = p.Compact.Count, p.Compact.NumInProgress, p.Compact.EstimatedDebt
	return st
}

// Overdue is how long ago the oldest due message that the engine has not taken
// yet became due; 0 if there is none.
func (s *Store) Overdue() time.Duration { return time.Duration(s.oldest() * float64(time.Second)) }

// totals reads how often a histogram was told something, and the sum of that.
func totals(h prometheus.Histogram) (count, sum uint64) {
	var m dto.Metric
	if h.Write(&m) != nil {
		return 0, 0
	}
	return m.GetHistogram().GetSampleCount(), uint64(m.GetHistogram().GetSampleSum())
}
