package store

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"time"

	"smsc/message"
)

// The keys. Numbers are big endian, so that order of octets is order of
// numbers. Every name but the last part of a key has its length before it
// (uvarint), so that no name can reach into another's range.
//
//	m <id>                     header, first State, Message       written once, and by Edit
//	s <id>                     header, State                      once it differs from the first
//	d <slot> <id>              account, class                     one for each message without an end
//	k <key> <id>               end of the lease, or nothing parked: waits for an event
//	r <link> <remote> <id>     nothing                            the peer's ids of the segments
//	u <account> <link> <ref>   id, lapse                    repeats get the first answer
//	t <account> <id>           nothing                            the ledger of one account
//	a <alias> <id>             nothing                            further ids of a message
//	e <minute> <id>            nothing, or a u key                what retention removes, and when
//	j <id> <n>                 nothing, or the record             no CDR line yet for end number n
//	j <id> <n> <try>           the record                         no CDR line yet for an attempt
//	b <account>                the balance                  in micro-units
//	g <account> <time> <n>     what was booked by hand
//	c <id>                     nothing                      a charging server is still to be asked
//	f <kind> <key>             lapse, octets                the shelf
//	i                          the highest id that retention removed
//	v                          version of the format
//
// A moment is in nanoseconds of Unix time. A slot is one: never later than
// State.Due; the d key of a message that is being tried stays where it was,
// and only a restart meets it there.
const (
	keyMessage = 'm'
	keyState   = 's'
	keyDue     = 'd'
	keyParked  = 'k'
	keyRemote  = 'r'
	keyRef     = 'u'
	keyAccount = 't'
	keyAlias   = 'a'
	keyEnded   = 'e'
	keyMark    = 'j'
	keyBalance = 'b'
	keyEntry   = 'g'
	keyCharge  = 'c'
	keyShelf   = 'f'
	keyLastID  = 'i'
	keyVersion = 'v'
)

// longName is the length from which a part that a stranger chose is kept as
// its digest: keys stay small whatever comes in.
const longName = 120

func appendID(dst []byte, id message.ID) []byte {
	return binary.BigEndian.AppendUint64(dst, uint64(id))
}

// tailID reads the id that ends a key.
func tailID(key []byte) message.ID {
	if len(key) < 8 {
		return 0
	}
	return message.ID(binary.BigEndian.Uint64(key[len(key)-8:]))
}

func appendName(dst []byte, name string) []byte {
	if len(name) > longName {
		sum := sha256.Sum256([]byte(name))
		// One more than the longest plain name: no plain name looks like it.
		dst = binary.AppendUvarint(dst, longName+1)
		return append(dst, sum[:]...)
	}
	dst = binary.AppendUvarint(dst, uint64(len(name)))
	return append(dst, name...)
}

func messageKey(dst []byte, id message.ID) []byte { return appendID(append(dst, keyMessage), id) }
func stateKey(dst []byte, id message.ID) []byte   { return appendID(append(dst, keyState), id) }

func dueKey(dst []byte, slot int64, id message.ID) []byte {
	dst = binary.BigEndian.AppendUint64(append(dst, keyDue), uint64(slot))
	return appendID(dst, id)
}

// splitDue reads a due key; ok is false for any other.
func splitDue(key []byte) (slot int64, id message.ID, ok bool) {
	if len(key) != 17 || key[0] != keyDue {
		return 0, 0, false
	}
	return int64(binary.BigEndian.Uint64(key[1:])), tailID(key), true
}

func parkedPrefix(dst []byte, key string) []byte { return appendName(append(dst, keyParked), key) }

func remotePrefix(dst []byte, link, remote string) []byte {
	return appendName(appendName(append(dst, keyRemote), link), message.CanonicalRemote(remote))
}

func refKey(dst []byte, account, link, ref string) []byte {
	return appendName(appendName(appendName(append(dst, keyRef), account), link), ref)
}

func accountPrefix(dst []byte, account string) []byte {
	return appendName(append(dst, keyAccount), account)
}

func aliasPrefix(dst []byte, alias message.ID) []byte { return appendID(append(dst, keyAlias), alias) }

func endedKey(dst []byte, minute int64, id message.ID) []byte {
	return appendID(binary.BigEndian.AppendUint64(append(dst, keyEnded), uint64(minute)), id)
}

func markKey(dst []byte, id message.ID, n uint16) []byte {
	return binary.BigEndian.AppendUint16(appendID(append(dst, keyMark), id), n)
}

// refusal stands for n in the mark of what was refused at the door.
const refusal = math.MaxUint16

// key returns the key of m.
func (m mark) key(dst []byte) []byte {
	if dst = markKey(dst, m.id, m.n); m.try > 0 {
		dst = binary.BigEndian.AppendUint16(dst, m.try)
	}
	return dst
}

func splitMark(key []byte) (m mark, ok bool) {
	if len(key) != 11 && len(key) != 13 || key[0] != keyMark {
		return mark{}, false
	}
	m = mark{id: tailID(key[:9]), n: binary.BigEndian.Uint16(key[9:])}
	if len(key) == 13 {
		m.try = binary.BigEndian.Uint16(key[11:])
	}
	return m, true
}

func balanceKey(dst []byte, account string) []byte {
	return appendName(append(dst, keyBalance), account)
}

func entryPrefix(dst []byte, account string) []byte {
	return appendName(append(dst, keyEntry), account)
}

func chargeKey(dst []byte, id message.ID) []byte { return appendID(append(dst, keyCharge), id) }

// The shelf's own keys are listed in order, so they are never digested.
func shelfPrefix(dst []byte, kind string) []byte {
	dst = binary.AppendUvarint(append(dst, keyShelf), uint64(len(kind)))
	return append(dst, kind...)
}

func shelfKey(dst []byte, kind, key string) []byte { return append(shelfPrefix(dst, kind), key...) }

// after returns the first key that does not begin with prefix.
func after(prefix []byte) []byte {
	end := append([]byte(nil), prefix...)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}

// never is the slot of what is due at no time.
const never = math.MaxInt64

// slotOf returns t in nanoseconds of Unix time; 0 for the zero time and what
// lies before 1970.
func slotOf(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return max(nanos(t), 0)
}

// moment is the way back; zero for never.
func moment(slot int64) time.Time {
	if slot == never {
		return time.Time{}
	}
	return time.Unix(0, slot)
}

// minuteOf returns the number of the minute that t lies in, for e keys.
func minuteOf(t time.Time) int64 { return slotOf(t) / int64(time.Minute) }

// minutesFrom parts the numbers of e keys: those below are of hours, as format
// 1 had them. Hours come to it in the year 3110, minutes did in 1989.
const minutesFrom = 10_000_000
