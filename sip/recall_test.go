package sip

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"smsc/message"
)

// sentBefore is a message that left by link connect and awaits its report.
func sentBefore(id message.ID, from, to, text string, remote ...string) message.Record {
	r := message.Record{
		Message: &message.Message{ID: id, From: message.Address{Value: from}, To: message.Address{Value: to}, Body: message.Body{Text: text}, Accepted: time.Now()},
		State:   message.State{ID: id, Phase: message.Sent, Link: "connect"},
	}
	for _, one := range remote {
		r.State.Segments = append(r.State.Segments, message.Segment{Remote: one, Result: message.Relayed})
	}
	return r
}

func TestReceiptWithoutAKnownIDIsAboutTheNewestThatFits(t *testing.T) {
	const we, they = "+15551230001", "+15559870001"
	ours := func(id int) string { return fmt.Sprintf("%d.1.connect@smsc1", id) }
	records := []message.Record{
		sentBefore(71, we, they, "Hello, this is the first of them", ours(71)),
		sentBefore(72, we, they, "Hello, this is the first as well", ours(72)),
		sentBefore(73, we, they, "Another text", ours(73)),
		sentBefore(74, we, "+15550000000", "Hello, this is the first to others", ours(74)),
		sentBefore(75, we, they, "They told an id of it", "4711"),
	}
	tests := map[string]struct {
		text, link, remote string // of the news that fits, "": an ordinary message
		tells              bool
	}{
		"the newest of two alike":        {"Hello, this is the f", "reports: true,", ours(72), false},
		"by its text":                    {"Another text", "reports: true,", ours(73), false},
		"a text nobody sent":             {"Unheard of", "reports: true,", "", false},
		"one whose id the peer told":     {"They told an id of i", "reports: true,", "", false},
		"from a peer that tells its ids": {"Another text", "reports: true,", "", true},
		"on a link that does not report": {"Another text", "", "", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			h := open(t, quick(), strings.Replace(connect, "keepalive", test.link+"keepalive", 1))
			h.desk.set(func(d *desk) {
				for _, r := range records {
					d.records[r.Message.ID] = r
					d.known[ours(int(r.Message.ID))] = true
				}
			})
			h.links.Load().byName["connect"].tells.Store(test.tells)
			a := dial(t, "udp", h.udp()).answer(draft{
				body: "id:99 sub:001 dlvrd:001 submit date:2603040506 done date:2603040506 stat:DELIVRD err:000 text:" + test.text,
			}.String())
			news := h.desk.heard()
			if test.remote == "" {
				if a.status != 202 {
					t.Errorf("%d, news %+v", a.status, news)
				}
				return
			}
			if a.status != 200 || len(news) != 2 || news[1].Remote[0] != test.remote || news[1].Outcome.Result != message.Delivered {
				t.Errorf("%d, news %+v", a.status, news)
			}
		})
	}
}
