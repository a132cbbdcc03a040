package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/text/encoding/charmap"

	"smsc/message"
	"smsc/smpp"
	"smsc/smpp/pdu"
	"smsc/translate"
)

// smppSender binds as a transceiver, submits, and hears receipts.
type smppSender struct {
	session *smpp.Session
	heard   chan homecoming
}

func (c *sendCommand) dialSMPP() (sender, error) {
	if c.User == "" {
		return nil, usage(errors.New("--via smpp needs the system_id to bind with: --user, and --password"))
	}
	s := &smppSender{heard: make(chan homecoming, 64)}
	ctx, stop := interrupted(c.Timeout)
	defer stop()
	session, err := smpp.Dial(ctx, smpp.Peer{
		Address: c.SMPP, SystemID: c.User, Password: c.Password,
		Options: smpp.Options{Window: message.MaxParts, ResponseTimeout: c.Timeout},
		Handler: smpp.Funcs{OnRequest: s.request},
	})
	if err != nil {
		return nil, fmt.Errorf("%s as %s: %w (another server: --smpp, another name: --user)", c.SMPP, c.User, err)
	}
	s.session = session
	return s, nil
}

// request takes what the server delivers; receipts are kept.
func (s *smppSender) request(session *smpp.Session, h pdu.Header, frame []byte) {
	var sm pdu.SM
	if h.Command != pdu.DeliverSM || sm.Decode(frame) != nil {
		session.Refuse(h, pdu.RInvCmdID)
		return
	}
	session.Respond(&pdu.SMResp{Cmd: pdu.DeliverSMResp}, pdu.ROK, h.Sequence)
	r, ok := translate.ParseReceipt(string(sm.Text()))
	if sm.ESMClass&0x3c != 0x04 || !ok {
		return
	}
	if id, ok := sm.TLVs.Text(pdu.TagReceiptedMessageID); ok {
		r.ID = id
	}
	select {
	case s.heard <- homecoming{ID: r.ID, Stat: r.Stat, Err: r.Err}:
	default: // nobody waits for so many
	}
}

// body is the content that the flags describe.
func (c *sendCommand) body() (message.Body, error) {
	var b message.Body
	switch c.Coding {
	case "gsm7":
		if !translate.FitsGSM7(c.Text) {
			return b, errors.New("the text has characters outside GSM 7-bit: use --coding auto or ucs2")
		}
		b = message.Body{Coding: message.GSM7, Text: c.Text}
	case "ucs2":
		b = message.Body{Coding: message.UCS2, Text: c.Text}
	case "8bit":
		octets, err := charmap.ISO8859_1.NewEncoder().Bytes([]byte(c.Text))
		if err != nil {
			return b, errors.New("the text has characters outside ISO-8859-1")
		}
		b = message.Body{Coding: message.Octets, Data: octets}
	default:
		b = translate.TextBody(c.Text)
	}
	var err error
	b.UDH, err = c.udh()
	return b, err
}

// submit sends the message in as many parts as it needs, and returns when
// each was answered.
func (s *smppSender) submit(ctx context.Context, c *sendCommand) (answer, error) {
	b, err := c.body()
	if err != nil {
		return answer{}, usage(err)
	}
	parts, err := translate.Segments(b, uint16(rand.Uint32N(256)), message.PartUDH8)
	if err != nil {
		return answer{}, usage(err)
	}
	started := time.Now()
	ids, faults := make([]string, len(parts)), make([]error, len(parts))
	var open sync.WaitGroup
	for i, part := range parts {
		open.Add(1)
		err := s.session.Submit(ctx, c.submitSM(part), func(r smpp.Reply) {
			ids[i], faults[i] = readReply(r)
			open.Done()
		})
		if err != nil {
			faults[i] = err
			open.Done()
		}
	}
	open.Wait()
	if err := errors.Join(faults...); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return answer{}, err
	}
	return answer{IDs: ids, Took: time.Since(started)}, nil
}

// submitSM writes one part.
func (c *sendCommand) submitSM(part message.Body) *pdu.SM {
	sm := &pdu.SM{Cmd: pdu.SubmitSM, Source: smppAddress(c.From), Dest: smppAddress(c.To), DataCoding: translate.DataCoding(part, "gsm7")}
	if len(part.UDH) > 0 {
		sm.ESMClass = 0x40
	}
	sm.ShortMessage = append(append([]byte(nil), part.UDH...), translate.UserData(part)...)
	if c.Receipt {
		sm.RegisteredDelivery = 1
	}
	return sm
}

// smppAddress guesses type and plan as people write addresses: "+" and digits
// international, digits unknown, letters alphanumeric (SMPP 3.4 §5.2.5).
func smppAddress(given string) pdu.Address {
	a := message.Address{Value: given}
	switch a.Form() {
	case message.FormInternational:
		return pdu.Address{TON: 1, NPI: 1, Addr: []byte(a.Digits())}
	case message.FormLocal:
		return pdu.Address{Addr: []byte(given)}
	}
	return pdu.Address{TON: 5, Addr: []byte(given)}
}

// readReply returns the id of an answer, or the refusal in it.
func readReply(r smpp.Reply) (string, error) {
	switch {
	case r.Err != nil:
		return "", fmt.Errorf("submit_sm: %w", r.Err)
	case r.Status != pdu.ROK:
		text := fmt.Sprintf("refused: %s (0x%02X)", r.Status, uint32(r.Status))
		var resp pdu.SMResp
		if resp.Decode(r.Frame) == nil {
			if info, ok := resp.TLVs.Text(pdu.TagAdditionalStatusInfoText); ok {
				text += ": " + info
			}
		}
		return "", errors.New(text)
	}
	var resp pdu.SMResp
	if err := resp.Decode(r.Frame); err != nil {
		return "", err
	}
	return string(resp.MessageID), nil
}

func (s *smppSender) receipt(ctx context.Context) (homecoming, error) {
	select {
	case r := <-s.heard:
		return r, nil
	case <-s.session.Done():
		return homecoming{}, fmt.Errorf("the session ended: %w", s.session.Err())
	case <-ctx.Done():
		return homecoming{}, ctx.Err()
	}
}

func (s *smppSender) close() {
	s.session.Unbind(time.Second)
	s.session.Close()
}
