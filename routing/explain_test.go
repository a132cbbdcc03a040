package routing

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smsc/message"
)

func explained(t *testing.T) Explanation {
	t.Helper()
	in := house(
		Route{CalledPrefix: "35", DestSMSC: "carrier2", Priority: 10},
		Route{CalledPrefix: "351", DestSMSC: "carrier1", Priority: 10, Charged: "yes"},
		Route{CalledPrefix: "351", CallingPrefix: "49", DestSMSC: "carrier3", Priority: 10},
		Route{DestSMSC: "carrier1", Priority: 100},
		Route{DestSMSC: "carrier3", Priority: 100},
		Route{CalledPrefix: "3519", DestSMSC: "carrier3"},
		Route{CalledPrefix: "351", DestSMSC: "connect", SourceType: "SIP"},
	)
	in.Routes[5].Enabled = false
	table, faults := NewTable(in)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	m := from("esme1", message.SourceSMPP, "acme", "+447700900123", "+351912345678")
	m.From.Given = "07700900123"
	return table.Explain(m)
}

func TestAnExplanationForPeople(t *testing.T) {
	want := `from  07700900123 -> +447700900123
to    +351912345678
number                               no
serves                               no
table acme                           no: no route matches
table operator                       chosen: 4 match
  1  #2  351  -> carrier1            priority 10, called prefix 351
  2  #1  35   -> carrier2            priority 10, called_prefix
  -  #4  ""   -> carrier1            priority 100, link already in the plan
  3  #5  ""   -> carrier3            priority 100, priority
  -  #3  351  -> carrier3            priority 10, no: calling_prefix 49
  -  #6  3519 -> carrier3            priority 0, disabled
  -  #7  351  -> connect             priority 0, no: source_type SIP
plan  carrier1, carrier2, carrier3    charged yes
`
	e := explained(t)
	if diff := cmp.Diff(want, e.Text()); diff != "" {
		t.Errorf("%s\n%s", diff, e.Text())
	}
}

func TestAnExplanationForPrograms(t *testing.T) {
	data, err := json.Marshal(explained(t))
	if err != nil {
		t.Fatal(err)
	}
	var e struct {
		Outcome    string
		Charged    string
		Plan       []map[string]any
		Steps      []map[string]any
		Considered []map[string]any
	}
	if err := json.Unmarshal(data, &e); err != nil {
		t.Fatal(err)
	}
	if e.Outcome != "forward" || e.Charged != "yes" || len(e.Considered) != 7 {
		t.Errorf("%s", data)
	}
	if diff := cmp.Diff(map[string]any{"route": 2.0, "dest_smsc": "carrier1", "share": 1.0}, e.Plan[0]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]any{"step": "table operator", "account": "operator", "verdict": "chosen", "why": "4 match"}, e.Steps[3]); diff != "" {
		t.Error(diff)
	}
	if c := e.Considered[0]; c["verdict"] != "chosen" || c["why"] != "priority 10, called prefix 351" {
		t.Error(c)
	}
}
