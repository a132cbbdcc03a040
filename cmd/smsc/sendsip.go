package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"smsc/sip"
)

// receiptHome is where `smsc send --receipt` listens unless told otherwise:
// the uri of the link "connect" in the sandbox and in the example of
// provision.yaml.
const receiptHome = "127.0.0.1:5070"

// sipSender sends a MESSAGE and hears its receipt on the same socket.
type sipSender struct {
	peer  *sip.Peer
	heard chan homecoming
}

func (c *sendCommand) dialSIP() (sender, error) {
	local := c.Local
	switch {
	case local == "" && c.Receipt:
		local = receiptHome
	case local == "":
		local = "127.0.0.1:0"
		if onLoopback(c.SIP) != nil {
			local = "0.0.0.0:0"
		}
	}
	s := &sipSender{heard: make(chan homecoming, 64)}
	peer, err := sip.NewPeer(sip.PeerConfig{
		Listen: c.Transport + ":" + local, Remote: c.SIP, User: c.User, Password: c.Password, Handle: s.handle,
	})
	if err != nil {
		return nil, usage(fmt.Errorf("%s %s: %w (choose another address with --local)", c.Transport, local, err))
	}
	s.peer = peer
	return s, nil
}

func (s *sipSender) handle(m sip.PeerMessage) sip.PeerAnswer {
	if state := m.Get("X-SMS-RECEIPT"); state != "" {
		stat, err, _ := strings.Cut(state, ";err=")
		select {
		case s.heard <- homecoming{ID: m.Get("X-SMS-ID"), Stat: stat, Err: err}:
		default: // nobody waits for so many
		}
	}
	return sip.PeerAnswer{Status: 200}
}

// sipMessage is the MESSAGE that the flags describe.
func (c *sendCommand) sipMessage() sip.PeerMessage {
	m := sip.PeerMessage{From: c.From, To: c.To, ContentType: "text/plain;charset=UTF-8", Body: []byte(c.Text)}
	add := func(name, value string) { m.Headers = append(m.Headers, sip.Field{Name: name, Value: value}) }
	if coding, ok := map[string]string{"gsm7": "0", "8bit": "1", "ucs2": "2"}[c.Coding]; ok {
		add("X-SMS-CODING", coding)
	}
	if c.UDH != "" {
		add("X-SMS-UDH", c.UDH)
	}
	if c.Receipt {
		add("X-REG-DELIVERY", "1")
	}
	return m
}

func (s *sipSender) submit(ctx context.Context, c *sendCommand) (answer, error) {
	started := time.Now()
	a := s.peer.Do(ctx, c.sipMessage())
	switch {
	case a.Status == 0 && ctx.Err() != nil:
		return answer{}, ctx.Err()
	case a.Status == 0:
		return answer{}, fmt.Errorf("no SIP answer from %s %s: %w", c.Transport, c.SIP, a.Err)
	case a.Status/100 != 2:
		return answer{}, sipRefusal(a)
	}
	id := a.Get("X-SMS-ID")
	if id == "" {
		return answer{}, fmt.Errorf("%s answered %d %s without X-SMS-ID", c.SIP, a.Status, a.Reason)
	}
	return answer{IDs: []string{id}, Took: time.Since(started)}, nil
}

func sipRefusal(a sip.PeerAnswer) error {
	text := fmt.Sprintf("refused: %d %s", a.Status, a.Reason)
	if w := a.Get("Warning"); w != "" {
		text += " (" + w + ")"
	}
	if a.Status == 401 || a.Status == 403 {
		text += "\nthe server knows senders by the address of a link (from) or by --user and --password"
	}
	return errors.New(text)
}

func (s *sipSender) receipt(ctx context.Context) (homecoming, error) {
	select {
	case r := <-s.heard:
		return r, nil
	case <-ctx.Done():
		return homecoming{}, ctx.Err()
	}
}

func (s *sipSender) close() { s.peer.Close() }
