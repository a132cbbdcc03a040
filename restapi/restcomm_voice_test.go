package restapi

import (
	"strings"
	"testing"
)

func TestWhatIsSaidOfVoiceIsStoredAndGivenBack(t *testing.T) {
	g := treeRig(t)
	num := "/Accounts/operator/IncomingPhoneNumbers"
	r := g.form("operator", "POST", num+".json", "PhoneNumber", "+15550001", "SmsUrl", "http://127.0.0.1:9/", "VoiceUrl", "http://v/", "UssdMethod", "GET")
	if r.code != 200 || !strings.HasSuffix(r.body, `,"ussd_method":"GET","voice_url":"http://v/"}`) {
		t.Fatalf("%d %s", r.code, r.body)
	}
	sid := hashSID("PN", "+15550001")
	if r := g.form("operator", "PUT", num+"/"+sid+".json", "VoiceUrl", "", "ReferUrl", "http://r/"); r.code != 200 || !strings.HasSuffix(r.body, `,"refer_url":"http://r/","ussd_method":"GET","voice_url":null}`) {
		t.Errorf("%d %s", r.code, r.body)
	}
	if r := g.form("operator", "PUT", num+"/"+sid+".json", "Voice-1", "x"); r.code != 400 {
		t.Errorf("%d %s", r.code, r.body)
	}
	if r := g.form("A", "POST", "/Accounts/A/Clients.json", "Login", "eve", "Password", "s3cret-pw", "VoiceMethod", "POST"); r.code != 200 || !strings.HasSuffix(r.body, `,"voice_method":"POST"}`) {
		t.Errorf("%d %s", r.code, r.body)
	}
}

func TestRefusalsOfTheAccountsAPISayWhatDoesNotFit(t *testing.T) {
	g := treeRig(t)
	num := "/Accounts/operator/IncomingPhoneNumbers.json"
	if r := g.form("operator", "POST", num, "PhoneNumber", "+15550001"); r.code != 400 || strings.Contains(r.body, "nothing was changed") || !strings.Contains(r.body, "sms_url") {
		t.Errorf("%d %s", r.code, r.body)
	}
	// dry_run is a word of /api: nobody is told of a change that was not made.
	if r := g.form("operator", "POST", num+"?dry_run=true", "PhoneNumber", "+15550001", "SmsUrl", "http://127.0.0.1:9/"); r.code != 200 || g.catalog.Directory().Number("+15550001") == nil {
		t.Errorf("%d %s", r.code, r.body)
	}
	for _, code := range []string{"11200", "11205", "12100", "12200", "21617"} {
		if r := g.send("GET", "/api/problems/"+code, ""); r.code != 200 || !strings.Contains(r.body, "Notification "+code) {
			t.Errorf("%s: %d %s", code, r.code, r.body)
		}
	}
}
