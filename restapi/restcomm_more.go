package restapi

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"smsc/message"
	"smsc/tenant"
)

// clientsLink is the link in which the Clients of an account live.
func clientsLink(account string) string { return "clients-" + account }

const clientKind = "rest.client" // what a Client is called

// rcClientRecord is a user that registers, in the words of this API
// (spec rest §4.6). A password is never returned.
func (c *call) rcClientRecord(login string) record {
	sid := hashSID("CL", login)
	profile := &row{Inserted: c.s.started, Updated: c.s.started}
	if value, ok, err := c.s.deps.Shelf.Get(c.r.Context(), clientKind, sid); err == nil && ok {
		if r, err := readRow(value); err == nil {
			profile = r
		}
	}
	return withVoice(record{{"sid", sid}, {"date_created", restcommTime(profile.Inserted)}, {"date_updated", restcommTime(profile.Updated)},
		{"account_sid", c.foreign.account.SID}, {"api_version", apiVersion}, {"friendly_name", or(profile.text("friendly_name"), login)}, {"login", login},
		{"password", nil}, {"password_algorithm", nil}, {"status", or(profile.text("status"), "1")}, {"latest_appearance", c.appearance(login)},
		{"uri", c.accountURI() + "/Clients/" + sid + ".json"}}, profile.Fields)
}

// appearance is when a user was last heard, "offline" if never.
func (c *call) appearance(login string) string {
	if c.s.deps.Seen != nil {
		if at := c.s.deps.Seen(login); !at.IsZero() {
			return at.UTC().Format(restcommDay)
		}
	}
	return "offline"
}

// rcUsers returns the users of the URL's account.
func (c *call) rcUsers() []tenant.User {
	var users []tenant.User
	for _, l := range c.dir.Links() {
		if l.Account == c.foreign.account.Name && l.SIPUsers != nil {
			users = append(users, l.SIPUsers.Users...)
		}
	}
	return users
}

func (c *call) rcClients(string) error {
	var rows []record
	for _, u := range c.rcUsers() {
		rows = append(rows, c.rcClientRecord(u.AOR))
	}
	return c.sendList("Clients", "Client", rows)
}

func (c *call) rcFindClient(sid string) (tenant.User, error) {
	users := c.rcUsers()
	i := slices.IndexFunc(users, func(u tenant.User) bool { return hashSID("CL", u.AOR) == sid })
	if i < 0 {
		return tenant.User{}, refuse("not_found", "no such client")
	}
	return users[i], nil
}

func (c *call) rcClient(sid string) error {
	u, err := c.rcFindClient(sid)
	if err != nil {
		return err
	}
	return c.sendRecord(http.StatusOK, "Client", c.rcClientRecord(u.AOR))
}

func (c *call) rcPresence(sid string) error {
	u, err := c.rcFindClient(sid)
	if err != nil {
		return err
	}
	return c.sendRecord(http.StatusOK, "Client", record{{"latest_appearance", c.appearance(u.AOR)}})
}

// rcPostClient answers POST /Clients. The link of the account's Clients is
// made with the first one.
func (c *call) rcPostClient(string) error {
	login, password := c.given("Login"), c.given("Password")
	switch {
	case login == "":
		return &problem{code: "invalid", detail: "Login can not be null."}
	case len(password) < 6:
		return &problem{code: "invalid", detail: "Password must be at least 6 characters"}
	}
	if _, err := c.voiceGiven(); err != nil {
		return err
	}
	if slices.ContainsFunc(c.rcUsers(), func(u tenant.User) bool { return u.AOR == login }) {
		return c.sendRecord(http.StatusOK, "Client", c.rcClientRecord(login))
	}
	account := c.foreign.account.Name
	_, err := c.change(func(doc *tenant.Document) error {
		at := -1
		for i := range doc.Links {
			l := &doc.Links[i]
			if l.SIPUsers != nil && slices.ContainsFunc(l.SIPUsers.Users, func(u tenant.User) bool { return u.AOR == login }) {
				return refuse("name_taken", "the login is taken")
			}
			if l.Name == clientsLink(account) && l.SIPUsers != nil {
				at = i
			}
		}
		if at < 0 {
			l := tenant.NewLink(tenant.KindSIPUsers)
			l.Name, l.Account = clientsLink(account), account
			doc.Links = append(doc.Links, l)
			at = len(doc.Links) - 1
		}
		u := doc.Links[at].SIPUsers
		u.Users = append(u.Users, tenant.User{AOR: login, Password: password})
		return nil
	})
	if err != nil {
		return err
	}
	return c.storeClient(login)
}

