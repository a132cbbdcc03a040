package store

import (
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"time"
)

// disk watches the free space, and asks at most each second.
type disk struct {
	watched bool
	share   float64
	ask     func() (free, total uint64, err error)
	now     func() time.Time

	asked atomic.Int64 // UnixNano
	free  atomic.Uint64
	total atomic.Uint64
	full  atomic.Bool
}

var errFull = errors.New("the disk is nearly full")

func newDisk(cfg Config, watched bool) *disk {
	return &disk{watched: watched, share: cfg.MinFree, ask: cfg.FreeSpace, now: cfg.Now}
}

// room returns errFull while Put has to refuse, so that what was accepted can
// still be finished.
func (d *disk) room() error {
	if !d.watched {
		return nil
	}
	now, asked := d.now().UnixNano(), d.asked.Load()
	if now-asked >= int64(time.Second) || now < asked {
		if d.asked.CompareAndSwap(asked, now) {
			d.look()
		}
	}
	if d.full.Load() {
		return fmt.Errorf("%w: %d octets left", errFull, d.free.Load())
	}
	return nil
}

func (d *disk) look() {
	free, total, err := d.ask()
	if err != nil {
		return // what the disk cannot say now, a write will
	}
	d.free.Store(free)
	d.total.Store(total)
	floor := max(uint64(d.share*float64(total)), FreeFloor)
	d.full.Store(free < floor)
}

// left is the figure for the metric.
func (d *disk) left() float64 {
	if !d.watched {
		return math.NaN()
	}
	_ = d.room()
	return float64(d.free.Load())
}

func (s *Store) statfs() (free, total uint64, err error) {
	u, err := s.fs.GetDiskUsage(s.cfg.Dir)
	return u.AvailBytes, u.TotalBytes, err
}
