package main

import (
	"path/filepath"
	"strings"
	"time"

	"smsc/charging"
	"smsc/message"
	"smsc/store"
)

// storeConfig hands the store its folder and the form of its records.
func (h *house) storeConfig() store.Config {
	return store.Config{Dir: h.cfg.Data, Retention: time.Duration(h.cfg.Store.Retention), Journal: h.journal()}
}

// journal describes the CDR files; nil where none are wanted: a house that
// keeps nothing writes none unless it is told where.
func (h *house) journal() *store.Journal {
	c := h.cfg.CDR
	dir := c.Dir
	if dir == "" && h.cfg.Data != memory {
		dir = filepath.Join(h.cfg.Data, "cdr")
	}
	if dir == "" || !c.CSV && !c.JSON {
		return nil
	}
	j := &store.Journal{Dir: dir, Node: h.cfg.Name, Keep: time.Duration(c.Keep)}
	add := func(f store.Format) {
		f.RotateSize, f.RotateEvery = int64(c.Rotate.Size), time.Duration(c.Rotate.Every)
		j.Formats = append(j.Formats, f)
	}
	if c.CSV {
		add(store.Format{
			Suffix: ".csv", Header: []byte(strings.Join(charging.Header(), ",") + "\r\n"), End: "\r\n",
			Line: func(dst []byte, r message.Record, n int) []byte { return charging.AppendCSV(dst, r, h.meta(r, n)) },
		})
	}
	if c.JSON {
		add(store.Format{
			Suffix: ".jsonl",
			Line:   func(dst []byte, r message.Record, n int) []byte { return charging.AppendJSON(dst, r, h.meta(r, n)) },
		})
	}
	return j
}

// meta is what a record says beside the message: the end number n (from 0)
// of r, and who owns the link that carried it.
func (h *house) meta(r message.Record, n int) charging.Meta {
	meta := charging.Meta{Node: h.cfg.Name, N: n + 1, Text: h.cfg.CDR.Text}
	if d := h.directory.Load(); d != nil {
		if l := d.Link(r.State.Link); l != nil {
			meta.LinkAccount, meta.DestType = l.Account, l.Kind.Source()
		}
	}
	return meta
}
