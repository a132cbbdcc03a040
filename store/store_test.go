package store

import (
	"testing"

	"github.com/rs/zerolog"

	"smsc/delivery"
	"smsc/delivery/queuetest"
	"smsc/message"
)

var (
	_ delivery.Queue = (*Store)(nil)
	_ delivery.Shelf = (*Store)(nil)
	_ message.Ledger = (*Store)(nil).Ledger()
)

func testLog(t testing.TB) zerolog.Logger {
	return zerolog.New(zerolog.NewTestWriter(t)).Level(zerolog.WarnLevel)
}

func open(t testing.TB, cfg Config) *Store {
	t.Helper()
	s, err := Open(cfg, testLog(t), nil)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestConformanceInMemory(t *testing.T) {
	queuetest.Run(t, func(t *testing.T) queuetest.Harness {
		s := open(t, Config{Dir: Memory})
		return queuetest.Harness{Store: s, Ledger: s.Ledger()}
	})
}

// A ring of two makes nearly everything go by the index.
func TestConformanceOnDisk(t *testing.T) {
	for name, ring := range map[string]int{"ring": 0, "index": 2} {
		t.Run(name, func(t *testing.T) {
			queuetest.Run(t, func(t *testing.T) queuetest.Harness {
				return onDisk(t, Config{Dir: t.TempDir(), Ring: ring})
			})
		})
	}
}

func onDisk(t *testing.T, cfg Config) queuetest.Harness {
	s := open(t, cfg)
	return queuetest.Harness{Store: s, Ledger: s.Ledger(), Reopen: func(t *testing.T) queuetest.Harness {
		if err := s.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
		return onDisk(t, cfg)
	}}
}
