package tenant

import (
	"strings"

	"smsc/routing"
)

// users finds who registers with us, by name and by number.
type users struct {
	byName   map[string]userAt // AOR in lower case: names have no case
	byNumber map[string]userAt // by routing.Key of the msisdn
}

type userAt struct {
	link *Link
	user *User
}

// add takes in the users of a link of kind sip-users; of two with the same
// number the first one has it.
func (u *users) add(l *Link) {
	if l.SIPUsers == nil {
		return
	}
	if u.byName == nil {
		u.byName, u.byNumber = make(map[string]userAt), make(map[string]userAt)
	}
	for i := range l.SIPUsers.Users {
		user := &l.SIPUsers.Users[i]
		u.byName[strings.ToLower(user.AOR)] = userAt{l, user}
		if key := routing.Key(user.MSISDN); user.MSISDN != "" {
			if _, taken := u.byNumber[key]; !taken {
				u.byNumber[key] = userAt{l, user}
			}
		}
	}
}

// User returns the user that an address names, and the link of kind
// sip-users it registers by: the AOR is compared before the number (spec sip
// §4.1). Both are nil if there is none.
func (d *Directory) User(value string) (*Link, *User) {
	if at, ok := d.users.byName[strings.ToLower(value)]; ok {
		return at.link, at.user
	}
	if at, ok := d.users.byNumber[routing.Key(value)]; ok {
		return at.link, at.user
	}
	return nil, nil
}

// UserNamed returns the user whose AOR is aor, letter case ignored.
func (d *Directory) UserNamed(aor string) (*Link, *User) {
	at := d.users.byName[strings.ToLower(aor)]
	return at.link, at.user
}
