package message

import (
	"strconv"
	"sync"
	"time"
)

// ID names a message: positive, below 2^53 so that every JSON reader keeps
// it, growing with time, never used twice. 41 bits of milliseconds since
// [Epoch], 12 bits of counter.
type ID uint64

// Epoch is the moment of ID 0.
var Epoch = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

const counterBits = 12

// MaxID is the largest ID there can be.
const MaxID ID = 1<<53 - 1

// String returns the decimal form that every interface shows (spec smpp §9).
func (id ID) String() string { return strconv.FormatUint(uint64(id), 10) }

// Time returns the millisecond in which id was minted, or slightly later
// than that when more than 4096 were asked for in one.
func (id ID) Time() time.Time {
	return Epoch.Add(time.Duration(id>>counterBits) * time.Millisecond)
}

// IDAt returns the smallest ID of the millisecond t lies in; 0 before Epoch.
func IDAt(t time.Time) ID {
	ms := t.Sub(Epoch).Milliseconds()
	if ms < 0 {
		return 0
	}
	return min(ID(ms)<<counterBits, MaxID)
}

// ParseID reads the decimal form; leading zeros are allowed.
func ParseID(s string) (ID, bool) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || n == 0 || ID(n) > MaxID {
		return 0, false
	}
	return ID(n), true
}

// Mint gives out IDs. When the counter of a millisecond is used up, or the
// clock steps back, the time of the IDs runs ahead of the clock.
type Mint struct {
	mu   sync.Mutex
	last ID
}

// NewMint returns a Mint whose first ID is above last: the highest ID ever
// seen by the store.
func NewMint(last ID) *Mint { return &Mint{last: last} }

// Next returns a new ID for the moment now.
func (m *Mint) Next(now time.Time) ID {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last = max(m.last+1, IDAt(now))
	return m.last
}
