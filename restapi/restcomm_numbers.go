package restapi

import (
	"context"
	"net/http"
	"path"
	"slices"
	"strings"

	"smsc/tenant"
)

const applicationKind = "rest.application"

// rcNumberRecord is a hosted number in the words of this API (spec rest §4.4).
func (c *call) rcNumberRecord(n *tenant.Number) record {
	sid := hashSID("PN", n.Number)
	kept := c.kept(numberKind, sid)
	created, updated := c.made(numbersSection, n.Number, kept)
	return withVoice(record{{"sid", sid}, {"account_sid", c.s.sidOf(n.Account)}, {"friendly_name", or(n.FriendlyName, n.Number)}, {"phone_number", n.Number},
		{"sms_url", orNull(n.SMSURL)}, {"sms_method", or(n.SMSMethod, "POST")}, {"sms_fallback_url", orNull(n.SMSFallbackURL)},
		{"sms_fallback_method", or(n.SMSFallbackMethod, "POST")}, {"sms_application_sid", orNull(n.Application)}, {"date_created", created}, {"date_updated", updated},
		{"capabilities", record{{"voice_capable", false}, {"sms_capable", true}, {"mms_capable", false}, {"fax_capable", false}}},
		{"api_version", apiVersion}, {"uri", restcommAt + "/Accounts/" + c.s.sidOf(n.Account) + "/IncomingPhoneNumbers/" + sid + ".json"}}, kept.Fields)
}

// rcNumbers answers GET /IncomingPhoneNumbers.
func (c *call) rcNumbers(string) error {
	p, err := c.readPage()
	if err != nil {
		return err
	}
	pattern, friendly := strings.TrimPrefix(c.given("PhoneNumber"), "+"), c.given("FriendlyName")
	pattern = strings.ReplaceAll(strings.TrimPrefix(pattern, " "), "*", "?")
	var rows []record
	doc := c.dir.Document()
	for i := range doc.Numbers {
		n := &doc.Numbers[i]
		if n.Account != c.foreign.account.Name || friendly != "" && n.FriendlyName != friendly {
			continue
		}
		if ok, _ := path.Match(pattern, strings.TrimPrefix(n.Number, "+")); pattern != "" && !ok {
			continue
		}
		rows = append(rows, c.rcNumberRecord(n))
	}
	p.total = len(rows)
	from := min(p.number*p.size, len(rows))
	return c.sendPage("incomingPhoneNumbers", "IncomingPhoneNumbers", "IncomingPhoneNumber", p, rows[from:min(from+p.size, len(rows))])
}

// rcFindNumber finds a number of the URL's account by its sid.
func (c *call) rcFindNumber(sid string) (tenant.Number, error) {
	doc := c.dir.Document()
	for i := range doc.Numbers {
		if n := doc.Numbers[i]; n.Account == c.foreign.account.Name && (hashSID("PN", n.Number) == sid) {
			return n, nil
		}
	}
	return tenant.Number{}, refuse("not_found", "no such number")
}

func (c *call) rcNumber(sid string) error {
	n, err := c.rcFindNumber(sid)
	if err != nil {
		return err
	}
	return c.sendRecord(http.StatusOK, "IncomingPhoneNumber", c.rcNumberRecord(&n))
}

// rcPostNumber answers POST /IncomingPhoneNumbers: nobody but the operator
// may claim a number by typing it.
func (c *call) rcPostNumber(string) error {
	if !c.isOperator() {
		return refuse("forbidden", "only the operator hosts a new number")
	}
	number := c.given("PhoneNumber")
	if number == "" {
		return &problem{code: "invalid", detail: "PhoneNumber can not be null."}
	}
	n := tenant.Number{Number: number, Account: c.foreign.account.Name}
	c.rcFillNumber(&n)
	voice, err := c.voiceGiven()
	if err != nil {
		return err
	}
	_, err = c.change(func(doc *tenant.Document) error {
		if c.dir.Number(number) != nil {
			return &problem{code: "invalid", detail: "21452: the number is hosted already"}
		}
		doc.Numbers = append(doc.Numbers, n)
		return nil
	})
	if err != nil {
		return err
	}
	return c.sendNumber(number, voice)
}

// rcFillNumber takes the parameters that are given.
func (c *call) rcFillNumber(n *tenant.Number) {
	for name, into := range map[string]*string{"FriendlyName": &n.FriendlyName, "SmsUrl": &n.SMSURL, "SmsFallbackUrl": &n.SMSFallbackURL,
		"SmsApplicationSid": &n.Application} {
		if c.foreign.form.Has(name) {
			*into = c.given(name)
		}
	}
	for name, into := range map[string]*string{"SmsMethod": &n.SMSMethod, "SmsFallbackMethod": &n.SMSFallbackMethod} {
		if c.foreign.form.Has(name) {
			*into = strings.ToUpper(c.given(name))
		}
	}
}

