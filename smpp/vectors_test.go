package smpp

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"smsc/smpp/pdu"
)

// otherVector is a PDU or a time of another program, and what it means.
type otherVector struct {
	Name, Kind, Hex string
	Decoded         map[string]any
}

// TestVectorsOfOtherPrograms reads third_party.json in the folder that
// SMSC_VECTORS names, as the test of that name in translate does.
func TestVectorsOfOtherPrograms(t *testing.T) {
	folder := os.Getenv("SMSC_VECTORS")
	if folder == "" {
		t.Skip("SMSC_VECTORS names no folder with third_party.json")
	}
	text, err := os.ReadFile(filepath.Join(folder, "third_party.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all []otherVector
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	for _, v := range all {
		if v.Kind != "smpp" {
			continue
		}
		octets, err := hex.DecodeString(v.Hex)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(v.Name, func(t *testing.T) {
			if v.Decoded["time"] != nil {
				checkTimeVector(t, v, octets)
				return
			}
			checkPDUVector(t, v, octets)
		})
	}
}

func checkTimeVector(t *testing.T, v otherVector, octets []byte) {
	unix := func(key string) time.Time { return time.Unix(int64(v.Decoded[key].(float64)), 0) }
	got, ok := parseTime(octets, unix("now_for_relative"))
	if want := unix("unix"); !ok || !got.Equal(want) {
		t.Errorf("%v, %v, want %v", got, ok, want)
	}
}

func checkPDUVector(t *testing.T, v otherVector, octets []byte) {
	h, p, err := pdu.Parse(octets)
	if v.Decoded["error"] == true {
		if e := (*pdu.Error)(nil); !errors.As(err, &e) {
			t.Errorf("%+v, %v, want an error: %v", p, err, v.Decoded["reason"])
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]any{"command": h.Command.String(), "length": h.Length, "status": uint32(h.Status), "seq": h.Sequence}
	pduFacts(got, "", reflect.ValueOf(p).Elem())
	for key, want := range v.Decoded {
		if want == nil {
			want = ""
		}
		if fmt.Sprint(got[key]) != fmt.Sprint(plainNumber(want)) {
			t.Errorf("%s = %v, want %v", key, got[key], want)
		}
	}
	bare := len(octets) == pdu.HeaderLen // a body that was left away may come back empty
	if again := p.Append(nil, h.Status, h.Sequence); !bytes.Equal(again, octets) && !bare && h.Status == 0 {
		t.Errorf("written again %x, want %x", again, octets)
	}
}

// plainNumber undoes what JSON does to whole numbers.
func plainNumber(v any) any {
	if f, ok := v.(float64); ok {
		return int64(f)
	}
	return v
}

// wireNames are the names of fields that differ from those in the vectors by
// more than their spelling.
var wireNames = map[string]string{
	"source_addr": "source_addr", "dest_addr": "destination_addr", "priority": "priority_flag", "schedule": "schedule_delivery_time",
	"validity": "validity_period", "replaceifpresent": "replace_if_present_flag", "defaultmsgid": "sm_default_msg_id", "state": "message_state",
	"servicetype": "service_type", "esmclass": "esm_class", "protocolid": "protocol_id", "registereddelivery": "registered_delivery",
	"datacoding": "data_coding", "messageid": "message_id", "finaldate": "final_date", "errorcode": "error_code", "systemid": "system_id",
	"systemtype": "system_type", "interfaceversion": "interface_version", "addrton": "addr_ton", "addrnpi": "addr_npi", "addressrange": "address_range",
}

// pduFacts gives the fields of a PDU the names of the specification.
func pduFacts(into map[string]any, prefix string, v reflect.Value) {
	for i := range v.NumField() {
		name := prefix + strings.ToLower(v.Type().Field(i).Name)
		if wire := wireNames[name]; wire != "" {
			name = wire
		}
		switch f := v.Field(i).Interface().(type) {
		case pdu.Address:
			pduFacts(into, name+"_addr_", reflect.ValueOf(f))
			into[wireNames[name+"_addr"]] = string(f.Addr)
		case pdu.TLVs:
			all := map[string]any{}
			for tag, value := range f.All() {
				all[fmt.Sprintf("%04x", uint16(tag))] = hex.EncodeToString(value)
			}
			into["tlvs"] = all
		case []byte:
			into[name] = string(f)
			if name == "shortmessage" {
				into["short_message"], into["sm_length"] = hex.EncodeToString(f), len(f)
			}
		default:
			into[name] = f
		}
	}
}
