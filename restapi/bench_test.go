package restapi

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"smsc/message"
)

// taker accepts at once: what is left is the edge's own cost.
type taker struct{ mint *message.Mint }

func (k taker) Accept(_ context.Context, ms ...*message.Message) []error {
	now := time.Now()
	for _, m := range ms {
		m.ID, m.Accepted, m.Expires, m.Parts = k.mint.Next(now), now, now.Add(time.Hour), 1
	}
	return make([]error, len(ms))
}

// blank is a ResponseWriter that keeps nothing.
type blank struct{ h http.Header }

func (b blank) Header() http.Header         { return b.h }
func (b blank) Write(p []byte) (int, error) { return len(p), nil }
func (b blank) WriteHeader(int)             {}

func BenchmarkPostMessage(b *testing.B) {
	post := poster(b)
	b.ReportAllocs()
	for b.Loop() {
		post()
	}
}

// poster returns what posts one message.
func poster(tb testing.TB) func() {
	g := newRig(tb, func(_ *Config, d *Deps) { d.Acceptor = taker{message.NewMint(0)} })
	body := simple("q")
	r := httptest.NewRequest("POST", "/api/messages", nil)
	r.Header.Set("X-API-Key", acmeKey)
	r.Header.Set("Content-Type", "application/json")
	return func() {
		r.Body = readCloser{strings.NewReader(body)}
		g.server.ServeHTTP(blank{http.Header{}}, r)
	}
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

func BenchmarkPollOfAThousand(b *testing.B) {
	g := newRig(b)
	for range 1000 {
		g.post(simple("q"))
	}
	r := httptest.NewRequest("GET", "/api/messages", nil)
	r.Header.Set("X-API-Key", acmeKey)
	r.Header.Set("SMSc", "q")
	b.ReportAllocs()
	for b.Loop() {
		g.server.ServeHTTP(blank{http.Header{}}, r)
	}
}
