package routing

import (
	"errors"
	"strings"
	"testing"
)

func TestNewTableNamesEveryFault(t *testing.T) {
	tests := []struct {
		name, list, field, what string
		change                  func(*Input)
	}{
		{"an account that does not exist", "routes", "account", `no account "nobody"`, func(in *Input) { in.Routes[0].Account = "nobody" }},
		{"a link that does not exist", "routes", "dest_smsc", `no link "carrier9"`, func(in *Input) { in.Routes[0].DestSMSC = "carrier9" }},
		{"a source that does not exist", "routes", "source_smsc", `no link "x"`, func(in *Input) { in.Routes[0].SourceSMSC = "x" }},
		{"a link of the parent that is not shared", "routes", "dest_smsc", "may not use link carrier2", func(in *Input) {
			in.Routes[0].Account, in.Routes[0].DestSMSC = "acme", "carrier2"
		}},
		{"a link of another tenant", "routes", "dest_smsc", "may not use link theirs", func(in *Input) {
			in.Routes[0].Account, in.Routes[0].DestSMSC = "acme", "theirs"
		}},
		{"no target", "routes", "", "leads nowhere", func(in *Input) { in.Routes[0].DestSMSC = "" }},
		{"two targets", "routes", "", "only one of", func(in *Input) { in.Routes[0].Drop = true }},
		{"a negative weight", "routes", "weight", "negative", func(in *Input) { in.Routes[0].Weight = -1 }},
		{"an unknown source type", "routes", "source_type", `"FAX" is not one of SIP, IMS, SMPP, HTTP`, func(in *Input) { in.Routes[0].SourceType = "fax" }},
		{"an unknown word for charged", "routes", "charged", "is not one of", func(in *Input) { in.Routes[0].Charged = "maybe" }},
		{"an id given twice", "routes", "id", "given twice", func(in *Input) { in.Routes[1].ID = 1 }},
		{"the same route twice", "routes", "", "same route is given twice: routes[0]", func(in *Input) {
			in.Routes[1] = in.Routes[0]
			in.Routes[1].ID, in.Routes[1].CalledPrefix = 9, "+44"
		}},
		{"a number twice", "numbers", "number", "given twice", func(in *Input) {
			in.Numbers = append(in.Numbers, Number{"0015550000001", "connect"})
		}},
		{"a number without a link", "numbers", "link", `no link "gone"`, func(in *Input) { in.Numbers[0].Link = "gone" }},
		{"a prefix served twice", "links", "serves[0]", "served twice", func(in *Input) { in.Links[8].Serves = []string{"+1555*"} }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := house(Route{CalledPrefix: "44", DestSMSC: "carrier1"}, Route{CalledPrefix: "49", DestSMSC: "carrier1"})
			tt.change(&in)
			table, errs := NewTable(in)
			var f *Fault
			if table != nil || len(errs) != 1 || !errors.As(errs[0], &f) {
				t.Fatalf("table %v, faults %v", table, errs)
			}
			if f.List != tt.list || f.Field != tt.field || !strings.Contains(f.What, tt.what) {
				t.Errorf("%+v", f)
			}
		})
	}
}

func TestWhatAnAccountMayUse(t *testing.T) {
	table, _ := NewTable(house())
	for _, tt := range []struct {
		account, link string
		want          bool
	}{
		{"acme", "esme1", true}, {"uk", "esme1", false}, {"acme", "ukcarrier", true}, {"operator", "ukcarrier", true},
		{"uk", "carrier1", true}, {"uk", "carrier2", false}, {"acme", "theirs", false}, {"operator", "gone", false}, {"nobody", "carrier1", false},
	} {
		if got := table.Usable(tt.account, tt.link); got != tt.want {
			t.Errorf("%s may use %s: %v", tt.account, tt.link, got)
		}
	}
}

func TestKey(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "+44": "44", "+0044": "0044", "+": "", "0044": "44", "44": "44", " (0044) 77-00.9": "447700" + "9", "++44": "+44", "000": "0", "00": "", "ACME Ltd.": "acmeltd", "ÄB": "äb", "*100#": "*100#",
	} {
		if got := Key(in); got != want {
			t.Errorf("Key(%q) is %q, want %q", in, got, want)
		}
	}
}
