package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"smsc/message"
	"smsc/translate"
)

// imsSender is a handset behind an IMS core: it sends RP-DATA with SUBMITs
// and hears RP-ACK, RP-ERROR and STATUS-REPORT (TS 24.341). A phone has no ids
// of messages but its own TP-MR.
type imsSender struct {
	core *imsCore
	sent []submitted
	from string
}

func (c *sendCommand) dialIMS() (sender, error) {
	local := c.Local
	if local == "" {
		local = "127.0.0.1:0"
		if onLoopback(c.SIP) != nil {
			local = "0.0.0.0:0"
		}
	}
	from := phoneNumber(c.From)
	if from == "" {
		return nil, usage(errors.New("--ims: the sender of a phone is its number: --from 15551240001"))
	}
	core, err := newIMSCore(imsCoreConfig{listen: c.Transport + ":" + local, remote: c.SIP, centre: c.Centre})
	if err != nil {
		return nil, usage(fmt.Errorf("%s %s: %w (choose another address with --local)", c.Transport, local, err))
	}
	return &imsSender{core: core, from: from}, nil
}

// phoneNumber is the identity of a phone: "+" and digits; "" if it is none.
func phoneNumber(given string) string {
	digits := strings.TrimPrefix(given, "+")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return ""
	}
	return "+" + digits
}

// submit sends the message in as many SUBMITs as it needs, one after the
// other as a phone does, and returns when each has its RP-ACK.
func (s *imsSender) submit(ctx context.Context, c *sendCommand) (answer, error) {
	b, err := c.body()
	if err != nil {
		return answer{}, usage(err)
	}
	parts, err := translate.Segments(b, uint16(rand.Uint32N(256)), message.PartUDH8)
	if err != nil {
		return answer{}, usage(err)
	}
	var a answer
	started := time.Now()
	for _, part := range parts {
		r, err := s.core.submit(ctx, submission{from: s.from, to: c.To, body: part, report: c.Receipt})
		if err != nil {
			return answer{}, err
		}
		if r.cause != 0 {
			return answer{}, fmt.Errorf("refused: RP-ERROR %d, TP-FCS %02X", r.cause, r.fcs)
		}
		s.sent = append(s.sent, r)
		a.IDs = append(a.IDs, strconv.Itoa(int(r.tp)))
	}
	a.Took = time.Since(started)
	return a, nil
}

// receipt returns the status report of the next SUBMIT.
func (s *imsSender) receipt(ctx context.Context) (homecoming, error) {
	if len(s.sent) == 0 {
		return homecoming{}, errors.New("no further STATUS-REPORT is owed")
	}
	next := s.sent[0]
	r, err := s.core.receipt(ctx, s.from, next.tp)
	if err != nil {
		return homecoming{}, err
	}
	if r.scts != next.scts {
		return homecoming{}, fmt.Errorf("the STATUS-REPORT has another time than the RP-ACK: %x, not %x", r.scts, next.scts)
	}
	s.sent = s.sent[1:]
	o := translate.OutcomeOfTPStatus(r.st)
	code := "000"
	if o.Result != message.Delivered {
		code = translate.ReceiptErr(o.Cause)
	}
	return homecoming{ID: strconv.Itoa(int(next.tp)), Stat: o.Word, Err: code}, nil
}

func (s *imsSender) close() { s.core.close() }
