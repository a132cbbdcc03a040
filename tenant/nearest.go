package tenant

import (
	"fmt"
	"slices"
	"strings"
)

// strayKey says that a key is unknown, and which known one is meant.
func strayKey(key string, known []string) string {
	if near := nearest(key, known); near != "" {
		return fmt.Sprintf("unknown key, did you mean %s?", near)
	}
	return "unknown key; known are " + strings.Join(known, ", ")
}

// nearest returns the word that key was probably meant to be, "" if none is
// near.
func nearest(key string, words []string) string {
	best, least := "", max(len(key)/3, 1)+1
	for _, w := range words {
		if dist := distance(strings.ToLower(key), w); dist < least {
			best, least = w, dist
		}
	}
	return best
}

// distance counts the letters to add, remove, change or swap to make b of a.
func distance(a, b string) int {
	if len(a) > 64 {
		return len(a)
	}
	before, last, row := []int{}, make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := last[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(last[j]+1, row[j-1]+1, change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, slices.Clone(last)
	}
	return last[len(b)]
}
