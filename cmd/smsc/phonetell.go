package main

import (
	"fmt"
	"strings"

	"smsc/message"
	"smsc/translate"
)

// phoneAddress reads a number as a phone dials it: "+" is international.
func phoneAddress(dialled string) message.Address {
	if strings.HasPrefix(dialled, "+") {
		return message.Address{Value: dialled}
	}
	return message.Address{Value: dialled, Typed: true, NPI: 1}
}

// describeArrival says what came for a phone: step, phone, text.
func describeArrival(a *phoneArrival) (what, phone, text string) {
	if a.tp.Type == translate.TPStatusReport {
		o := translate.OutcomeOfTPStatus(a.tp.ST)
		return "status report", a.to, fmt.Sprintf("RP-DATA %d, STATUS-REPORT of TP-MR %d to %s: TP-ST %02X, %s", a.rp.Ref, a.tp.MR, a.tp.Address.Text(), a.tp.ST, o.Word)
	}
	return "deliver", a.to, fmt.Sprintf("RP-DATA %d, DELIVER from %s: %q", a.rp.Ref, a.tp.Address.Text(), translate.Readable(a.body))
}

// describeSubmit says what a phone sends.
func describeSubmit(octets []byte) string {
	u, err := translate.ParseRPDU(octets)
	if err != nil || u.Type != translate.RPDataMO {
		return fmt.Sprintf("%s %d", u.Type, u.Ref)
	}
	tp, err := translate.ParseTPDU(u.UserData, u.Type)
	if err != nil {
		return fmt.Sprintf("%s %d, %x", u.Type, u.Ref, u.UserData)
	}
	b, _ := translate.TPDUBody(&tp)
	return fmt.Sprintf("RP-DATA %d, SUBMIT TP-MR %d to %s: %q", u.Ref, tp.MR, tp.Address.Text(), translate.Readable(b))
}

// describeReport says what an RP-ACK or RP-ERROR says.
func describeReport(u translate.RPDU) string {
	text := fmt.Sprintf("%s %d", u.Type, u.Ref)
	if u.Type == translate.RPErrorMO || u.Type == translate.RPErrorMT {
		text += fmt.Sprintf(", cause %d", u.Cause)
	}
	if tp, err := translate.ParseTPDU(u.UserData, u.Type); u.UserData != nil && err == nil {
		if tp.Negative {
			text += fmt.Sprintf(", TP-FCS %02X", tp.FCS)
		}
		if at, ok := tp.SCTS.Time(); ok {
			text += ", TP-SCTS " + at.Format("2006-01-02 15:04:05 -0700")
		}
	}
	return text
}
