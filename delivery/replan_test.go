package delivery

import "testing"

func TestALookBeginsAgainAndIsNeverThereTwice(t *testing.T) {
	s := scans{at: make(map[string]*scan)}
	for _, key := range []string{"link:a", everything, "link:b", "link:a"} {
		s.restart(key)
	}
	if len(s.order) != 2 || s.order[0].key != "link:a" || s.order[1].key != "link:b" {
		t.Fatalf("%d looks: %+v", len(s.order), s.order)
	}
	s.order[1].after = 7
	s.restart("link:b")
	if s.order[1].after != 0 {
		t.Error("it goes on in the middle")
	}
	s.over()
	if s.restart("link:a"); len(s.order) != 2 || s.order[1].key != "link:a" {
		t.Errorf("what is over does not begin again: %+v", s.order)
	}
}
