package smpp

import (
	"sync"
	"time"

	"smsc/message"
)

// Limits of the memory of concatenation references.
const (
	referenceLife = 10 * time.Minute // not reused for a pair within it (spec smpp §13)
	maxReferences = 1 << 14          // pairs; half is forgotten beyond
)

// references gives long messages their concatenation references. A message
// keeps its own over all tries, also over a restart: it comes from the id,
// and is moved on only where the pair used it for another message lately.
type references struct {
	mu   sync.Mutex
	used map[string][]reference
}

type reference struct {
	value uint8
	id    message.ID
	at    time.Time
}

// of returns the reference of a message.
func (r *references) of(m *message.Message, now time.Time) uint16 {
	key := m.From.Value + "\x00" + m.To.Value
	r.mu.Lock()
	defer r.mu.Unlock()
	var busy [256]bool
	kept := r.used[key][:0]
	for _, u := range r.used[key] {
		if u.id == m.ID {
			return uint16(u.value)
		}
		if now.Sub(u.at) < referenceLife {
			kept = append(kept, u)
			busy[u.value] = true
		}
	}
	value := fold(m.ID)
	for i := 0; busy[value] && i < len(busy); i++ {
		value++
	}
	if len(kept) >= len(busy) {
		kept = kept[1:]
	}
	r.room(now)
	r.used[key] = append(kept, reference{value, m.ID, now})
	return uint16(value)
}

// room keeps the memory bounded. mu is held.
func (r *references) room(now time.Time) {
	if r.used == nil {
		r.used = make(map[string][]reference)
	}
	if len(r.used) < maxReferences {
		return
	}
	for key, us := range r.used {
		if now.Sub(us[len(us)-1].at) >= referenceLife || len(r.used) > maxReferences/2 {
			delete(r.used, key)
		}
	}
}

// fold makes one octet of an id, so that neighbours differ.
func fold(id message.ID) uint8 {
	x := uint64(id) * 0x9E3779B97F4A7C15
	return uint8(x >> 56)
}
