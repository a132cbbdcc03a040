package main

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"smsc/charging"
	"smsc/charging/postgres"
	"smsc/message"
	"smsc/store"
	"smsc/tenant"
)

// storeConfig hands the store its folder and the form of its records.
func (h *house) storeConfig() store.Config {
	return store.Config{Dir: h.cfg.Data, Retention: time.Duration(h.cfg.Store.Retention), Journal: h.journal()}
}

// journal describes the CDR files; nil where none are wanted: a house that
// keeps nothing writes none unless it is told where.
func (h *house) journal() *store.Journal {
	c, dir := h.cfg.CDR, h.recordFolder()
	if dir == "" || !c.CSV && !c.JSON {
		return nil
	}
	j := &store.Journal{Dir: dir, Node: h.cfg.Name, Keep: time.Duration(c.Keep),
		Attempts: c.Attempts, Receipts: c.Receipts, Refusals: c.Rejects}
	add := func(f store.Format) {
		f.RotateSize, f.RotateEvery = int64(c.Rotate.Size), time.Duration(c.Rotate.Every)
		j.Formats = append(j.Formats, f)
	}
	if c.CSV {
		add(store.Format{
			Suffix: ".csv", Spent: h.exported, Header: []byte(strings.Join(charging.Header(), ",") + "\r\n"), End: "\r\n",
			Line: func(dst []byte, r message.Record, l store.Line) []byte {
				return charging.AppendCSV(dst, r, h.meta(r, l))
			},
		})
	}
	if c.JSON {
		add(store.Format{
			Suffix: ".jsonl",
			Line: func(dst []byte, r message.Record, l store.Line) []byte {
				return charging.AppendJSON(dst, r, h.meta(r, l))
			},
		})
	}
	return j
}

// recordFolder is where the CDR files are, "" where there are none.
func (h *house) recordFolder() string {
	if h.cfg.CDR.Dir == "" && h.cfg.Data != memory {
		return filepath.Join(h.cfg.Data, "cdr")
	}
	return h.cfg.CDR.Dir
}

// exported tells whether a file is in the database, if there is one: before
// it may not be removed.
func (h *house) exported(file string) bool {
	if h.cfg.CDR.SQL.DSN == "" {
		return true
	}
	e := h.export.Load()
	return e != nil && e.Exported(file)
}

// keepRecords has the movers tell what records beside the final ones need.
func (h *house) keepRecords() {
	if h.cfg.CDR.Attempts {
		h.engine.RecordAttempts()
	}
	if h.cfg.CDR.Rejects {
		h.intake.RecordRefusals(h.store.Refused)
	}
}

// openExport makes the exporter of the records, where a database is given.
func (h *house) openExport() error {
	c := h.cfg.CDR
	if c.SQL.DSN == "" {
		return nil
	}
	e, err := postgres.New(context.Background(), c.SQL.exporter(h.recordFolder(), h.cfg.Name), h.store, h.log, h.reg)
	if err != nil {
		return fmt.Errorf("cdr.sql: %w", err)
	}
	h.export.Store(e)
	return nil
}

func (c *sqlConfig) exporter(dir, node string) postgres.Config {
	return postgres.Config{DSN: c.DSN, Table: c.Table, Batch: c.Batch, Flush: time.Duration(c.Flush), Dir: dir, Node: node}
}

// faults are those of the export; none where there is none.
func (c *sqlConfig) faults(cfg *config) (all []fault) {
	if c.DSN == "" {
		return nil
	}
	if !cfg.CDR.CSV || cfg.CDR.Dir == "" && cfg.Data == memory {
		all = append(all, fault{"cdr.sql", "follows the CSV files: it needs csv: true, and a dir where data is memory"})
	}
	if c.MaxConnections < 1 {
		all = append(all, fault{"cdr.sql.max_connections", "must be at least 1"})
	}
	e := c.exporter("", cfg.Name)
	if err := e.Validate(); err != nil {
		key, what, _ := strings.Cut(err.Error(), ": ")
		all = append(all, fault{"cdr.sql." + key, what})
	}
	return all
}

// meta is what a record says beside the message: what it is about, and who
// owns the link that carried it.
func (h *house) meta(r message.Record, l store.Line) charging.Meta {
	m := r.Message
	meta := charging.Meta{Node: h.cfg.Name, N: l.End + 1, Try: l.Try, Text: h.cfg.CDR.Text,
		ChargeResult: r.State.Charge.Result.String(), ChargeRef: r.State.Charge.Ref, Cost: message.Amount(r.State.Charge.Moved).String(),
		ServiceType: m.Extra["smpp.service_type"], ProtocolID: m.Extra["smpp.protocol_id"], IMSI: m.Extra["rest.dest_imsi"]}
	switch {
	case l.Refused:
		meta.Type = charging.TypeReject
	case l.Try > 0:
		meta.Type = charging.TypeAttempt
		if n := len(r.State.Trace); n > 0 {
			meta.At = r.State.Trace[n-1].At
		}
	}
	if d := h.directory.Load(); d != nil {
		if l := d.Link(r.State.Link); l != nil {
			meta.LinkAccount, meta.DestType, meta.Remote = l.Account, l.Kind.Source(), hopAddress(l)
			if l.IMS != nil {
				meta.Centre = l.IMS.SMSCAddress
			}
		}
	}
	return meta
}

// hopAddress is the declared address of the next hop behind a link, "" for
// those that come to us.
func hopAddress(l *tenant.Link) string {
	uri := ""
	switch {
	case l.Carrier != nil:
		return l.Carrier.Address
	case l.SIP != nil:
		uri = l.SIP.URI
	case l.IMS != nil:
		uri = l.IMS.URI
	case l.Webhook != nil:
		if u, err := url.Parse(l.Webhook.URL); err == nil {
			return u.Host
		}
	}
	uri = strings.TrimPrefix(strings.TrimPrefix(uri, "sips:"), "sip:")
	if i := strings.LastIndexByte(uri, '@'); i >= 0 {
		uri = uri[i+1:]
	}
	uri, _, _ = strings.Cut(uri, ";")
	return uri
}
