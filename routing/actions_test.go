package routing

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"smsc/message"
)

func TestEachActionChangesTheMessage(t *testing.T) {
	for _, c := range []struct {
		name string
		then Then
		got  func(m *message.Message, r Ruling) any
		want any
	}{
		{"drop", Then{Drop: true}, func(_ *message.Message, r Ruling) any { return r.End == DropIt && r.By == "operator/r0" }, true},
		{"reject", Then{Reject: "barred", Text: &TextChange{Set: "closed"}}, func(_ *message.Message, r Ruling) any { return fmt.Sprint(r.End, r.Cause, r.Text) }, "2 barredclosed"},
		{"an old reject code", Then{Reject: "THROTTLING"}, func(_ *message.Message, r Ruling) any { return r.Cause }, message.Throttled},
		{"copy", Then{Copy: &Copy{Called: "+1555", DestSMSC: "carrier2"}}, func(m *message.Message, r Ruling) any { return r.Copies[0] },
			Draft{Rule: "operator/r0", Account: "uk", From: message.Address{Value: "+4915112345678"}, To: message.Address{Value: "+1555"}, Dest: "carrier2"}},
		{"auto reply", Then{AutoReply: "= 'dear ' + m.calling"}, func(_ *message.Message, r Ruling) any { return r.Replies[0].Text }, "dear +4915112345678"},
		{"account", Then{Account: "stranger"}, func(m *message.Message, _ Ruling) any { return m.Account + " " + m.Arrival() }, "stranger uk"},
		{"called", Then{Called: Rewrites{{Match: `\+44(\d+)`, Replace: "+49$1"}}}, func(m *message.Message, _ Ruling) any { return m.To.Value + " " + m.To.Given }, "+497700900123 +447700900123"},
		{"calling", Then{Calling: Rewrites{{Set: "ACME"}}}, func(m *message.Message, _ Ruling) any { return m.From.Value }, "ACME"},
		{"called by an expression", Then{Called: Rewrites{{Set: `= "+1" + digits(m.called)`}}}, func(m *message.Message, _ Ruling) any { return m.To.Value }, "+1447700900123"},
		{"type of number", Then{CalledTON: num(3)}, func(m *message.Message, _ Ruling) any { return m.Ruled.Called }, message.NumberType{Set: true, TON: 3, NPI: 1}},
		{"numbering plan of the recipient", Then{CalledNPI: num(8)}, func(m *message.Message, _ Ruling) any { return m.Ruled.Called }, message.NumberType{Set: true, TON: 1, NPI: 8}},
		{"type and plan of the sender", Then{CallingTON: num(5), CallingNPI: num(9)}, func(m *message.Message, _ Ruling) any { return m.Ruled.Calling }, message.NumberType{Set: true, TON: 5, NPI: 9}},
		{"called without its front", Then{Called: Rewrites{{Strip: 3, Prefix: "0"}}}, func(m *message.Message, _ Ruling) any { return m.To.Value }, "07700900123"},
		{"text", Then{Text: &TextChange{Match: `\d+`, Replace: "****"}}, func(m *message.Message, _ Ruling) any { return m.Body.Text }, "Hello your code ****"},
		{"class", Then{Class: "0"}, func(m *message.Message, _ Ruling) any { return m.Body.Class }, message.Class0},
		{"no class", Then{Class: "none"}, func(m *message.Message, _ Ruling) any { return m.Body.Class }, message.ClassNone},
		{"priority", Then{Priority: "= m.priority + 1"}, func(m *message.Message, _ Ruling) any { return m.Priority }, uint8(3)},
		{"delay and validity", Then{Delay: "10m", Validity: "1h"}, func(m *message.Message, _ Ruling) any {
			return m.Expires.Sub(m.NotBefore) + m.NotBefore.Sub(m.Accepted)
		}, 70 * time.Minute},
		{"receipts", Then{Receipts: "none"}, func(m *message.Message, _ Ruling) any { return m.Wants }, message.WantNone},
		{"service type", Then{ServiceType: "WAP"}, func(m *message.Message, _ Ruling) any { return m.Extra[extraService] }, "WAP"},
		{"protocol id", Then{ProtocolID: "64"}, func(m *message.Message, _ Ruling) any { return m.Extra[extraProtocol] }, "64"},
		{"headers", Then{RemoveHeader: Words{"X-Campaign"}, SetHeader: map[string]string{"X-Via": "= 'smsc for ' + m.account"}}, func(m *message.Message, _ Ruling) any {
			return []string{m.Extra["sip.x-campaign"], m.Extra["sip.x-via"], m.Extra[message.ExtraHeader+"x-via"]}
		}, []string{"", "smsc for uk", "smsc for uk"}},
		{"a header that cannot be one", Then{SetHeader: map[string]string{"X-Via": "= 'a\\r\\nB: c'"}}, func(m *message.Message, _ Ruling) any { return m.Extra["sip.x-via"] }, ""},
		{"optional parameters", Then{RemoveTLV: Words{"0x0201"}, SetTLV: Words{"0x1401=01"}}, func(m *message.Message, _ Ruling) any { return m.Extra[extraTLVs] }, "1401000101"},
		{"charged", Then{Charged: "no"}, func(_ *message.Message, r Ruling) any { return r.Charged }, "no"},
		{"route", Then{Route: "carrier3"}, func(m *message.Message, _ Ruling) any { return m.Dest + fmt.Sprint(m.Ruled.Route()) }, "carrier3true"},
		{"note", Then{Note: "pt"}, func(_ *message.Message, r Ruling) any { return r.Notes[0] }, "pt"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := subject()
			if c.then.Text != nil {
				s.Message.Body.UDH = nil
			}
			before := *s.Message
			extra := fmt.Sprint(before.Extra)
			r := ruledTable(t, Rule{Then: c.then}).Judge(OnArrival, s)
			if diff := cmp.Diff(c.want, c.got(s.Message, r)); diff != "" {
				t.Error(diff)
			}
			if len(r.Steps) != 1 || r.Steps[0].Kind != "rule" || !strings.HasPrefix(r.Steps[0].Text, "operator/r0: ") {
				t.Errorf("trace %+v", r.Steps)
			}
			if fmt.Sprint(before.Extra) != extra {
				t.Error("the message as it arrived has changed")
			}
		})
	}
}

