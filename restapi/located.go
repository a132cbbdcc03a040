package restapi

import (
	"strings"
	"time"

	"smsc/message"
	"smsc/tenant"
)

// wakeFor makes what waits for a subscriber due, where a row says that he is
// back: a location, or alert_sc (TS 29.002 §12.5).
func (c *call) wakeFor(s *sheet, r *row) {
	if s.kind == locationKind || s.kind == ss7Kind && r.text("event_name") == "alert_sc" {
		c.wake(r.text("msisdn"))
	}
}

func (c *call) wake(msisdn string) int {
	if msisdn == "" || c.s.deps.Awake == nil {
		return 0
	}
	to := c.normalised(&message.Message{Account: c.id.Account, From: addressOf("0", 0, 0, false), To: addressOf(msisdn, 0, 0, false)}).To
	return c.s.deps.Awake(c.r.Context(), "number:"+to.Value)
}

// wakeSubscriber answers POST /api/locations/wake.
func (c *call) wakeSubscriber() error {
	body, err := c.objectBody()
	if err != nil {
		return err
	}
	msisdn, _ := body["msisdn"].(string)
	if msisdn == "" {
		return invalid("body.msisdn", "is required")
	}
	return c.encode(wakeReply{Woken: c.wake(msisdn)})
}

type wakeDoc struct {
	MSISDN string `json:"msisdn"`
}

type wakeReply struct {
	Woken int `json:"woken"`
}

// location words that a number may be looked up by are brought to digits.
func (s *Server) located(account, number string) (string, bool) {
	r := s.locatedRow(account, number)
	if r == nil {
		return "", false
	}
	return r.text("location"), true
}

// locatedRow returns the row of a number that has not expired, nil if there
// is none.
func (s *Server) locatedRow(account, number string) *row {
	sh := s.sheets["locations"]
	sh.mu.Lock()
	id := sh.keys[account+"\x00"+strings.TrimPrefix(number, "+")]
	sh.mu.Unlock()
	if id == 0 {
		return nil
	}
	ctx, cancel := s.shelfTime()
	defer cancel()
	r, err := sh.get(ctx, s.deps.Shelf, id)
	if err != nil || r == nil || !r.at("expires").IsZero() && !r.at("expires").After(time.Now()) {
		return nil
	}
	return r
}

// Located tells where a number is by the word of those whom routing believes:
// the operator, or the account that hosts the number (spec routing §2).
func (s *Server) Located(number string) (link string, ok bool) {
	if link, ok = s.located(tenant.Operator, number); ok {
		return link, true
	}
	if n := s.deps.Directory().Number(number); n != nil {
		return s.located(n.Account, number)
	}
	return "", false
}

// ServingNode returns the node that serves a number by the word of those whom
// routing believes, "" where they named none.
func (s *Server) ServingNode(number string) string {
	accounts := []string{tenant.Operator}
	if n := s.deps.Directory().Number(number); n != nil {
		accounts = append(accounts, n.Account)
	}
	for _, account := range accounts {
		if r := s.locatedRow(account, number); r != nil {
			return r.text("serving_node")
		}
	}
	return ""
}
