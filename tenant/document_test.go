package tenant

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var sameDocument = cmp.Options{cmpopts.IgnoreUnexported(Document{})}

func TestTheContractsExampleHasNoFault(t *testing.T) {
	data, err := os.ReadFile("../testdata/config/good-provision.yaml")
	if err != nil {
		t.Fatal(err)
	}
	doc, faults := ParseDocument("good-provision.yaml", data)
	for _, f := range faults {
		t.Error(f)
	}
	again, faults := ParseDocument("export", doc.YAML(true))
	for _, f := range faults {
		t.Error(f)
	}
	if diff := cmp.Diff(doc, again, sameDocument); diff != "" {
		t.Error(diff)
	}
	t.Log(string(doc.YAML(false)))
}

func TestSecretsAreHidden(t *testing.T) {
	doc := parse(t, small)
	if s := string(doc.YAML(false)); strings.Contains(s, "s3cret") || strings.Contains(s, "pw2") || strings.Contains(s, "k1") {
		t.Error("a secret is shown:", s)
	}
}

func TestAnEmptyDocumentHasTheOperator(t *testing.T) {
	for _, text := range []string{"", "{}", "# nothing\n", "rules: []\naccounts:\n"} {
		doc := parse(t, text)
		if len(doc.Accounts) != 1 || doc.Accounts[0].Name != Operator || doc.Accounts[0].Parent != "" {
			t.Errorf("%q has %+v", text, doc.Accounts)
		}
	}
}

func TestACoreThatNothingComesFromIsWarnedOf(t *testing.T) {
	const text = `links: [{name: ims, kind: ims, uri: "sip:h", smsc_address: "+15550000000"%s}]`
	for from, warnings := range map[string]int{"": 1, `, from: ["10.0.0.1"]`: 0} {
		doc := parse(t, fmt.Sprintf(text, from))
		if w := doc.Warnings(); len(w) != warnings {
			t.Errorf("%s: %q", from, w)
		}
	}
}

func TestWideRangesAreTrustedOnlyInsecurely(t *testing.T) {
	const text = `links: [{name: s, kind: sip, uri: "sip:h", from: ["0.0.0.0/0", "::/0"]}]`
	if _, faults := ParseDocument("f", []byte(text)); len(faults) != 2 {
		t.Error(faults)
	}
	if _, faults := ParseDocument("f", []byte(text), Insecure(true)); len(faults) != 0 {
		t.Error(faults)
	}
}

func TestNumbersAreKeptInNormalForm(t *testing.T) {
	german := &Numbering{Country: "49", Trunk: "0", International: []string{"00"}, ShortMax: 5, Bare: "national"}
	for _, tt := range []struct {
		plan        *Numbering
		given, want string
	}{
		{nil, "+44 7700 900-123", "+447700900123"}, {nil, "0044(7700)900123", "+447700900123"}, {nil, "15550000001", "+15550000001"},
		{nil, "12345", "12345"}, {nil, "*100#", "*100#"}, {nil, "07700900123", "07700900123"},
		{german, "030 123456", "+4930123456"}, {german, "0044770", "+44770"}, {german, "30123456", "+4930123456"}, {german, "11833", "11833"}, {german, "+1", "+1"},
	} {
		if got := tt.plan.normal(tt.given); got != tt.want {
			t.Errorf("%s is %s, want %s", tt.given, got, tt.want)
		}
	}
}

func TestCloneSharesNothing(t *testing.T) {
	data, err := os.ReadFile("../testdata/config/good-provision.yaml")
	if err != nil {
		t.Fatal(err)
	}
	doc, want := parse(t, string(data)), parse(t, string(data))
	c := doc.Clone()
	for i := range c.Links {
		switch l := &c.Links[i]; l.Kind {
		case KindSIP:
			l.SIP.From[0], l.SIP.URI = "x", "x"
		case KindIMS:
			l.IMS.Serves[0] = "x"
		case KindSIPUsers:
			l.SIPUsers.Users[0].AOR = "x"
		case KindESME:
			l.ESME.SystemID = "x"
		case KindCarrier:
			l.Carrier.Address = "x"
		case KindWebhook:
			l.Webhook.Events[0] = "x"
		}
	}
	c.Accounts[0].Name, c.Routes[0].Weight = "x", 1
	if diff := cmp.Diff(want, doc, sameDocument); diff != "" {
		t.Error(diff)
	}
}

func BenchmarkParseTenThousandRoutes(b *testing.B) {
	var text strings.Builder
	text.WriteString("links: [{name: p, kind: poll}]\nroutes:\n")
	for i := range 10_000 {
		fmt.Fprintf(&text, "  - {called_prefix: \"%d\", dest_smsc: p, priority: 10}\n", 100_000+i)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, faults := ParseDocument("f", []byte(text.String())); len(faults) > 0 {
			b.Fatal(faults[0])
		}
	}
}