func TestEachActionAfterAnAttempt(t *testing.T) {
	for _, c := range []struct {
		name string
		on   string
		then Then
		want Ruling
	}{
		{"drop between rounds", "temporary", Then{Drop: true}, Ruling{End: DropIt, By: "operator/r0", Cause: message.Barred}},
		{"drop at the end", "failure", Then{Drop: true}, Ruling{End: DropIt, By: "operator/r0", Cause: message.Barred}},
		{"fail", "temporary", Then{Fail: "memory_full"}, Ruling{End: FailIt, By: "operator/r0", Cause: message.MemoryFull}},
		{"retry", "temporary", Then{Retry: &Retry{10 * time.Minute}}, Ruling{Retry: 10 * time.Minute}},
		{"reroute to a link", "temporary", Then{Reroute: &Reroute{Link: "carrier2"}}, Ruling{By: "operator/r0", Detour: &Reroute{Link: "carrier2"}}},
		{"reroute by the routes of an account", "failure", Then{Reroute: &Reroute{Account: "stranger"}}, Ruling{By: "operator/r0", Detour: &Reroute{Account: "stranger"}}},
		{"note", "failure", Then{Note: "= m.cause"}, Ruling{Notes: []string{"absent"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := subject()
			before := s.Message.Clone()
			r := ruledTable(t, Rule{On: c.on, Then: c.then}).Judge(Trigger(slices.Index(triggerWords[:], c.on)), s)
			if r.Ran != 1 || len(r.Steps) != 1 {
				t.Errorf("ran %d times: %+v", r.Ran, r.Steps)
			}
			if diff := cmp.Diff(c.want, r, cmpopts.IgnoreUnexported(Ruling{}), cmpopts.IgnoreFields(Ruling{}, "Ran", "Steps")); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(before, s.Message); diff != "" {
				t.Error("the stored message has changed:", diff)
			}
		})
	}
}
