package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
)

// A flow is a file testdata/flows/*.txtar: what happens between the house and
// the peers around it, line by line, against the real parts in one process.
// Sections: provision.yaml (the declared objects), smsc.yaml (optional, over
// the defaults) and script. The peers of the script do nothing by themselves.
//
// The language, one step a line ("#" begins a comment):
//
//	ACTOR NAME -> VERB ARGS     the peer does something
//	ACTOR NAME <- VERB ARGS     the peer expects something, and waits for it
//
// ACTOR is sip, carrier, esme, link or rest (rest has no NAME). ARGS are
// key=value (equal), key~value (contains) and one "text"; values with blanks
// are quoted as in Go; key= means empty or absent. $name in an expectation is
// bound at its first use and compared afterwards; elsewhere it is replaced.
// Expectations take an actor's requests strictly in the order they came, and
// answers in the order of what was asked. within=5s bounds how long a line
// waits, otherwise flowPatience; after=300ms is the least time since the last
// line with "->" began, a GET apart.
//
//	sip N -> MESSAGE to= from= "text" [hex= type= call_id= Header=...]
//	sip N -> REGISTER aor= password= [expires=]
//	sip N <- 202 Header=...             the answer to the oldest MESSAGE sent
//	sip N <- MESSAGE to= from= text= type= Header=...
//	sip N -> 200 [Header=...] | silence answers the oldest MESSAGE taken
//	core N -> submit from= to= mr= "text" [srr=1 tp_mr= udh= octets= ...]
//	core N -> rpdu from= hex= | smma from= mr= | REGISTER to= [expires=]
//	core N <- rp-ack mr= | rp-error mr= cause= fcs=     then -> 200
//	core N <- deliver to= from= text= | status-report to= tp_mr= st=
//	core N -> ack | error cause= fcs=   about the deliver taken last
//	carrier N <- submit_sm FIELDS       esme N <- deliver_sm FIELDS
//	     -> ok [id=] | status 0x58 | silence
//	carrier N -> deliver_sm FIELDS      <- deliver_sm_resp status=
//	carrier N -> receipt id= stat= err= <- receipt_resp status=
//	carrier N -> close | down | up      sessions | the listener too | again
//	esme N -> bind transceiver [system_id= password=]    <- bind_resp status=
//	esme N -> submit_sm FIELDS | query_sm id= from= | cancel_sm id= from= to=
//	esme N -> unbind | close
//	any peer <- nothing for=800ms
//	link N <- up | down | connecting | idle
//	rest -> METHOD PATH [Header=...] [JSON]
//	rest <- STATUS path.in.json= Header= len= body~    a GET is asked again
//	                                                   until it fits
//	apply FILE   restart   kill   wait 300ms
//
// At the end nothing may be left that nobody expected: no request, and no
// answer that refuses.

// flowPatience is how long an expectation waits that says nothing of time.
const flowPatience = 20 * time.Second

func TestFlows(t *testing.T) {
	files, err := filepath.Glob("../../testdata/flows/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no flows: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			f := newFlow(filepath.Base(file), data)
			defer func() {
				f.close()
				if t.Failed() {
					t.Logf("what the house logged:\n%s", f.log.String())
				}
			}()
			if err := f.run(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// flow is one file on its run.
type flow struct {
	file    string
	archive *txtar.Archive
	offset  int // line of the file where the script begins
	ports   flowPorts
	house   *house
	data    string // folder of the store
	log     flowLog
	vars    map[string]string
	actors  map[string]flowActor
	order   []string     // names of actors, as they came
	did     [2]time.Time // when the last line of a peer began that does something, and the one before
}

// flowActor is a peer, or another thing that a script names.
type flowActor interface {
	do(l *flowLine) error
	expect(l *flowLine) error
	// left tells what came and nobody expected.
	left() []string
	close()
}

func newFlow(file string, data []byte) *flow {
	f := &flow{file: file, archive: txtar.Parse(data), vars: map[string]string{}, actors: map[string]flowActor{}}
	before, _, _ := bytes.Cut(data, []byte("-- script --\n"))
	f.offset = bytes.Count(before, []byte("\n")) + 1
	return f
}

// section returns a file of the archive.
func (f *flow) section(name string) (string, bool) {
	for _, s := range f.archive.Files {
		if s.Name == name {
			return string(s.Data), true
		}
	}
	return "", false
}

func (f *flow) run() error {
	if len(bytes.TrimSpace(f.archive.Comment)) == 0 {
		return fmt.Errorf("%s:1: a flow begins with its story", f.file)
	}
	script, ok := f.section("script")
	if !ok {
		return fmt.Errorf("%s: there is no section script", f.file)
	}
	if err := f.setUp(); err != nil {
		return fmt.Errorf("%s: %w", f.file, err)
	}
	for i, text := range strings.Split(script, "\n") {
		if text = strings.TrimSpace(text); text == "" || text[0] == '#' {
			continue
		}
		l, err := parseFlowLine(text)
		if err == nil {
			l.flow = f
			err = f.step(l)
		}
		if err != nil {
			return fmt.Errorf("%s:%d: %s\n\t%w", f.file, f.offset+i+1, text, err)
		}
	}
	for _, name := range f.order {
		for _, what := range f.actors[name].left() {
			return fmt.Errorf("%s: at the end: %s: nobody expected %s", f.file, name, what)
		}
	}
	return nil
}

// step does one line.
func (f *flow) step(l *flowLine) error {
	switch l.actor {
	case "apply", "restart", "kill", "wait":
		return f.act(l)
	}
	a, err := f.actor(l)
	if err != nil {
		return err
	}
	if l.out {
		f.did = [2]time.Time{time.Now(), f.did[0]}
		return a.do(l)
	}
	if err := a.expect(l); err != nil {
		return err
	}
	// Since what was done began: when it was seen to be done, on a machine that
	// has no turn for us, much of the time may be over.
	since := f.did[0]
	if r, ok := a.(*flowREST); ok && r.ask != nil {
		since = f.did[1] // a GET only looks
	}
	if after := l.after(); time.Since(since) < after {
		return fmt.Errorf("came after %s, expected not before %s", time.Since(since).Round(time.Millisecond), after)
	}
	return nil
}

// actor returns the actor of a line; ESMEs, links and REST need no place in
// the document.
func (f *flow) actor(l *flowLine) (flowActor, error) {
	name := strings.TrimSpace(l.actor + " " + l.name)
	if a := f.actors[name]; a != nil {
		return a, nil
	}
	switch l.actor {
	case "esme":
		return f.join(name, newFlowESME(f, l.name)), nil
	case "link":
		return f.join(name, flowLink{f, l.name}), nil
	case "rest":
		return f.join(name, &flowREST{flow: f}), nil
	}
	return nil, fmt.Errorf("there is no %s: the document names none as $%s.%s", name, l.actor, l.name)
}

func (f *flow) join(name string, a flowActor) flowActor {
	f.actors[name] = a
	f.order = append(f.order, name)
	return a
}

// close ends everything.
func (f *flow) close() {
	for _, name := range f.order {
		f.actors[name].close()
	}
	if f.house != nil {
		f.stop(false, false)
	}
	if f.data != "" {
		os.RemoveAll(f.data)
	}
}

// flowLog keeps what the house logs, for the case that the flow fails.
type flowLog struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *flowLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

func (l *flowLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}