// rcPutNumber answers POST and PUT of one number.
func (c *call) rcPutNumber(sid string) error {
	at, err := c.rcFindNumber(sid)
	if err != nil {
		return err
	}
	voice, err := c.voiceGiven()
	if err != nil {
		return err
	}
	owner := at.Account
	if s := c.given("AccountSid"); s != "" {
		var ok bool
		if owner, ok = c.account(s); !ok {
			return &problem{code: "invalid", detail: "AccountSid is no account within reach"}
		}
	}
	_, err = c.change(func(doc *tenant.Document) error {
		i := slices.IndexFunc(doc.Numbers, func(n tenant.Number) bool { return n.Number == at.Number })
		if i < 0 {
			return refuse("not_found", "no such number")
		}
		c.rcFillNumber(&doc.Numbers[i])
		doc.Numbers[i].Account = owner
		return nil
	})
	if err != nil {
		return err
	}
	return c.sendNumber(at.Number, voice)
}

// sendNumber stores what was said of voice, and answers with a number as it
// now is.
func (c *call) sendNumber(number string, voice map[string]any) error {
	n := c.dir.Number(number)
	if n == nil {
		return refuse("not_found", "no such number") // taken away meanwhile
	}
	if err := c.keepVoice(numberKind, hashSID("PN", n.Number), voice); err != nil {
		return err
	}
	return c.sendRecord(http.StatusOK, "IncomingPhoneNumber", c.rcNumberRecord(n))
}

func (c *call) rcDropNumber(sid string) error {
	at, err := c.rcFindNumber(sid)
	if err != nil {
		return err
	}
	if err := c.dropNumber(at.Number); err != nil {
		return err
	}
	if err := c.drop(numberKind, sid); err != nil {
		return err
	}
	c.send(http.StatusNoContent, "", nil)
	return nil
}

// application returns an application by its sid, nil if there is none.
func (s *Server) application(ctx context.Context, sid string) (*row, error) {
	value, ok, err := s.deps.Shelf.Get(ctx, applicationKind, sid)
	if err != nil || !ok {
		return nil, err
	}
	return readRow(value)
}

func (c *call) rcApplicationRecord(r *row) record {
	sid := r.text("sid")
	kind := or(r.text("kind"), "sms")
	return record{{"sid", sid}, {"date_created", restcommTime(r.Inserted)}, {"date_updated", restcommTime(r.Updated)}, {"friendly_name", r.text("friendly_name")},
		{"account_sid", c.s.sidOf(r.Account)}, {"api_version", apiVersion}, {"voice_caller_id_lookup", false},
		{"uri", c.accountURI() + "/Applications/" + sid + ".json"}, {"rcml_url", orNull(r.text("rcml_url"))}, {"kind", kind}}
}

// rcApplications answers GET /Applications.
func (c *call) rcApplications(string) error {
	var rows []record
	err := c.s.deps.Shelf.Each(c.r.Context(), applicationKind, func(_ string, value []byte) bool {
		if r, err := readRow(value); err == nil && r.Account == c.foreign.account.Name {
			rows = append(rows, c.rcApplicationRecord(r))
		}
		return true
	})
	if err != nil {
		return err
	}
	return c.sendList("Applications", "Application", rows)
}

func (c *call) rcFindApplication(sid string) (*row, error) {
	r, err := c.s.application(c.r.Context(), sid)
	if err == nil && (r == nil || r.Account != c.foreign.account.Name) {
		return nil, refuse("not_found", "no such application")
	}
	return r, err
}

func (c *call) rcApplication(sid string) error {
	r, err := c.rcFindApplication(sid)
	if err != nil {
		return err
	}
	return c.sendRecord(http.StatusOK, "Application", c.rcApplicationRecord(r))
}

func (c *call) rcPostApplication(string) error {
	if c.given("FriendlyName") == "" {
		return &problem{code: "invalid", detail: "FriendlyName can not be null."}
	}
	sid := "AP" + newSecret()
	return c.storeApplication(sid, func(r *row) error {
		r.Fields["sid"] = sid
		return nil
	})
}

func (c *call) rcPutApplication(sid string) error {
	return c.storeApplication(sid, func(r *row) error {
		if r.Account != c.foreign.account.Name {
			return refuse("not_found", "no such application")
		}
		return nil
	})
}

// storeApplication stores what the request says of an application, if first
// lets it.
func (c *call) storeApplication(sid string, first func(*row) error) error {
	r, err := c.keep(applicationKind, sid, c.foreign.account.Name, func(r *row) error {
		if err := first(r); err != nil {
			return err
		}
		for name, field := range map[string]string{"FriendlyName": "friendly_name", "RcmlUrl": "rcml_url", "Kind": "kind"} {
			if c.foreign.form.Has(name) {
				r.Fields[field] = c.given(name)
			}
		}
		if what := checkCallback(r.text("rcml_url")); r.text("rcml_url") != "" && what != "" {
			return &problem{code: "invalid", detail: "RcmlUrl " + what}
		}
		if kind := or(r.text("kind"), "sms"); kind != "sms" && kind != "voice" && kind != "ussd" {
			return &problem{code: "invalid", detail: "Kind must be sms, voice or ussd"}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.sendRecord(http.StatusOK, "Application", c.rcApplicationRecord(r))
}

func (c *call) rcDropApplication(sid string) error {
	if _, err := c.rcFindApplication(sid); err != nil {
		return err
	}
	if err := c.drop(applicationKind, sid); err != nil {
		return err
	}
	c.send(http.StatusNoContent, "", nil)
	return nil
}
