package cgrates

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"smsc/message"
)

// server answers each method with what it is told to, and remembers what it
// was asked.
type server struct {
	*httptest.Server
	mu      sync.Mutex
	answers map[string]string // the body of the answer; "hang" and "close" say nothing
	asked   []string
	events  []map[string]any
	hanging chan struct{} // closed when a question came that gets no answer
}

// spent is a context whose time is over when done is closed.
type spent struct {
	context.Context
	done <-chan struct{}
}

func (c spent) Done() <-chan struct{} { return c.done }

func (c spent) Err() error {
	select {
	case <-c.done:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

func newServer(t *testing.T, answers map[string]string) *server {
	t.Helper()
	s := &server{answers: answers, hanging: make(chan struct{})}
	hang := sync.OnceFunc(func() { close(s.hanging) })
	stop := make(chan struct{})
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q struct {
			Method string
			Params []map[string]any
		}
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil || len(q.Params) != 1 {
			t.Errorf("not one question: %v", err)
		}
		s.mu.Lock()
		answer, known := s.answers[q.Method]
		if q.Method != "SessionSv1.Ping" {
			s.asked, s.events = append(s.asked, q.Method), append(s.events, q.Params[0])
		}
		s.mu.Unlock()
		switch {
		case answer == "hang":
			hang()
			select {
			case <-stop:
			case <-r.Context().Done():
			}
		case answer == "close":
			conn, _, _ := w.(http.Hijacker).Hijack()
			_ = conn.Close()
		case !known:
			fmt.Fprint(w, `{"id":1,"result":"OK","error":null}`)
		default:
			fmt.Fprint(w, answer)
		}
	}))
	t.Cleanup(func() { close(stop); s.Close() })
	return s
}

func (s *server) methods() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.asked, " ")
}

func clientOf(t *testing.T, url string) *Client {
	t.Helper()
	c := New(Config{URL: url, Node: "smsc1", Category: "sms", RequestType: "*prepaid", Plus: true})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func result(s string) string { return `{"id":1,"result":` + s + `,"error":null}` }
func failure(s string) string {
	return `{"id":1,"result":null,"error":"` + s + `"}`
}

const record = `[{"RunID":"*default","OriginID":"7","OriginHost":"smsc1","Cost":0.08,"Usage":2},{"RunID":"*raw","OriginID":"7"}]`

func TestEveryAnswerToADebit(t *testing.T) {
	const (
		message1 = "SessionSv1.ProcessMessage"
		cdr1     = "SessionSv1.ProcessCDR"
		get      = "CDRsV1.GetCDRs"
		event    = "CDRsV1.ProcessEvent"
	)
	for _, c := range []struct {
		name    string
		answers map[string]string
		verdict message.Verdict
		cause   message.Cause
		lost    bool
		asked   string
	}{
		{"granted", map[string]string{message1: result(`{"MaxUsage":2}`)}, message.Granted, 0, false, message1 + " " + cdr1},
		{"granted, as a string", map[string]string{message1: result(`{"MaxUsage":"2"}`)}, message.Granted, 0, false, message1 + " " + cdr1},
		{"granted, as a duration", map[string]string{message1: result(`{"MaxUsage":"2ns"}`)}, message.Granted, 0, false, message1 + " " + cdr1},
		{"a success that grants nothing", map[string]string{message1: result(`{"MaxUsage":0}`)}, message.Denied, message.NoCredit, false, message1},
		{"a success without a word", map[string]string{message1: result(`{"MaxUsage":null}`)}, message.Denied, message.NoCredit, false, message1},
		{"granted in part: recorded and given back", map[string]string{message1: result(`{"MaxUsage":1}`), get: result(record)},
			message.Denied, message.NoCredit, false, message1 + " " + cdr1 + " " + get + " " + event},
		{"granted in part, and not given back", map[string]string{message1: result(`{"MaxUsage":1}`), get: "close"},
			message.Unanswered, 0, false, message1 + " " + cdr1 + " " + get},
		{"granted, the record is there already", map[string]string{message1: result(`{"MaxUsage":2}`), cdr1: failure("EXISTS")}, message.Granted, 0, false, message1 + " " + cdr1},
		{"granted, and the record is lost", map[string]string{message1: result(`{"MaxUsage":2}`), cdr1: "close"}, message.Granted, 0, true, message1 + " " + cdr1},
		{"no such account", map[string]string{message1: failure("RALS_ERROR:ACCOUNT_NOT_FOUND")}, message.Denied, message.NoCredit, false, message1},
		{"no such destination", map[string]string{message1: failure("RALS_ERROR:UNAUTHORIZED_DESTINATION")}, message.Denied, message.Barred, false, message1},
		{"a tenant without chargers", map[string]string{message1: failure("CHARGERS_ERROR:NOT_FOUND")}, message.Unreached, 0, false, message1},
		{"no rates", map[string]string{message1: failure("RALS_ERROR:RATING_PLAN_NOT_FOUND")}, message.Unreached, 0, false, message1},
		{"no such method", map[string]string{message1: failure("rpc: can't find service SessionSv1.ProcessMessage")}, message.Unreached, 0, false, message1},
		{"done in part", map[string]string{message1: failure("PARTIALLY_EXECUTED")}, message.Unanswered, 0, false, message1},
		{"closed without a word", map[string]string{message1: "close"}, message.Unanswered, 0, false, message1},
		{"silence", map[string]string{message1: "hang"}, message.Unanswered, 0, false, message1},
		{"no JSON", map[string]string{message1: "<html>"}, message.Unanswered, 0, false, message1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t, c.answers)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			if c.name == "silence" {
				ctx = spent{t.Context(), s.hanging}
			}
			r := clientOf(t, s.URL).Debit(ctx, message.Bill{ID: 7, Units: 2, Payer: "+4912", To: message.Address{Value: "+44"}, At: time.Unix(0, 0)})
			if r.Verdict != c.verdict || r.Cause != c.cause || r.Lost != c.lost || s.methods() != c.asked {
				t.Errorf("%+v after %s; want %v %v lost %v after %s", r, s.methods(), c.verdict, c.cause, c.lost, c.asked)
			}
		})
	}
}

