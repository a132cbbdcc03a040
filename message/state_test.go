package message

import (
	"testing"
	"time"
)

func TestEachStatusNamesItsPhase(t *testing.T) {
	m := &Message{Accepted: time.Unix(1, 0)}
	later := &Message{Accepted: time.Unix(1, 0), NotBefore: time.Unix(2, 0)}
	for p := Waiting; p <= Dropped; p++ {
		for _, r := range []Record{{m, State{Phase: p}}, {m, State{Phase: p, Rounds: 1}}, {later, State{Phase: p}}} {
			if got, ok := PhaseOf(r.Status()); !ok || got != p {
				t.Errorf("%s is a status of %v, want %v", r.Status(), got, p)
			}
		}
	}
	if _, ok := PhaseOf("nowhere"); ok {
		t.Error("a word that is no status has a phase")
	}
}
