package restapi

// doc is what the OpenAPI document says of an endpoint.
type doc struct {
	summary string
	tag     string
	success int      // status of success
	query   []string // parameters besides route.params
	headers []string // request headers
	request any      // value whose type is the body's; nil: none
	reply   any      // value whose type is the answer's; nil: none
}
