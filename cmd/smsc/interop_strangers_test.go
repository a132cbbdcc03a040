package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"smsc/translate"
)

// stranger is a foreign ESME that goes through a script.
type stranger interface {
	all(event string) []peerEvent
	count(event string) int
}

// strangers are the foreign clients that a script can be given to.
var strangers = map[string]func(*testing.T, int, []scriptSession) stranger{
	"npm smpp": func(t *testing.T, port int, sessions []scriptSession) stranger {
		needNPM(t)
		return startNode(t, "esme.js", map[string]any{"port": port, "sessions": sessions})
	},
	"Net::SMPP": func(t *testing.T, port int, sessions []scriptSession) stranger {
		needPerl(t)
		return startPeer(t, "perl", "esme.pl", map[string]any{"port": port, "sessions": sessions})
	},
	"gosmpp": func(t *testing.T, port int, sessions []scriptSession) stranger {
		return startGosmpp(t, port, sessions)
	},
}

// strangeCarriers are the foreign servers, with what they deliver to us when
// they are asked to.
var strangeCarriers = map[string]func(*testing.T, []scriptStep) (*nodePeer, int){
	"npm smpp": func(t *testing.T, deliver []scriptStep) (*nodePeer, int) {
		needNPM(t)
		return startCarrier(t, map[string]any{"deliver": deliver})
	},
	"Net::SMPP": func(t *testing.T, deliver []scriptStep) (*nodePeer, int) {
		needPerl(t)
		return startPerlCarrier(t, deliver)
	},
}

// TestInteropStrangersSendEverythingToStrangers has each foreign client send
// every content and earn every status, and each foreign carrier take long
// messages in each form.
func TestInteropStrangersSendEverythingToStrangers(t *testing.T) {
	for _, c := range []struct{ client, carrier, long string }{
		{"npm smpp", "npm smpp", "udh"},
		{"Net::SMPP", "npm smpp", "sar"},
		{"gosmpp", "npm smpp", "payload"},
		{"npm smpp", "Net::SMPP", "sar"},
		{"Net::SMPP", "Net::SMPP", "payload"},
		{"gosmpp", "Net::SMPP", "udh"},
	} {
		t.Run(fmt.Sprintf("%s to %s by %s", c.client, c.carrier, c.long), func(t *testing.T) {
			carrier, port := strangeCarriers[c.carrier](t, nil)
			s := newServer(t, "", "")
			s.start(fmt.Sprintf(scriptLinks, port, c.long))
			s.linkUp("carrier1")
			script := wholeScript(c.client)
			esme := strangers[c.client](t, record(t, s.smpp, true), script)
			eventually(t, "the script is through", func() bool { return esme.count("finished") == 1 })
			checkAnswers(t, esme, script)
			checkScriptReceipts(t, esme, script)
			checkTaken(t, carrier, c.long)
		})
	}
}

// checkAnswers compares the status of every bind and every request.
func checkAnswers(t *testing.T, esme stranger, script []scriptSession) {
	t.Helper()
	for _, e := range esme.all("bound") {
		if one := script[e.Index]; e.Status != one.status && (e.Status != anyRefusal || one.status == 0) {
			t.Errorf("%s as %s was answered %#x, want %#x", one.Bind, one.SystemID, e.Status, one.status)
		}
	}
	var steps []scriptStep
	for _, one := range script {
		steps = append(steps, one.Steps...)
	}
	answers := esme.all("answer")
	if len(answers) != len(steps) {
		t.Errorf("%d answers to %d requests", len(answers), len(steps))
	}
	for _, e := range answers {
		s := steps[e.Index]
		if e.Status != s.status || s.state != 0 && e.State != s.state || fmt.Sprint(e.Failed) != fmt.Sprint(s.failed) && len(e.Failed)+len(s.failed) > 0 {
			t.Errorf("%s (%s) was answered %#x, state %d, failed %v, want %#x, %d, %v", s.Command, s.name, e.Status, e.State, e.Failed, s.status, s.state, s.failed)
		}
	}
}

