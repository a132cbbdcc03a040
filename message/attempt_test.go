package message

import "testing"

func TestATryIsReadAsItWasWritten(t *testing.T) {
	for _, want := range []Try{
		{Round: 1, Number: 1},
		{Round: 3, Number: 7, Route: 12},
		{Round: 1, Number: 2, Route: 1, From: "NEWS", To: "07700900123"},
		{Round: 1, Number: 1, To: "0044"},
	} {
		if got := ParseTry(want.Text()); got != want {
			t.Errorf("%q is read as %+v, want %+v", want.Text(), got, want)
		}
	}
	s := State{Trace: []Step{{Kind: "attempt", Text: "round 1, try 1, route 4"}, {Kind: "outcome"}}}
	if try, ok := s.LastTry(); !ok || try.Route != 4 {
		t.Errorf("%+v", try)
	}
}
