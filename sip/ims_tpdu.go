package sip

import (
	"encoding/hex"
	"hash/fnv"
	"strconv"
	"time"

	"smsc/message"
	"smsc/translate"
)

// reportLife is how long a status report is worth telling (spec ims §5.1).
const reportLife = 24 * time.Hour

// tpdusOf writes what a phone gets of a message: a DELIVER for each part, or
// the STATUS-REPORT that a receipt is. The same octets in every attempt, so
// that the phone can drop what it has. none tells that there is nothing to
// say.
func tpdusOf(m *message.Message) (all [][]byte, none string, err error) {
	if m.Kind == message.KindReceipt {
		report, none, err := statusReport(m.About)
		if none != "" || err != nil {
			return nil, none, err
		}
		return [][]byte{translate.AppendTPDU(nil, &report)}, "", nil
	}
	bodies, err := deliverBodies(m)
	if err != nil {
		return nil, "", err
	}
	pid, _ := strconv.ParseUint(m.Extra[extraPID], 10, 8)
	esm, _ := strconv.ParseUint(m.Extra[extraESM], 10, 8)
	for n := range bodies {
		t, err := translate.DeliverOf(m.From, bodies[n], scts(m.ID))
		if err != nil {
			return nil, "", err
		}
		t.PID, t.ReplyPath = uint8(pid), esm&0x80 != 0
		t.More = n < len(bodies)-1 // TS 23.040 §9.2.3.2
		all = append(all, translate.AppendTPDU(make([]byte, 0, 180), &t))
	}
	return all, "", nil
}

// deliverBodies cuts a message into short messages. Tables come only with a
// text that had them.
func deliverBodies(m *message.Message) ([]message.Body, error) {
	b := translate.InTables(m.Body, translate.TablesAsOrigin)
	if b.Part != nil {
		return []message.Body{b}, nil
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(m.ID.String()))
	return translate.Segments(b, uint16(h.Sum32()), message.PartUDH8)
}

// statusReport writes the report about a message of a phone (TS 23.040
// §9.2.2.3): TP-MR and TP-RA as the phone wrote them. States that are no end
// are not told: phones show them as one.
func statusReport(about *message.About) (t translate.TPDU, none string, err error) {
	if about == nil {
		return t, "nothing is reported", nil
	}
	st, final := translate.TPStatus(about)
	if !final {
		return t, "a state that is no end", nil
	}
	mr, ok := referenceIn(about.Handle)
	if !ok {
		return t, "the phone asked for no report", nil
	}
	ra, err := hex.DecodeString(about.Extra[extraDA])
	if err != nil {
		return t, "", message.Errorf(message.Internal, "the address to report is not known")
	}
	done := about.Done
	if done.IsZero() {
		done = about.Submitted
	}
	return translate.StatusReportOf(mr, translate.TPAddress(ra), scts(about.ID), translate.TimestampOf(done.Local()), st), "", nil
}