// checkScriptReceipts compares the receipts that came, by the id of what they
// are about.
func checkScriptReceipts(t *testing.T, esme stranger, script []scriptSession) {
	t.Helper()
	ids := map[int]string{}
	for _, e := range esme.all("answer") {
		ids[e.Index] = e.ID
	}
	var want []string
	i := 0
	for _, one := range script {
		for _, s := range one.Steps {
			for _, stat := range strings.Fields(s.receipts) {
				want = append(want, ids[i]+" "+stat)
			}
			i++
		}
	}
	eventually(t, "every receipt is home", func() bool { return esme.count("deliver") >= len(want) })
	time.Sleep(300 * time.Millisecond) // for what comes twice
	var got []string
	for _, e := range esme.all("deliver") {
		_, rest, _ := strings.Cut(e.Text, " stat:")
		stat, _, _ := strings.Cut(rest, " ")
		got = append(got, e.Receipted+" "+stat)
		if !strings.HasPrefix(e.Text, "id:"+e.Receipted+" sub:") || e.ESMClass != 4 || e.State != int(translate.MessageState(stat)) {
			t.Errorf("receipt %+v", e)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("receipts\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// contents shows messages by recipient: data_coding, UDHI, octets, and in which
// form they came.
func contents(events []peerEvent) map[string][]string {
	got := map[string][]string{}
	for _, e := range events {
		one := fmt.Sprintf("%d:%d:%s", e.DataCoding, e.ESMClass&0x40, e.Octets)
		if e.SAR != "" {
			one += " part " + e.SAR
		}
		if e.Payload {
			one += " payload"
		}
		got[e.Destination] = append(got[e.Destination], one)
	}
	return got
}

// checkTaken compares what the carrier was sent.
func checkTaken(t *testing.T, carrier *nodePeer, long string) {
	t.Helper()
	got := contents(carrier.all("submit"))
	for to, want := range map[string][]string{
		"15550000000": {"0:0:706c61696e2074657874"},
		"15550000001": {"8:0:043a043bd83dde00"},
		"15550000002": {"4:64:0605040b8423f080ff"},
		"15550000003": {"0:64:0500034d02016f6e6520", "0:64:0500034d020274776f"},
		"15550000004": {"0:0:746872656520 part 1/2", "0:0:666f7572 part 2/2"},
		"15550000006": {"0:0:746f206d616e79"}, "15550000007": {"0:0:746f206d616e79"},
		"15550000008": {"0:0:62792064617461" + "5f736d"},
		"15550000009": nil,
	} {
		if !slices.Equal(got[to], want) {
			t.Errorf("%s: the carrier was sent %q, want %q", to, got[to], want)
		}
	}
	checkLong(t, got["15550000005"], long)
	if carrier.count("unknown") > 0 {
		t.Errorf("the carrier was sent what it does not know: %+v", carrier.all("unknown"))
	}
}

// checkLong checks 400 characters that leave in the form of the link.
func checkLong(t *testing.T, got []string, long string) {
	t.Helper()
	text := func(n int) string { return strings.Repeat("78", n) }
	if long == "payload" {
		if want := []string{"0:0:" + text(400) + " payload"}; !slices.Equal(got, want) {
			t.Errorf("400 characters left as %q", got)
		}
		return
	}
	if len(got) != 3 {
		t.Fatalf("400 characters left as %d parts: %q", len(got), got)
	}
	for i, n := range []int{153, 153, 94} {
		want := fmt.Sprintf("0:0:%s part %d/3", text(n), i+1)
		if long == "udh" {
			ref := got[i][len("0:64:050003"):][:2]
			want = fmt.Sprintf("0:64:050003%s03%02x%s", ref, i+1, text(n))
		}
		if got[i] != want {
			t.Errorf("part %d left as %s, want %s", i+1, got[i], want)
		}
	}
}