// storeClient notes what a Client is called, and answers with it.
func (c *call) storeClient(login string) error {
	fields, err := c.voiceGiven()
	if err != nil {
		return err
	}
	if fields == nil {
		fields = map[string]any{}
	}
	for name, field := range map[string]string{"FriendlyName": "friendly_name", "Status": "status"} {
		if s := c.given(name); s != "" {
			fields[field] = s
		}
	}
	if _, err := c.keep(clientKind, hashSID("CL", login), c.foreign.account.Name, setting(fields)); err != nil {
		return err
	}
	return c.sendRecord(http.StatusOK, "Client", c.rcClientRecord(login))
}

// editUser changes or (edit returns false) takes away one user.
func (c *call) editUser(login string, edit func(*tenant.User) bool) error {
	_, err := c.change(func(doc *tenant.Document) error {
		for i := range doc.Links {
			l := &doc.Links[i]
			if l.Account != c.foreign.account.Name || l.SIPUsers == nil {
				continue
			}
			l.SIPUsers.Users = slices.DeleteFunc(l.SIPUsers.Users, func(u tenant.User) bool { return u.AOR == login && !edit(&u) })
			for k := range l.SIPUsers.Users {
				if l.SIPUsers.Users[k].AOR == login {
					edit(&l.SIPUsers.Users[k])
				}
			}
		}
		return nil
	})
	return err
}

func (c *call) rcPutClient(sid string) error {
	u, err := c.rcFindClient(sid)
	if err != nil {
		return err
	}
	if password := c.given("Password"); password != "" {
		if len(password) < 6 {
			return &problem{code: "invalid", detail: "Password must be at least 6 characters"}
		}
		if err := c.editUser(u.AOR, func(u *tenant.User) bool { u.Password = password; return true }); err != nil {
			return err
		}
	}
	return c.storeClient(u.AOR)
}

func (c *call) rcDropClient(sid string) error {
	u, err := c.rcFindClient(sid)
	if err != nil {
		return err
	}
	if err := c.editUser(u.AOR, func(*tenant.User) bool { return false }); err != nil {
		return err
	}
	if err := c.drop(clientKind, sid); err != nil {
		return err
	}
	c.send(http.StatusOK, "", nil)
	return nil
}

// Notifications are written when a URL of an account fails or answers
// nonsense (spec rest §4.7).
const (
	notificationKind = "rest.notification"
	notificationLife = 7 * 24 * time.Hour
)

// notify writes one. A failure to do so is only logged: the message matters.
func (s *Server) notify(account string, code int, text, address string, r answered) {
	n := &row{Account: account, Inserted: time.Now().UTC(), Fields: map[string]any{
		"sid": "NO" + newSecret(), "error_code": strconv.Itoa(code), "message_text": text, "request_url": redactURL(address),
		"request_method": r.method, "request_variables": firstOf(r.variables), "response_headers": firstOf(r.headers), "response_body": firstOf(string(r.body)),
	}}
	value, err := jsonText(n)
	if err == nil {
		ctx, cancel := s.shelfTime()
		defer cancel()
		key := account + "\x00" + n.Inserted.Format("20060102150405.000000000")
		err = s.deps.Shelf.Set(ctx, notificationKind, key, value, n.Inserted.Add(notificationLife))
	}
	if err == nil {
		err = s.dropNotifications(account)
	}
	if err != nil {
		s.log.Warn().Err(err).Str("account", account).Msg("a notification cannot be kept")
	}
}

// firstOf is the first 4 KiB of what went over the wire.
func firstOf(s string) string { return strings.ToValidUTF8(s[:min(len(s), 4<<10)], "?") }

const (
	maxNotifications = 1000 // of one account
	notifiedRest     = 64   // that may come before the oldest are dropped
)

// dropNotifications takes the oldest of an account away, now and then: a URL
// that fails may be asked for days.
func (s *Server) dropNotifications(account string) error {
	if s.notified.Add(1)%notifiedRest != 0 {
		return nil
	}
	ctx, cancel := s.shelfTime()
	defer cancel()
	var keys []string
	err := s.deps.Shelf.Each(ctx, notificationKind, func(key string, _ []byte) bool {
		if strings.HasPrefix(key, account+"\x00") {
			keys = append(keys, key)
		}
		return true
	})
	for len(keys) > maxNotifications && err == nil {
		err = s.deps.Shelf.Delete(ctx, notificationKind, keys[0])
		keys = keys[1:]
	}
	return err
}

