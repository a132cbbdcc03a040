package restapi

// bulkDoc is the body of POST /api/messages/bulk.
type bulkDoc struct {
	Messages     []messageDoc `json:"messages,omitempty" maxItems:"1000"`
	Template     *messageDoc  `json:"template,omitempty"`
	Destinations []string     `json:"destinations,omitempty" maxItems:"1000"`
}

type bulkReplyDoc struct {
	Accepted int          `json:"accepted"`
	Refused  int          `json:"refused"`
	Results  []bulkRowDoc `json:"results"`
}

type bulkRowDoc struct {
	Index  int           `json:"index"`
	ID     uint64        `json:"id,omitempty"`
	Status string        `json:"status,omitempty"`
	Parts  int           `json:"parts,omitempty"`
	Error  *bulkErrorDoc `json:"error,omitempty"`
}

type bulkErrorDoc struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// actionsDoc is the body of POST /api/messages/actions.
type actionsDoc struct {
	Action string         `json:"action" enum:"cancel,retry"`
	Filter map[string]any `json:"filter" doc:"The query parameters of GET /api/messages"`
	DryRun bool           `json:"dry_run,omitempty"`
}

// simulateDoc is the body of POST /api/routes/simulate.
type simulateDoc struct {
	Messages []simulateMessageDoc `json:"messages,omitempty"`
	Recent   int                  `json:"recent,omitempty" minimum:"1" maximum:"1000"`
	Routes   []routeDoc           `json:"routes,omitempty" doc:"In the place of those in reach"`
	Samples  int                  `json:"samples,omitempty" minimum:"1" maximum:"10000" doc:"How many messages the totals are of; left out: those above, once each"`
	Rules    []map[string]any     `json:"rules,omitempty" doc:"In the place of those in reach"`
}

type simulateMessageDoc struct {
	From       string `json:"from,omitempty"`
	To         string `json:"to"`
	Source     string `json:"source,omitempty"`
	SourceType string `json:"source_type,omitempty"`
	Account    string `json:"account,omitempty"`
	Dest       string `json:"dest,omitempty"`
	Text       string `json:"text,omitempty"`
}
