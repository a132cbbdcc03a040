// Package charging holds what a message costs and the record of what became
// of it. It decides and formats; it asks no charging server, reads no clock
// and writes no file.
package charging

import (
	"time"

	"smsc/message"
)

// Version is the version of the columns (spec records §5). Columns are only
// ever added at the end; any other change raises it.
const Version = 1

// Types of record (spec records §4).
const (
	TypeFinal   = "final"   // a message has come to its end
	TypeAttempt = "attempt" // a hop was tried
	TypeReceipt = "dlr"     // a receipt has come to its end
	TypeReject  = "reject"  // refused at the door: its id names no message
)

// Meta is what a record says beside the message and its State. Whatever is
// empty leaves its column empty.
type Meta struct {
	Node string    // name of smsc.yaml
	N    int       // number of the end it is about or belongs to, from 1
	Try  int       // number of the attempt, for TypeAttempt
	Type string    // "" is TypeFinal, of a receipt TypeReceipt
	At   time.Time // of an attempt; zero is the end of the message
	Text bool      // write the first 20 characters

	LinkAccount string // owner of the link that carried it
	DestType    string // SIP IMS SMPP HTTP: the kind of that link
	Remote      string // address:port of the next hop
	IMSI        string // of the recipient
	Centre      string // service centre that an access knows us by
	Notes       string // of rules
	ServiceType string // of the sender's protocol; a number for ProtocolID
	ProtocolID  string

	ChargeResult string // none granted denied refunded unknown skipped; "" is none
	ChargeRef    string // at the charging server
	Cost         string // decimal; "" is 0
	CostUnit     string
}

// Header returns the names of the columns in their order.
func Header() []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	return names
}

// IsNumber tells whether a column holds numbers.
func IsNumber(name string) bool {
	for i := range columns {
		if columns[i].name == name {
			return columns[i].kind == number
		}
	}
	return false
}

// AppendHeader appends the header row, with which every CSV file begins.
func AppendHeader(dst []byte) []byte {
	for i, c := range columns {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, c.name...)
	}
	return append(dst, "\r\n"...)
}

// AppendCSV appends the record as one line of CSV (RFC 4180 §2, spec records
// §5): CR LF at its end and nowhere else, since control characters become
// spaces. r is not kept.
func AppendCSV(dst []byte, r message.Record, meta Meta) []byte {
	v := newView(r, meta)
	for i := range columns {
		if i > 0 {
			dst = append(dst, ',')
		}
		start := len(dst)
		if dst = columns[i].put(dst, v); columns[i].kind == text {
			dst = appendDone(dst, start, inCSV)
		}
	}
	return append(dst, "\r\n"...)
}

// AppendJSON appends the record as one line of JSON with the names of the
// columns. Numbers are numbers; what is unknown or does not apply is left
// out.
func AppendJSON(dst []byte, r message.Record, meta Meta) []byte {
	v := newView(r, meta)
	dst = append(dst, '{')
	open := len(dst)
	for i := range columns {
		c, mark := &columns[i], len(dst)
		if mark > open {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, '"'), c.name...), `":`...)
		if c.kind != number {
			dst = append(dst, '"')
		}
		start := len(dst)
		if dst = c.put(dst, v); len(dst) == start {
			dst = dst[:mark]
			continue
		}
		if c.kind == text {
			dst = appendDone(dst, start, inJSON)
		}
		if c.kind != number {
			dst = append(dst, '"')
		}
	}
	return append(dst, "}\n"...)
}