func (c *call) rcNotificationRecord(r *row) record {
	at := restcommTime(r.Inserted)
	level := 0
	if code := r.text("error_code"); code == strconv.Itoa(verbSkipped) {
		level = 1
	}
	code, _ := strconv.Atoi(r.text("error_code")) // as it was written
	sid := r.text("sid")
	return record{{"sid", sid}, {"date_created", at}, {"date_updated", at}, {"account_sid", c.s.sidOf(r.Account)}, {"call_sid", nil}, {"api_version", apiVersion},
		{"log", level}, {"error_code", code}, {"more_info", "/api/problems/" + r.text("error_code")}, {"message_text", r.text("message_text")}, {"message_date", at},
		{"request_url", r.text("request_url")}, {"request_method", or(r.text("request_method"), http.MethodPost)}, {"request_variables", orNull(r.text("request_variables"))}, {"response_headers", orNull(r.text("response_headers"))},
		{"response_body", orNull(r.text("response_body"))}, {"uri", c.accountURI() + "/Notifications/" + sid + ".json"}}
}

// notifications returns those of the URL's account, newest first, at most
// 1,000.
func (c *call) notifications() ([]*row, error) {
	var rows []*row
	prefix := c.foreign.account.Name + "\x00"
	err := c.s.deps.Shelf.Each(c.r.Context(), notificationKind, func(key string, value []byte) bool {
		if strings.HasPrefix(key, prefix) {
			if r, err := readRow(value); err == nil {
				rows = append(rows, r)
			}
		}
		return true
	})
	slices.Reverse(rows)
	return rows[:min(len(rows), maxNotifications)], err
}

func (c *call) rcNotifications(string) error {
	p, err := c.readPage()
	if err != nil {
		return err
	}
	keep, err := c.rcFilter()
	if err != nil {
		return err
	}
	all, err := c.notifications()
	if err != nil {
		return err
	}
	var rows []record
	for _, r := range all {
		at := message.Record{Message: &message.Message{Accepted: r.Inserted}}
		if code := c.query.Get("ErrorCode"); code != "" && code != r.text("error_code") || !keep(at) ||
			!strings.Contains(r.text("request_url"), c.query.Get("RequestUrl")) || !strings.Contains(r.text("message_text"), c.query.Get("MessageText")) {
			continue
		}
		rows = append(rows, c.rcNotificationRecord(r))
	}
	p.total = len(rows)
	from := min(p.number*p.size, len(rows))
	return c.sendPage("notifications", "Notifications", "Notification", p, rows[from:min(from+p.size, len(rows))])
}

func (c *call) rcNotification(sid string) error {
	all, err := c.notifications()
	if err != nil {
		return err
	}
	for _, r := range all {
		if r.text("sid") == sid {
			return c.sendRecord(http.StatusOK, "Notification", c.rcNotificationRecord(r))
		}
	}
	return refuse("not_found", "no such notification")
}

// statusForm is what a StatusCallback is posted (spec rest §4.3).
func (s *Server) statusForm(ctx context.Context, m *message.Message) map[string][]string {
	a := m.About
	r := message.Record{Message: &message.Message{}, State: message.State{Phase: a.Phase, Failure: a.Cause}}
	text := a.Excerpt
	if found, err := s.deps.Ledger.Find(ctx, nil, a.ID); err == nil {
		r, text = found, found.Message.Body.Text
		r.State.Phase, r.State.Failure = a.Phase, a.Cause
	}
	sid, status := string(s.sids.append(nil, a.ID)), rcStatus(r, false)
	form := map[string][]string{"MessageSid": {sid}, "SmsSid": {sid}, "MessageStatus": {status}, "SmsStatus": {status}, "AccountSid": {s.sidOf(m.Account)},
		"From": {m.To.Shown()}, "To": {m.From.Shown()}, "Body": {text}, "ApiVersion": {apiVersion}}
	if code, what := s.rcFailure(r); code != nil {
		number, _ := code.(int)
		word, _ := what.(string)
		form["ErrorCode"], form["ErrorMessage"] = []string{strconv.Itoa(number)}, []string{word}
	}
	return form
}
