// Package charging holds what a message costs and the record of what became
// of it. It decides and formats; it asks no charging server, reads no clock
// and writes no file.
package charging

import "smsc/message"

// Meta is what a record says beside the message and its State.
type Meta struct {
	Node        string // name of smsc.yaml
	N           int    // counts the records of this message, from 1
	Type        string // final (""), attempt, dlr
	LinkAccount string // owner of the link that carried it
	DestType    string // SIP IMS SMPP HTTP: kind of the link that carried it
	Text        bool   // write the first 20 characters
}

// Header returns the names of the columns in their order (spec records §5).
func Header() []string { panic("unfinished") }

// AppendCSV appends the record as one CSV line (RFC 4180).
func AppendCSV(dst []byte, r message.Record, meta Meta) []byte { panic("unfinished") }

// AppendJSON appends the record as one JSON line, numbers as numbers.
func AppendJSON(dst []byte, r message.Record, meta Meta) []byte { panic("unfinished") }
