package routing

import (
	"strings"
	"time"

	"smsc/message"
)

// Facts is what a plan hangs on beside the table: what is true just now. The
// zero Facts knows nobody and no time.
type Facts struct {
	// Registered tells whether value, a name or a number, is a user with a
	// registration, and the link it is reached by.
	Registered func(value string) (link string, ok bool)
	// Located returns the link that a location row gives for a number.
	Located func(number string) (link string, ok bool)
	// Node returns the node that serves a number, where an access told it; ""
	// where none did.
	Node func(number string) string
	// Now decides which routes are valid; zero: all of them.
	Now time.Time
}

// User is a declared user of a link of kind sip-users.
type User struct {
	Name   string // letter case does not matter
	Number string // "" if it has none
	Link   string
}

// users finds the link of a declared user by its name, then by its number.
type users struct{ names, numbers map[string]string }

func newUsers(list []User) users {
	u := users{make(map[string]string, len(list)), make(map[string]string)}
	for _, user := range list {
		u.names[strings.ToLower(user.Name)] = user.Link
		if user.Number == "" {
			continue
		}
		if key := Key(user.Number); u.numbers[key] == "" {
			u.numbers[key] = user.Link
		}
	}
	return u
}

func (u *users) link(value string) string {
	if len(u.names) == 0 {
		return ""
	}
	if l := u.names[strings.ToLower(value)]; l != "" {
		return l
	}
	return u.numbers[Key(value)]
}

// lookup asks a fact about an address; nobody knows where there is none.
func lookup(f func(string) (string, bool), a message.Address) (link string, ok bool) {
	if f == nil {
		return "", false
	}
	return f(a.Value)
}

// given returns the facts that a caller may have handed in.
func given(facts []Facts) Facts {
	if len(facts) == 0 {
		return Facts{}
	}
	return facts[0]
}

// Window is when a route is there; a zero end is open.
type Window struct {
	From time.Time `yaml:"from,omitempty"`
	To   time.Time `yaml:"to,omitempty"`
}

// holds tells whether now lies in the window. Without a time every one holds.
func (w *Window) holds(now time.Time) bool {
	return now.IsZero() || (w.From.IsZero() || !now.Before(w.From)) && (w.To.IsZero() || now.Before(w.To))
}