func TestEveryEventSaysWhatItIs(t *testing.T) {
	s := newServer(t, map[string]string{"SessionSv1.ProcessMessage": result(`{"MaxUsage":3}`)})
	c := clientOf(t, s.URL)
	c.cfg.Plus = false
	c.Debit(t.Context(), message.Bill{ID: 7, Life: 2, Units: 3, Payer: "acme", To: message.Address{Value: "+447700900123"}, At: time.Unix(1, 0)})
	e := s.events[0]["Event"].(map[string]any)
	for key, want := range map[string]string{
		"OriginID": "7-2", "OriginHost": "smsc1", "Source": "smsc", "ToR": "*sms", "RequestType": "*prepaid", "Category": "sms", "Account": "acme",
		"Subject": "acme", "Destination": "447700900123", "SetupTime": "1970-01-01T00:00:01Z", "AnswerTime": "1970-01-01T00:00:01Z", "Usage": "3",
	} {
		if fmt.Sprint(e[key]) != want {
			t.Errorf("%s is %v, want %s", key, e[key], want)
		}
	}
	if s.events[0]["Debit"] != true || s.events[1]["Debit"] != nil {
		t.Error("the debit is asked for once")
	}
}

func TestAServerThatIsNotThereIsUnreached(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	// Nobody listens at the near end of a connection, and nobody else can.
	near, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	c := clientOf(t, "http://"+near.LocalAddr().String()+"/jsonrpc")
	b := message.Bill{ID: 7, Units: 1, At: time.Unix(0, 0), Ref: "7", Taken: 1}
	for name, r := range map[string]message.ChargeReply{
		"authorise": c.Authorise(t.Context(), b), "debit": c.Debit(t.Context(), b), "refund": c.Refund(t.Context(), b), "trace": c.Trace(t.Context(), message.DebitStep, b),
	} {
		if r.Verdict != message.Unreached {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if c.Ready() == nil {
		t.Error("a server that is not there is ready")
	}
}

func TestEveryAnswerToARefund(t *testing.T) {
	for _, c := range []struct {
		name    string
		answers map[string]string
		ref     string
		verdict message.Verdict
	}{
		{"given back", map[string]string{"CDRsV1.GetCDRs": result(record)}, "7", message.Granted},
		{"of two parts both", map[string]string{"CDRsV1.GetCDRs": result(record)}, "7;8", message.Granted},
		{"no record", map[string]string{"CDRsV1.GetCDRs": failure("NOT_FOUND")}, "7", message.Denied},
		{"records cannot be read now", map[string]string{"CDRsV1.GetCDRs": "close"}, "7", message.Unreached},
		{"silence", map[string]string{"CDRsV1.GetCDRs": result(record), "CDRsV1.ProcessEvent": "close"}, "7", message.Unanswered},
		{"it says no", map[string]string{"CDRsV1.GetCDRs": result(record), "CDRsV1.ProcessEvent": failure("ACCOUNT_NOT_FOUND")}, "7", message.Unanswered},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t, c.answers)
			r := clientOf(t, s.URL).Refund(t.Context(), message.Bill{ID: 7, Units: 1, Taken: 1, Ref: c.ref, At: time.Unix(0, 0)})
			if r.Verdict != c.verdict {
				t.Errorf("%+v, want %v", r, c.verdict)
			}
		})
	}
}

func FuzzAnswer(f *testing.F) {
	for _, s := range []string{result(`{"MaxUsage":2}`), failure("EXISTS"), `{"result":{"MaxUsage":"1h"}}`, `{"error":{"a":1}}`, "", "[]", `{"result":{"MaxUsage":"NaN"}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var out struct{ MaxUsage usage }
		if fault := read(data, &out); fault != nil {
			_ = fault.reply()
		} else if out.MaxUsage.covers(1) && out.MaxUsage.n < 1 {
			t.Error("grants less than a part")
		}
		_ = read(data, &[]cdr{})
	})
}
