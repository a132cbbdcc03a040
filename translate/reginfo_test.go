package translate

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const regInfoFull = `<?xml version="1.0"?>
<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="0" STATE="Full">
 <registration aor="sip:joe@example.com" id="as9" state="active">
  <contact id="76" state="active" event="registered" expires="7323" q="0.8">
   <uri>sip:joe@pc887.example.com</uri>
   <unknown-param name="+G.3gpp.smsip"/>
  </contact>
  <contact id="77" state="Terminated" event="Expired"><uri>sip:joe@old</uri></contact>
 </registration>
</reginfo>`

func TestRegInfoIsReadInAnyCase(t *testing.T) {
	got, err := ParseRegInfo([]byte(regInfoFull))
	if err != nil {
		t.Fatal(err)
	}
	want := RegInfo{Full: true, Registrations: []RegInfoEntry{{AOR: "sip:joe@example.com", State: "active", Contacts: []RegInfoContact{
		{ID: "76", URI: "sip:joe@pc887.example.com", Active: true, Event: "registered", SMSIP: true},
		{ID: "77", URI: "sip:joe@old", Event: "expired"},
	}}}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestRegInfoThatIsNoneIsRefused(t *testing.T) {
	for name, doc := range map[string]string{
		"empty": "", "no XML": "x", "cut off": regInfoFull[:200], "another root": `<a version="0"/>`, "no version": `<reginfo/>`,
		"a DTD": `<!DOCTYPE reginfo [<!ENTITY a "b">]><reginfo version="1"/>`, "an entity": `<reginfo version="1">&a;</reginfo>`,
	} {
		if _, err := ParseRegInfo([]byte(doc)); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func FuzzParseRegInfo(f *testing.F) {
	f.Add([]byte(regInfoFull))
	f.Add([]byte(`<reginfo version="1" state="partial"><registration/><contact/></reginfo>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParseRegInfo(b)
		if err == nil && len(r.Registrations) > maxRegInfoItems {
			t.Error("unbounded")
		}
	})
}
