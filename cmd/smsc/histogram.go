package main

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// histogram counts durations in microseconds in buckets that are never wider
// than a 32nd of their value, so that a percentile is right to 3 %. It takes
// 11 KiB whatever is counted and may be used by many goroutines.
type histogram struct {
	buckets [histogramBuckets]atomic.Int64
	longest atomic.Int64
}

const (
	histogramFine    = 5 // bits of a bucket's place within its power of two
	histogramBuckets = (40 - histogramFine) << histogramFine
)

// bucketOf returns the bucket of v microseconds: below 64 each has its own,
// above 32 share a power of two.
func bucketOf(v int64) int {
	if v < 2<<histogramFine {
		return int(max(v, 0))
	}
	shift := bits.Len64(uint64(v)) - histogramFine - 1
	return min(shift<<histogramFine+int(v>>shift), histogramBuckets-1)
}

// upper returns the highest value of a bucket.
func upper(b int) int64 {
	if b < 2<<histogramFine {
		return int64(b)
	}
	shift := b>>histogramFine - 1
	place := b&(1<<histogramFine-1) | 1<<histogramFine
	return int64(place+1)<<shift - 1
}

func (h *histogram) add(d time.Duration) {
	v := d.Microseconds()
	h.buckets[bucketOf(v)].Add(1)
	for {
		old := h.longest.Load()
		if v <= old || h.longest.CompareAndSwap(old, v) {
			return
		}
	}
}

// percentile returns the duration that p (0 to 1) of what was counted did not
// exceed; 0 if nothing was.
func (h *histogram) percentile(p float64) time.Duration {
	var total int64
	for i := range h.buckets {
		total += h.buckets[i].Load()
	}
	if total == 0 {
		return 0
	}
	rank := max(int64(p*float64(total)+0.999999), 1)
	for i := range h.buckets {
		if rank -= h.buckets[i].Load(); rank <= 0 {
			return time.Duration(min(upper(i), h.longest.Load())) * time.Microsecond
		}
	}
	return h.max()
}

// max returns the longest of what was counted.
func (h *histogram) max() time.Duration {
	return time.Duration(h.longest.Load()) * time.Microsecond
}

// copy returns what was counted until now.
func (h *histogram) copy() *histogram {
	c := new(histogram)
	for i := range h.buckets {
		c.buckets[i].Store(h.buckets[i].Load())
	}
	c.longest.Store(h.longest.Load())
	return c
}

// since returns what was counted after before, an earlier copy of h; its
// longest is that of all.
func (h *histogram) since(before *histogram) *histogram {
	d := h.copy()
	for i := range d.buckets {
		d.buckets[i].Add(-before.buckets[i].Load())
	}
	return d
}
