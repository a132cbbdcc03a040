package delivery

import "smsc/message"

// A message that met silence again and again is tried after the others of its
// recipient: each of its tries keeps them waiting for as long as an answer is
// awaited (spec ims §4.2).

// stubbornAfter is how many tries without a word make a message one of these.
const stubbornAfter = 3

func stubborn(it *item) bool {
	s := &it.rec.State
	return s.Attempts >= stubbornAfter && s.Failure == message.Timeout
}

// yields tells whether a message lets those pass that wait behind it. It does
// so once, so that it has its turn. mu is held.
func (l *lane) yields(it *item) bool {
	if !l.cfg.Onward || it.yielded || l.waiting.n == 0 || !stubborn(it) {
		return false
	}
	it.yielded = true
	return true
}

// unshiftRow puts those back who stood behind one recipient, in their order,
// the stubborn ones last. mu is held.
func (l *lane) unshiftRow(row []*item) {
	for _, last := range []bool{true, false} {
		for i := len(row) - 1; i >= 0; i-- {
			if last == (l.cfg.Onward && stubborn(row[i])) {
				l.waiting.unshift(row[i])
			}
		}
	}
}
