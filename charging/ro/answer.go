package ro

import (
	"fmt"

	"github.com/fiorix/go-diameter/v4/diam"
	"github.com/fiorix/go-diameter/v4/diam/avp"
	"github.com/fiorix/go-diameter/v4/diam/datatype"

	"smsc/message"
)

// Result-Codes that mean something of their own (RFC 6733 §7.1, RFC 8506 §9).
const (
	success        = 2001
	endUserDenied  = 4010
	withoutCharge  = 4011
	limitReached   = 4012
	notAuthorised  = 5003
	userUnknown    = 5030
	noCreditResult = 1 // Check-Balance-Result
)

// answer is what a CCA says, as far as it matters here.
type answer struct {
	code    uint32 // of the whole, or of the one service where that is worse
	granted int64  // units, -1 where it says nothing of them
	balance int32  // Check-Balance-Result, -1 where there is none
}

func readAnswer(m *diam.Message) answer {
	a := answer{granted: -1, balance: -1}
	a.code = number(m.FindAVP(avp.ResultCode, 0))
	if v, err := m.FindAVP(avp.CheckBalanceResult, 0); err == nil {
		if n, ok := v.Data.(datatype.Enumerated); ok {
			a.balance = int32(n)
		}
	}
	services, err := m.FindAVPs(avp.MultipleServicesCreditControl, 0)
	if err != nil {
		return a
	}
	for _, s := range services {
		g, ok := s.Data.(*diam.GroupedAVP)
		if !ok {
			continue
		}
		for _, v := range g.AVP {
			switch v.Code {
			case avp.ResultCode:
				if n := number(v, nil); a.code == success && n != 0 {
					a.code = n
				}
			case avp.GrantedServiceUnit:
				a.granted = max(a.granted, 0) + units(v)
			}
		}
	}
	return a
}

func number(v *diam.AVP, err error) uint32 {
	if err == nil && v != nil {
		if n, ok := v.Data.(datatype.Unsigned32); ok {
			return uint32(n)
		}
	}
	return 0
}

// units are the CC-Service-Specific-Units of a Granted-Service-Unit.
func units(v *diam.AVP) int64 {
	g, ok := v.Data.(*diam.GroupedAVP)
	if !ok {
		return 0
	}
	for _, in := range g.AVP {
		if n, ok := in.Data.(datatype.Unsigned64); ok && in.Code == avp.CCServiceSpecificUnits {
			return int64(min(uint64(n), 1<<32))
		}
	}
	return 0
}

// reply is what the code means (spec records §9.3). partial tells that only
// some of the units were granted.
func (a answer) reply(asked uint8) (r message.ChargeReply, partial bool) {
	r.Text = fmt.Sprintf("Result-Code %d", a.code)
	deny := func(c message.Cause) (message.ChargeReply, bool) {
		r.Verdict, r.Cause = message.Denied, c
		return r, false
	}
	switch a.code {
	case withoutCharge:
		r.Verdict = message.Granted
		return r, false
	case limitReached, userUnknown:
		return deny(message.NoCredit)
	case endUserDenied, notAuthorised:
		return deny(message.Barred)
	case success:
	default: // also 5031: its rates are wrong. It was not done
		r.Verdict = message.Unreached
		return r, false
	}
	switch {
	case a.balance == noCreditResult, a.granted == 0:
		return deny(message.NoCredit)
	case a.granted > 0 && a.granted < int64(asked):
		r.Verdict, r.Cause = message.Denied, message.NoCredit
		r.Text += fmt.Sprintf(", %d of %d units", a.granted, asked)
		return r, true
	}
	r.Verdict = message.Granted
	return r, false
}
