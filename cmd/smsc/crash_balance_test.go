package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"smsc/message"
	"smsc/smpp/pdu"
)

// costs reads the records of a server: what each message cost in the end, by
// the id of its record, since a crash repeats lines.
func costs(t *testing.T, dir string) map[string]message.Amount {
	t.Helper()
	all := map[string]message.Amount{}
	files, err := filepath.Glob(filepath.Join(dir, "cdr-*.csv*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			continue // renamed just now
		}
		r := csv.NewReader(f)
		column := map[string]int{}
		for {
			row, err := r.Read()
			if err != nil {
				if !errors.Is(err, io.EOF) { // the line that is being written
					t.Log(err)
				}
				break
			}
			if len(column) == 0 {
				for i, name := range row {
					column[name] = i
				}
				continue
			}
			cost, ok := message.ParseAmount(row[column["cost"]])
			if !ok {
				t.Errorf("a record costs %q", row[column["cost"]])
			}
			all[row[column["message_id"]]] = cost
		}
		_ = f.Close()
	}
	return all
}

// The balance after so many concurrent messages and kill -9 is the start less
// the sum of the charges, and each charge stands in a record. Some messages
// are refused by the carrier and given back. SMSC_LONG=1 sends 100,000.
func TestCrashTheBalanceIsTheStartLessTheCharges(t *testing.T) {
	messages, kills, drivers := 3000, 3, 2
	if os.Getenv("SMSC_LONG") != "" {
		messages, kills, drivers = 100_000, 10, 8
	}
	far, err := newCentre("127.0.0.1:0", func(sm *pdu.SM) fate {
		if digit := sm.Dest.Addr[len(sm.Dest.Addr)-1]; digit == '7' {
			return fate{status: pdu.RInvDstAdr}
		} else if digit == '5' {
			return fate{receipt: "UNDELIV", err: "001"}
		}
		return fate{receipt: "DELIVRD", err: "000"}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(far.close)
	go far.serve()
	s := newServer(t, "", "delivery: {retry: {base: 1s}}\ncharging: {kind: balance, default: yes}\n")
	s.start(fmt.Sprintf(`accounts:
  - {name: operator, rates: {"44": "0.01", "4479": "0.03"}}
links:%s
  - {name: carrier1, kind: carrier, address: %q, system_id: us, password: pw2, window: 200, response_timeout: 2s}
routes:
  - {called_prefix: "447", dest_smsc: carrier1}
`, esmeLink, far.address()))
	const start = message.Amount(10_000_000_000)
	balance := func() message.Amount {
		var v balanceView
		if _, err := s.api().get(t.Context(), "/api/accounts/operator/balance", nil, &v); err != nil {
			t.Fatal(err)
		}
		n, _ := message.ParseAmount(v.Balance)
		return n
	}
	if _, err := s.api().do(t.Context(), call{method: http.MethodPost, path: "/api/accounts/operator/balance", body: map[string]string{"amount": start.String()}}); err != nil {
		t.Fatal(err)
	}
	load := &stress{address: loopback(s.smpp), run: rand.Uint32(), taken: newNumbers(), ids: map[string]bool{}, reported: map[string]int{}}
	stop := make(chan struct{})
	var driving sync.WaitGroup
	for range drivers {
		driving.Go(func() { load.drive(stop) })
	}
	acknowledged := func() int { n, _ := load.taken.count(); return int(n) }
	for i := range kills {
		eventually(t, "messages are acknowledged", func() bool { return acknowledged() >= messages*(i+1)/(kills+1) })
		s.kill()
		t.Logf("kill %d after %d acknowledged", i+1, acknowledged())
		s.run()
	}
	eventually(t, "messages are acknowledged", func() bool { return acknowledged() >= messages })
	close(stop)
	driving.Wait()
	session := load.dial() // hears the receipts
	for session == nil {
		session = load.dial()
	}
	defer session.Close()
	open := func() float64 { return s.metric("smsc_queue_depth") }
	eventually(t, "every message has its end", func() bool { return open() == 0 })
	var sum message.Amount
	var all map[string]message.Amount
	eventually(t, "the records say what the balance says", func() bool {
		sum, all = 0, costs(t, filepath.Join(s.dir, "data", "cdr"))
		for _, c := range all {
			sum += c
		}
		time.Sleep(200 * time.Millisecond)
		return start-sum == balance()
	})
	load.mu.Lock()
	defer load.mu.Unlock()
	free := 0
	for id := range load.ids {
		c, ok := all[id]
		if !ok {
			t.Errorf("message %s was acknowledged and has no record", id)
		}
		if c == 0 {
			free++
		}
	}
	t.Logf("%d acknowledged, %d records, %d given back; balance %v = %v - %v", len(load.ids), len(all), free, balance(), start, sum)
	if free == 0 || free > len(load.ids)/2 {
		t.Errorf("%d of %d were given back; two of ten are refused", free, len(load.ids))
	}
}
