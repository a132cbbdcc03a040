package store

import (
	"bytes"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"smsc/message"
)

// full is a record with everything set.
func full() message.Record {
	at := time.Date(2026, 11, 21, 8, 0, 0, 123456789, time.UTC)
	m := &message.Message{
		ID: 4711, Kind: message.KindReceipt, Account: "acme", Dest: "carrier1",
		From:   message.Address{Value: "+491", Given: "0049 1", TON: 1, NPI: 1, Typed: true},
		To:     message.Address{Value: "Bank"},
		Body:   message.Body{Coding: message.Opaque, Class: message.Class2, Data: []byte{}, UDH: []byte{5, 0, 3, 1, 2, 1}, Part: &message.Part{Kind: message.PartSAR, Ref: 65535, Total: 255, Seq: 1}, DCS: 0xf5, HasDCS: true},
		Origin: message.Origin{Link: "esme1", Type: message.SourceHTTP, User: "u", Peer: "[::1]:5060", Ref: "r", RefLife: time.Hour, Handle: "h"},
		Wants:  message.WantFinal | message.WantIntermediate, Mode: message.ModeTransaction, Once: true, Parts: 3, Priority: 3, Charged: true,
		About: &message.About{ID: 9, Phase: message.Expired, Cause: message.Timeout, Word: "UNDELIV", Code: "041", Submitted: at, Done: at.Add(time.Second),
			Parts: 2, Delivered: 1, Excerpt: "hi", Handle: "x", Extra: map[string]string{"b": "2", "a": "1"}},
		Accepted: at, NotBefore: at.Add(time.Minute), Expires: at.Add(time.Hour),
		Aliases: []message.Alias{{ID: 1 << 40, Wants: message.WantFinal, Handle: "part 2"}, {ID: 7}},
		Extra:   map[string]string{"smpp.service_type": "CMT", "z": "", "": "empty key"},
	}
	s := message.State{
		ID: m.ID, Version: math.MaxUint64, Phase: message.Sent, Due: at, WakeOn: "link:c", Link: "c", Tried: []string{"a", "b"},
		Segments: []message.Segment{{Remote: "77", Result: message.Delivered}, {}}, Rounds: 65535, Attempts: 3, First: at, Ended: at.Add(-time.Hour),
		Last:    message.Outcome{Result: message.Deferred, Cause: message.Absent, Remote: []string{"77", ""}, Pause: true, After: -time.Second, Word: "W", Code: "027", Detail: "gone"},
		Failure: message.MemoryFull, Opened: 2, Detour: message.Detour{Link: "b", Account: "uk", Count: 3}, Notes: "night; pt",
		Charge: message.Charge{Result: message.ChargeUnknown, Todo: message.RefundStep, Asked: true, Server: true, Early: true, Refund: true,
			Payer: "acme", Units: 255, Taken: 3, Ref: "1-0;2-0", Cost: math.MaxInt64, Moved: -1, Floor: math.MinInt64},
	}
	s.Note(message.Step{At: at, Kind: "accepted", Link: "esme1"})
	s.Note(message.Step{Kind: "no time"})
	s.Note(message.Step{At: at.Add(-time.Hour), Kind: "attempt", Text: "t", Result: "Deferred"})
	return message.Record{Message: m, State: s}
}

func encode(h head, r message.Record) []byte {
	return appendRecord(nil, h, appendState(nil, &r.State, r.State.Version), appendMessage(nil, r.Message))
}

func TestRecordsComeBackAsTheyWere(t *testing.T) {
	at := time.Unix(0, 0).UTC()
	for name, r := range map[string]message.Record{
		"everything set": full(),
		"nothing set":    {Message: &message.Message{ID: 1}, State: message.State{ID: 1}},
		"only a charge":  {Message: &message.Message{ID: 3}, State: message.State{ID: 3, Charge: message.Charge{Units: 1}}},
		"extreme times": {Message: &message.Message{ID: 2, Accepted: time.Unix(0, math.MinInt64).UTC(), Expires: time.Unix(0, math.MaxInt64).UTC(), NotBefore: at},
			State: message.State{ID: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			h := head{slot: 77, kind: r.Message.Kind, account: r.Message.Account, class: classSent}
			value := encode(h, r)
			gotHead, got, err := decodeRecord(r.Message.ID, value)
			if err != nil {
				t.Fatal(err)
			}
			clear(value) // nothing decoded may share the input
			if d := cmp.Diff(r, got); d != "" {
				t.Error(d)
			}
			if gotHead != h {
				t.Errorf("head %+v, want %+v", gotHead, h)
			}
			state := appendState(appendHead(nil, h), &r.State, r.State.Version)
			_, s, err := decodeState(r.State.ID, state)
			if d := cmp.Diff(r.State, s); d != "" || err != nil {
				t.Error(d, err)
			}
		})
	}
}

func TestTimesNobodyMeansAreHeldInRange(t *testing.T) {
	for _, at := range []time.Time{time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC)} {
		r := reader{s: string(appendTime(nil, at))}
		if got := r.time(); got.IsZero() || r.bad {
			t.Errorf("%v reads as %v", at, got)
		}
	}
}

func TestDamagedValuesAreErrors(t *testing.T) {
	value := encode(head{}, full())
	for n := range value {
		if _, _, err := decodeRecord(1, value[:n]); err == nil {
			t.Fatalf("%d of %d octets are a record", n, len(value))
		}
	}
	if _, _, err := decodeRecord(1, append(bytes.Clone(value), 0)); err == nil {
		t.Error("an octet too many is a record")
	}
	value[0] = codecVersion + 1
	if _, _, err := decodeRecord(1, value); err == nil {
		t.Error("an unknown version is a record")
	}
}

func FuzzRecord(f *testing.F) {
	f.Add(encode(head{}, full()))
	f.Add(encode(head{account: "a", class: classQueued}, message.Record{Message: &message.Message{}}))
	f.Fuzz(func(t *testing.T, value []byte) {
		h, r, err := decodeRecord(1, value)
		if err != nil {
			return
		}
		again := encode(h, r)
		h2, r2, err := decodeRecord(1, again)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if d := cmp.Diff(r, r2); d != "" || h != h2 {
			t.Fatal(d, h, h2)
		}
		if !bytes.Equal(again, encode(h2, r2)) {
			t.Fatal("encoding is not stable")
		}
	})
}

func FuzzState(f *testing.F) {
	r := full()
	f.Add(appendState(appendHead(nil, head{}), &r.State, 1))
	f.Fuzz(func(t *testing.T, value []byte) {
		h, s, err := decodeState(1, value)
		if err != nil {
			return
		}
		again := appendState(appendHead(nil, h), &s, s.Version)
		if h2, s2, err := decodeState(1, again); err != nil || h != h2 || cmp.Diff(s, s2) != "" {
			t.Fatal(err, cmp.Diff(s, s2))
		}
	})
}

func BenchmarkCodec(b *testing.B) {
	r := sample(message.NewMint(0), time.Now())
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		var buf []byte
		for range b.N {
			buf = appendMessage(appendState(buf[:0], &r.State, 1), r.Message)
		}
		b.SetBytes(int64(len(buf)))
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		value := encode(head{account: "acme"}, r)
		b.SetBytes(int64(len(value)))
		for range b.N {
			if _, _, err := decodeRecord(1, value); err != nil {
				b.Fatal(err)
			}
		}
	})
}
