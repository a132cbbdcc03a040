package intake

import (
	"fmt"
	"testing"
)

func TestAThousandLinksHaveSeriesOfTheirOwn(t *testing.T) {
	var n names
	for range 2 {
		for i := range maxLinks + 50 {
			name := fmt.Sprintf("link%d", i)
			want := name
			if i >= maxLinks {
				want = otherLink
			}
			if got := n.of(name); got != want {
				t.Fatalf("%s is counted as %s, want %s", name, got, want)
			}
		}
	}
}
