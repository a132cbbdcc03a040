package restapi

import (
	"runtime"
	"runtime/metrics"
	"time"
)

// System is how the process and its store fare: what the wiring knows of it.
type System struct {
	RSS       uint64  // octets of memory that the process holds
	CPU       float64 // seconds of processor time since it began
	OpenFiles int
	MaxFiles  int

	DiskFree, DiskTotal uint64 // octets; both 0: not known
	Store               SystemStore
	Records             SystemRecords
	LastID              uint64
	QueueLag            time.Duration // how late the schedule meets what is due
}

// SystemStore is how the store fares. Sizes are in octets.
type SystemStore struct {
	Tables      int64  `json:"tables"`
	Size        uint64 `json:"size_bytes"`
	WAL         uint64 `json:"wal_bytes"`
	Memory      uint64 `json:"memory_bytes"`
	Compactions int64  `json:"compactions"`
	Compacting  int64  `json:"compacting"`
	Debt        uint64 `json:"debt_bytes"`
	Syncs       uint64 `json:"syncs"`
	Committed   uint64 `json:"committed" doc:"Messages written by batches since the start"`
	InLine      int    `json:"in_line" doc:"Calls that wait for the next batch"`
	LastSync    Millis `json:"last_ms" doc:"Time of the newest sync"`
}

// SystemRecords is how the files of records fare.
type SystemRecords struct {
	Written uint64        `json:"written" doc:"Lines since the start"`
	Pending int           `json:"pending" doc:"Ended messages without a line yet"`
	LastAt  *time.Time    `json:"last_written_at"`
	Export  *SystemExport `json:"sql" doc:"Null: they go into no database"`
}

// SystemExport is how the export of records to a database fares, in the words
// of the published batch worker (spec records §7).
type SystemExport struct {
	Enqueued  uint64 `json:"total_enqueued"`
	Flushed   uint64 `json:"total_flushed"`
	Pending   uint64 `json:"current_queue_size"`
	LastFlush Millis `json:"last_flush_duration_ms"`
	Refused   uint64 `json:"refused" doc:"Rows that the database would not have"`
	Down      string `json:"down" doc:"Why nothing flows; empty while it does"`
}

// Millis is a duration that JSON has in milliseconds.
type Millis float64

// MillisOf makes milliseconds of d.
func MillisOf(d time.Duration) Millis {
	return Millis(float64(d.Round(time.Microsecond)) / float64(time.Millisecond))
}

// systemDoc is the answer of GET /api/system.
type systemDoc struct {
	Name       string        `json:"name"`
	Version    string        `json:"version"`
	Go         string        `json:"go"`
	Started    string        `json:"started_at"`
	Uptime     int64         `json:"uptime_seconds"`
	LastID     uint64        `json:"last_id"`
	QueueLag   Millis        `json:"queue_lag_ms"`
	Goroutines int           `json:"goroutines"`
	CPU        systemCPU     `json:"cpu"`
	Memory     systemMemory  `json:"memory"`
	OpenFiles  systemFiles   `json:"open_files"`
	Disk       *systemDisk   `json:"disk"`
	Store      systemStore   `json:"store"`
	Events     systemEvents  `json:"events"`
	Records    SystemRecords `json:"records"`
	Clock      systemClock   `json:"clock"`
}

type systemCPU struct {
	Cores   int     `json:"cores"`
	Seconds float64 `json:"seconds" doc:"Processor time since the start"`
	Percent float64 `json:"percent" doc:"Of one core, since the last look at this page"`
}

type systemMemory struct {
	RSS  uint64 `json:"rss_bytes"`
	Heap uint64 `json:"heap_bytes"`
	Idle uint64 `json:"heap_idle_bytes"`
	GCs  uint64 `json:"collections"`
}

type systemFiles struct {
	Used  int `json:"used"`
	Limit int `json:"limit"`
}

type systemDisk struct {
	Free  uint64 `json:"free_bytes"`
	Used  uint64 `json:"used_bytes"`
	Total uint64 `json:"total_bytes"`
}

type systemStore struct {
	SystemStore
	P50 *float64 `json:"sync_p50_ms" doc:"Of the newest second in which something was synced"`
	P99 *float64 `json:"sync_p99_ms"`
}

type systemEvents struct {
	Last    uint64 `json:"last_id"`
	Size    int    `json:"ring_size"`
	Kept    int    `json:"kept"`
	Readers int    `json:"readers"`
	Waits   int    `json:"open_waits" doc:"Long polls and streams"`
}

type systemClock struct {
	Now    string `json:"now"`
	Zone   string `json:"zone"`
	Offset int    `json:"offset_seconds" doc:"Of the zone, from UTC"`
}

// getSystem answers GET /api/system.
func (c *call) getSystem() error {
	s, now := c.s, time.Now()
	y := s.deps.System()
	zone, offset := now.Zone()
	reply := systemDoc{
		Name: s.cfg.Name, Version: s.cfg.Version, Go: runtime.Version(),
		Started: s.started.UTC().Format(time.RFC3339), Uptime: int64(now.Sub(s.started).Seconds()),
		LastID: y.LastID, QueueLag: MillisOf(y.QueueLag), Goroutines: runtime.NumGoroutine(),
		CPU:       systemCPU{Cores: runtime.NumCPU(), Seconds: y.CPU, Percent: s.operator.load.percent(now, y.CPU)},
		Memory:    heap(y.RSS),
		OpenFiles: systemFiles{y.OpenFiles, y.MaxFiles},
		Store:     systemStore{SystemStore: y.Store},
		Records:   y.Records,
		Events:    s.events.figures(),
		Clock:     systemClock{Now: string(trimQuotes(appendMillis(nil, now.UTC()))), Zone: zone, Offset: offset},
	}
	reply.Events.Waits = s.waits.count()
	if y.DiskTotal > 0 {
		reply.Disk = &systemDisk{Free: y.DiskFree, Used: y.DiskTotal - min(y.DiskFree, y.DiskTotal), Total: y.DiskTotal}
	}
	reply.Store.P50, reply.Store.P99 = s.operator.stats.lastSync()
	return c.encode(reply)
}

// heap reads what the runtime knows of its memory, without stopping it.
func heap(rss uint64) systemMemory {
	samples := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/free:bytes"}, {Name: "/gc/cycles/total:gc-cycles"}}
	metrics.Read(samples)
	value := func(i int) uint64 {
		if samples[i].Value.Kind() != metrics.KindUint64 {
			return 0
		}
		return samples[i].Value.Uint64()
	}
	return systemMemory{RSS: rss, Heap: value(0), Idle: value(1), GCs: value(2)}
}

func trimQuotes(b []byte) []byte {
	if len(b) >= 2 && b[0] == '"' {
		return b[1 : len(b)-1]
	}
	return b
}
