package main

import (
	"testing"

	"smsc/smpp"
	"smsc/smpp/pdu"
)

// A session may end before the centre has heard of its beginning: receipts
// that it were given then would come home by no other.
func TestACentreGivesNoReceiptToASessionThatEnded(t *testing.T) {
	c, err := newCentre("127.0.0.1:0", func(*pdu.SM) fate { return fate{} })
	if err != nil {
		t.Fatal(err)
	}
	go c.serve()
	defer c.close()
	receivers := func() (all []*smpp.Session) {
		c.mu.Lock()
		defer c.mu.Unlock()
		for s := range c.receivers {
			all = append(all, s)
		}
		return all
	}
	client, err := smpp.Dial(t.Context(), smpp.Peer{Address: c.address(), Bind: pdu.BindTransceiver, SystemID: "us", Password: "pw"})
	if err != nil {
		t.Fatal(err)
	}
	var was []*smpp.Session
	eventually(t, "the centre knows the session", func() bool { was = receivers(); return len(was) == 1 })
	client.Close()
	eventually(t, "the centre knows that it ended", func() bool { return len(receivers()) == 0 })
	if c.bound(was[0]); len(receivers()) != 0 {
		t.Error("a session that has ended is to take receipts")
	}
}
