package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/rs/zerolog"
)

// Sizes of the database. Memtables and cache lie outside what the backlog
// can grow: they are most of the memory that the store uses.
const (
	memTableSize = 32 << 20
	cacheSize    = 64 << 20
)

// base is one life of the database: from an open to the first failed write,
// or to Close.
type base struct {
	db    *pebble.DB
	fence *fence
	// users counts the reads under way; withdrawn bases get no new ones.
	mu        sync.Mutex
	users     sync.WaitGroup
	withdrawn bool
}

// openBase opens the database behind a new fence. onTrip hears of the first
// failed write; it must not block.
func openBase(inner vfs.FS, dir string, log zerolog.Logger, onTrip func(error)) (b *base, err error) {
	b = &base{fence: newFence(inner, onTrip)}
	// A damaged file may make Pebble panic while it reads its own folder.
	defer func() {
		if r := recover(); r != nil {
			b, err = nil, fmt.Errorf("store: open %s: %v", dir, r)
		}
	}()
	cache := pebble.NewCache(cacheSize)
	defer cache.Unref()
	b.db, err = pebble.Open(dir, options(b.fence, cache, log))
	if err != nil {
		b.fence.seal(err)
		return nil, fmt.Errorf("store: open %s: %w", dir, err)
	}
	if err := b.fence.broken(); err != nil {
		b.close(err)
		return nil, fmt.Errorf("store: open %s: %w", dir, err)
	}
	return b, nil
}

func options(fs vfs.FS, cache *pebble.Cache, log zerolog.Logger) *pebble.Options {
	o := &pebble.Options{
		FS:                          fs,
		Cache:                       cache,
		Logger:                      pebbleLog{log},
		FormatMajorVersion:          pebble.FormatNewest, // the default is the oldest
		MemTableSize:                memTableSize,
		MemTableStopWritesThreshold: 4,
		L0CompactionThreshold:       8, // tables of one sort hardly overlap: later is less
		L0StopWritesThreshold:       30,
		CompactionConcurrencyRange:  func() (int, int) { return 1, 2 },
		BytesPerSync:                512 << 10,
		WALBytesPerSync:             0, // every sync is ours
		MaxOpenFiles:                512,
	}
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = yielding{bloom.FilterPolicy(10)}
	}
	o.Experimental.SpanPolicyFunc = sortsApart
	o.EventListener = &pebble.EventListener{
		BackgroundError: func(err error) { log.Error().Err(err).Msg("store: database") },
		DataCorruption: func(i pebble.DataCorruptionInfo) {
			log.Error().Str("path", i.Path).Err(i.Details).Msg("store: damaged file")
		},
	}
	return o
}

// sortsApart has tables end with their sort of keys. Within most sorts keys
// grow with time, so that new tables lie beyond the old ones and go down to
// their level as they are; one that ended in another sort would lie over all
// that is old there, and have it written again.
func sortsApart(first []byte) (policy pebble.SpanPolicy, end []byte, err error) {
	if len(first) > 0 && first[0] < 0xff {
		end = []byte{first[0] + 1}
	}
	return pebble.SpanPolicy{}, end, nil
}

// use returns the database for reading until release is called.
func (b *base) use() (db *pebble.DB, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.withdrawn {
		return nil, false
	}
	b.users.Add(1)
	return b.db, true
}

func (b *base) release() { b.users.Done() }

// close ends this life: it lets the reads under way finish, then closes the
// database. With a reason nothing more reaches the disk.
func (b *base) close(reason error) (err error) {
	b.mu.Lock()
	b.withdrawn = true
	b.mu.Unlock()
	b.users.Wait()
	if reason != nil {
		b.fence.seal(reason)
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("store: close: %v", r)
		}
	}()
	return b.db.Close()
}

// read returns a copy of the value of key, nil if there is none.
func read(db pebble.Reader, key []byte) ([]byte, error) {
	v, closer, err := db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	return append([]byte{}, v...), nil
}

// view calls f with the value of key, which is Pebble's and ends with f.
func view(db pebble.Reader, key []byte, f func(value []byte) error) (found bool, err error) {
	v, closer, err := db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer closer.Close()
	return true, f(v)
}

// each calls f for the keys that begin with prefix, from the key from on
// (nil: the first), until f returns false.
func each(db pebble.Reader, prefix, from []byte, f func(key, value []byte) (bool, error)) error {
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		return err
	}
	if from == nil {
		from = prefix
	}
	for ok := it.SeekGE(from); ok; ok = it.Next() {
		more, err := f(it.Key(), it.Value())
		if err != nil || !more {
			return errors.Join(err, it.Close())
		}
	}
	return errors.Join(it.Error(), it.Close())
}

// highestID is the largest id in use or removed.
func highestID(db *pebble.DB) (uint64, error) {
	v, err := read(db, []byte{keyLastID})
	if err != nil {
		return 0, err
	}
	var last uint64
	if len(v) == 8 {
		last = binary.BigEndian.Uint64(v)
	}
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: []byte{keyMessage}, UpperBound: []byte{keyMessage + 1}})
	if err != nil {
		return 0, err
	}
	if it.Last() {
		last = max(last, uint64(tailID(it.Key())))
	}
	return last, errors.Join(it.Error(), it.Close())
}

// pebbleLog gives Pebble's words to our log.
type pebbleLog struct{ log zerolog.Logger }

func (l pebbleLog) Infof(format string, args ...any) {
	if e := l.log.Trace(); e.Enabled() {
		e.Msgf(format, args...)
	}
}

func (l pebbleLog) Errorf(format string, args ...any) { l.log.Error().Msgf(format, args...) }

// Fatalf is called where Pebble found itself contradicted; failed writes do
// not come here (fence). Going on would risk the data: the process ends, and
// what was acknowledged is read again by the next one.
func (l pebbleLog) Fatalf(format string, args ...any) {
	l.log.Error().Msgf(format, args...)
	panic(fmt.Sprintf(format, args...))
}
