package restapi

import (
	"time"

	"smsc/tenant"
)

// locationKind names the rows of locations on the shelf.
const locationKind = "rest.location"

// newSheets makes the lists of spec rest §2.9.
func newSheets() map[string]*sheet {
	text := textColumn
	return map[string]*sheet{
		"locations": {kind: locationKind, maxRows: 1_000_000, columns: []column{
			text("msisdn", 32), text("imsi", 15), required(text("location", 64)), text("contact", 512), text("path", 1024), text("serving_node", 255),
			wordColumn("access_type", "ims", "sgs", "cs", "sip", "smpp"), boolColumn("ims_capable"), text("user_agent", 255), text("imei", 32),
			timeColumn("registered_at"), timeColumn("expires"),
		}},
		"ss7_events": {kind: ss7Kind, maxRows: 100_000, life: 24 * time.Hour, columns: []column{
			required(text("event_name", 64)), text("direction", 16), text("otid", 32), text("dtid", 32), text("calling_gt", 32), text("called_gt", 32),
			text("imsi", 15), text("msisdn", 32), numberColumn("message_id"), text("result", 255), text("error_code", 64), text("raw", 8192),
		}},
		"mms_message_queues": {kind: "rest.mms", maxRows: 1_000_000, columns: []column{
			required(text("source_msisdn", 255)), required(text("destination_msisdn", 255)), required(text("source_smsc", 64)), text("dest_smsc", 64),
			text("transaction_id", 255), text("message_id", 255), text("subject", 255), text("content_type", 255), text("content_location", 2048),
			numberColumn("message_size"), partsColumn("parts"), boolColumn("delivery_report"), boolColumn("read_report"), timeColumn("expires"),
			timeColumn("deliver_after"), wordColumn("status", "queued", "sent", "delivered", "failed", "cancelled"), timeColumn("delivered_at"),
			boolColumn("deadletter"), numberColumn("delivery_attempts"), timeColumn("leased_until"),
		}},
	}
}

// sheetRoutes are the endpoints of the three lists: the same five for each.
func (s *Server) sheetRoutes() []route {
	var list []route
	for _, name := range []string{"locations", "ss7_events", "mms_message_queues"} {
		sh := s.sheets[name]
		on := func(f func(*call, *sheet) error) func(*call) error {
			return func(c *call) error { return f(c, sh) }
		}
		path, params := "/api/"+name, []string{"limit", "after", "msisdn", "imsi", "location", "account", "subaccounts", "lease"}
		add := func(method, path string, need tenant.Role, f func(*call, *sheet) error, d doc) {
			d.tag = name
			list = append(list, route{method: method, path: path, need: need, anyParams: true, params: params, handle: on(f), doc: d})
		}
		headers := []string(nil)
		if name == "mms_message_queues" {
			headers = []string{"SMSc"}
		}
		add("GET", path, tenant.Read, (*call).listRows, doc{summary: "List rows", reply: []map[string]any{}, headers: headers, errors: []int{422}})
		add("POST", path, tenant.Send, (*call).postRow, doc{summary: "Add a row", success: 201, also: 200, request: map[string]any{}, errors: []int{415, 422}})
		params = nil
		add("GET", path+"/{id}", tenant.Read, (*call).getRow, doc{summary: "One row", errors: []int{404}})
		add("PATCH", path+"/{id}", tenant.Send, (*call).patchRow, doc{summary: "Change a row", request: map[string]any{}, errors: []int{404, 422}})
		add("DELETE", path+"/{id}", tenant.Send, (*call).deleteRow, doc{summary: "Take a row away", success: 204, errors: []int{404}})
	}
	return append(list, route{method: "POST", path: "/api/locations/wake", need: tenant.Send, anyParams: true, handle: (*call).wakeSubscriber,
		doc: doc{tag: "locations", summary: "Make what waits for a subscriber due now", request: wakeDoc{}, reply: wakeReply{}, errors: []int{422}}})
}

// keyOf is what makes a location the same location: account and subscriber.
func keyOf(r *row) string {
	subscriber := or(r.text("msisdn"), r.text("imsi"))
	if r.text("location") == "" || subscriber == "" {
		return ""
	}
	return r.Account + "\x00" + digits(subscriber)
}
