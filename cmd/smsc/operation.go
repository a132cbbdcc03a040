package main

import (
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/prometheus/procfs"

	"smsc/restapi"
)

// operation is what operators look at.
func (h *house) operation() restapi.Operation {
	return restapi.Operation{Sample: h.sample, Queues: h.queues, System: h.system, Logs: h.logs, Records: h.records(), Peers: peers{h}, Funds: funds{h.store}}
}

// sample takes what happened since the last one.
func (h *house) sample() restapi.Sample {
	flow := h.store.Harvest()
	s := restapi.Sample{
		Accounts: make(map[string]restapi.Flow, len(flow.Accounts)), Links: make(map[string]restapi.LinkFlow, len(flow.Links)),
		Waiting: h.store.Depths(), Backlogs: h.store.Backlogs(), Oldest: h.store.Overdue(),
		Ack: h.reg.since(acceptSeconds), Sync: h.reg.since(syncSeconds),
	}
	for name, t := range flow.Accounts {
		s.Accounts[name] = restapi.Flow{
			Accepted: t.Accepted, Parts: t.Parts, Delivered: t.Delivered, Failed: t.Failed, Expired: t.Expired,
			Cancelled: t.Cancelled, Dropped: t.Dropped, Retries: t.Retries, Receipts: t.Receipts, Causes: t.Causes,
		}
	}
	for name, l := range flow.Links {
		s.Links[name] = restapi.LinkFlow(*l)
	}
	return s
}

// queues counts what waits for pollers.
func (h *house) queues() []restapi.QueueCount {
	var all []restapi.QueueCount
	for _, q := range h.store.Queues() {
		if !q.Polled {
			continue // linkStates counts it
		}
		c := restapi.QueueCount{Name: q.Name, Account: q.Account, Waiting: q.Waiting, Leased: q.Leased}
		if id := h.store.Longest(q.Name, true); id != 0 {
			c.Oldest = id.Time()
		}
		all = append(all, c)
	}
	return all
}

// system tells how the process and its store fare.
func (h *house) system() restapi.System {
	st := h.store.Stats()
	y := restapi.System{
		LastID: uint64(h.store.LastID()), QueueLag: h.engine.Lag(), DiskFree: st.Free, DiskTotal: st.Total,
		Store: restapi.SystemStore{
			Tables: st.Tables, Size: st.Size, WAL: st.WAL, Memory: st.Memory, Compactions: st.Compactions, Compacting: st.Compacting, Debt: st.Debt,
			Syncs: st.Syncs, Committed: st.Committed, InLine: st.InLine, LastSync: restapi.MillisOf(st.LastSync),
		},
		Records: restapi.SystemRecords{Written: st.Records, Pending: st.Pending, LastAt: h.lastRecord()},
	}
	if e := h.export.Load(); e != nil {
		x := e.Stats()
		y.Records.Export = &restapi.SystemExport{
			Enqueued: x.Enqueued, Flushed: x.Flushed, Pending: x.Pending, LastFlush: restapi.MillisOf(x.LastFlush), Refused: x.Refused, Down: x.Down,
		}
	}
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) == nil {
		y.MaxFiles = int(limit.Cur)
	}
	// /proc is not everywhere; what it cannot tell stays 0.
	if p, err := procfs.Self(); err == nil {
		if stat, err := p.Stat(); err == nil {
			y.RSS, y.CPU = uint64(stat.ResidentMemory()), stat.CPUTime()
		}
		y.OpenFiles, _ = p.FileDescriptorsLen()
	}
	return y
}

// lastRecord is when a record was last written to a file; nil: never, or not
// known.
func (h *house) lastRecord() *time.Time {
	j := h.journal()
	if j == nil {
		return nil
	}
	names, err := filepath.Glob(filepath.Join(j.Dir, "cdr-*"))
	if err != nil {
		return nil
	}
	var last time.Time
	for _, name := range names {
		if info, err := os.Stat(name); err == nil && info.ModTime().After(last) {
			last = info.ModTime()
		}
	}
	if last.IsZero() {
		return nil
	}
	last = last.UTC().Truncate(time.Second)
	return &last
}
