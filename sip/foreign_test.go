package sip

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/emiago/sipgo"
	lib "github.com/emiago/sipgo/sip"

	"smsc/message"
)

// The library's own transactions stand for a foreign stack, both ways.
func TestForeignStackSendsToUs(t *testing.T) {
	h := open(t, quick(), closed)
	ua, err := sipgo.NewUA()
	if err != nil {
		t.Fatal(err)
	}
	defer ua.Close()
	client, err := sipgo.NewClient(ua, sipgo.WithClientHostname("127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for network, addr := range map[string]string{"udp": h.udp(), "tcp": h.tcp()} {
		t.Run(network, func(t *testing.T) {
			var to lib.Uri
			if err := lib.ParseUri("sip:15551230001@"+addr, &to); err != nil {
				t.Fatal(err)
			}
			req := lib.NewRequest(lib.MESSAGE, to)
			req.SetTransport(strings.ToUpper(network))
			req.AppendHeader(lib.NewHeader("Content-Type", "text/plain"))
			req.SetBody([]byte("from afar " + network))
			res, err := client.Do(t.Context(), req)
			if err != nil || res.StatusCode != 401 {
				t.Fatalf("%v %v", res, err)
			}
			res, err = client.DoDigestAuth(t.Context(), req, res, sipgo.DigestAuth{Username: "alice", Password: "a1"})
			if err != nil || res.StatusCode != 202 {
				t.Fatalf("%v %v", res, err)
			}
			all := h.door.all()
			if m := all[len(all)-1]; m.Body.Text != "from afar "+network || res.GetHeader("X-SMS-ID").Value() != m.ID.String() {
				t.Errorf("%+v", m)
			}
		})
	}
}

func TestForeignStackReceivesFromUs(t *testing.T) {
	for _, network := range []string{"udp", "tcp"} {
		t.Run(network, func(t *testing.T) {
			ua, err := sipgo.NewUA()
			if err != nil {
				t.Fatal(err)
			}
			defer ua.Close()
			server, err := sipgo.NewServer(ua)
			if err != nil {
				t.Fatal(err)
			}
			bodies := make(chan string, 10)
			server.OnMessage(func(req *lib.Request, tx lib.ServerTransaction) {
				bodies <- string(req.Body())
				_ = tx.Respond(lib.NewResponseFromRequest(req, 200, "OK", nil))
			})
			over := make(chan struct{})
			addr := ""
			if network == "udp" {
				c, err := net.ListenPacket("udp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				addr = c.LocalAddr().String()
				go func() { _ = server.ServeUDP(c); close(over) }()
				defer func() { _ = c.Close(); <-over }()
			} else {
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				addr = l.Addr().String()
				go func() { _ = server.ServeTCP(l); close(over) }()
				defer func() { _ = l.Close(); <-over }()
			}
			h := open(t, quick(), fmt.Sprintf("links:\n  - {name: out, kind: sip, uri: \"sip:%s;transport=%s\", keepalive: 0s}\n", addr, network))
			for i := range 5 {
				body := fmt.Sprintf("number %d €", i)
				if o := h.deliver(message.Attempt{Message: text(body)}); o.Result != message.Delivered {
					t.Fatalf("%+v", o)
				}
				if got := <-bodies; got != body {
					t.Errorf("%q", got)
				}
			}
		})
	}
}
