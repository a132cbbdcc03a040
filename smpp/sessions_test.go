package smpp

import (
	"testing"

	"smsc/smpp/pdu"
)

func TestSessionsAreListedAndOneIsDisconnected(t *testing.T) {
	news := make(chan BindNews, 8)
	h := open(t, oneESME, func(_ *Config, d *Deps) { d.Bound = func(n BindNews) { news <- n } })
	first := h.bound(t, pdu.BindTransmitter)
	opened := []BindNews{<-news}
	second := h.bound(t, pdu.BindTransceiver)
	opened = append(opened, <-news)
	all := h.edge.Sessions("esme1")
	if len(all) != 2 || all[0].ID == all[1].ID || all[0].Bind != "transmitter" || all[1].Bind != "transceiver" || all[0].Client ||
		all[0].LastAt.Before(all[0].Since) || all[1].WindowSize == 0 {
		t.Fatalf("%+v", all)
	}
	if opened[0] != (BindNews{Link: "esme1", ID: all[0].ID, Peer: all[0].Peer, Bind: "transmitter", Opened: true}) {
		t.Errorf("%+v", opened)
	}
	if h.edge.Disconnect("esme1", "none") || h.edge.Disconnect("none", all[0].ID) {
		t.Error("what is not there was disconnected")
	}
	if !h.edge.Disconnect("esme1", all[1].ID) {
		t.Fatal("not there")
	}
	head, _ := second.want(pdu.Unbind, pdu.ROK, 1)
	second.write(pdu.AppendHeader(nil, pdu.UnbindResp, 0, head.Sequence)...)
	if n := <-news; n.Opened || n.ID != all[1].ID {
		t.Errorf("%+v", n)
	}
	if all = h.edge.Sessions("esme1"); len(all) != 1 || all[0].Bind != "transmitter" {
		t.Errorf("%+v", all)
	}
	first.send(&pdu.Plain{Cmd: pdu.EnquireLink}, 7)
	first.want(pdu.EnquireLinkResp, pdu.ROK, 7)
	if h.edge.Sessions("none") != nil {
		t.Error("sessions of nothing")
	}
}
