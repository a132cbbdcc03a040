package delivery

import "smsc/message"

// parked is what a lane knows of its messages on disk (key link:<name>). It
// is kept under the lane's lock.
type parked struct {
	any    bool       // there may be some beyond those in memory
	cursor message.ID // those up to here were looked at
	low    message.ID // the lowest parked since the last look began
	seq    uint64     // counts them
	// last holds, for each account that has parked messages beyond the
	// cursor, the highest of them. It has one entry an account at most.
	last map[string]message.ID
}

// forget makes the lane look through all that is parked: after a start
// nobody knows what is there.
func (p *parked) forget() {
	p.any, p.cursor, p.low = true, 0, message.MaxID+1
}

// note records that a message is parked now.
func (p *parked) note(account string, id message.ID) {
	p.any = true
	p.seq++
	p.low = min(p.low, id)
	p.turnAway(account, id)
}

// turnAway records that a message is about to be parked: those of its account
// that come after it shall not overtake it.
func (p *parked) turnAway(account string, id message.ID) {
	if p.last == nil {
		p.last = make(map[string]message.ID)
	}
	p.last[account] = max(p.last[account], id)
}

// holds tells whether messages of account wait on disk for their turn.
func (p *parked) holds(account string) bool { return p.last[account] > p.reached() }

// reached is the id up to which nothing is on disk that is not in memory too.
func (p *parked) reached() message.ID { return min(p.cursor, p.low-1) }

// begin returns where to look from.
func (p *parked) begin() message.ID {
	p.cursor = p.reached()
	p.low = message.MaxID + 1
	return p.cursor
}

// looked records that the lane has looked at all up to cursor; end tells
// that there was nothing behind, seq what it was when the look began.
func (p *parked) looked(cursor message.ID, end bool, seq uint64) {
	p.cursor = cursor
	if !end || seq != p.seq {
		return
	}
	p.any = false
	for account, id := range p.last {
		if id <= p.reached() {
			delete(p.last, account)
		}
	}
}

// wants returns how many parked messages the lane has room for: 0 while
// it is more than half full.
func (l *lane) wants() (n int, after message.ID, seq uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n = l.space(); n == 0 {
		return 0, 0, 0
	}
	return n, l.parked.begin(), l.parked.seq
}

// hungry tells whether wants would return any.
func (l *lane) hungry() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.space() > 0
}

func (l *lane) space() int {
	n := l.room - l.waiting.n - l.blocked
	if !l.up || l.gone || !l.parked.any || n < l.room/2 {
		return 0
	}
	return n
}

// looked tells the lane what wants has led to.
func (l *lane) looked(cursor message.ID, end bool, seq uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.parked.looked(cursor, end, seq)
}

func (l *lane) noteParked(account string, id message.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.parked.note(account, id)
}
