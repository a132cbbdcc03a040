package restapi

import "time"

// LinkState is how a link fares now (spec rest §6).
type LinkState struct {
	Name      string       `json:"-"`
	Status    string       `json:"status"`         // up degraded down connecting paused idle
	Since     time.Time    `json:"since,omitzero"` // of Status; zero: not known
	Paused    bool         `json:"paused"`
	Sessions  int          `json:"sessions"`
	Window    LinkWindow   `json:"window"`
	Rate      LinkRate     `json:"rate"`
	Queue     LinkQueue    `json:"queue"`
	LastError *string      `json:"last_error"`
	Counters  LinkCounters `json:"counters"`
}

// LinkWindow counts the deliveries in flight.
type LinkWindow struct {
	Used int `json:"used"`
	Size int `json:"size"`
}

// LinkRate is in messages per second.
type LinkRate struct {
	In  float64 `json:"in"`
	Out float64 `json:"out"`
}

// LinkQueue is what waits for the link.
type LinkQueue struct {
	Waiting       int `json:"waiting"`
	OldestSeconds int `json:"oldest_seconds"`
}

// LinkCounters count messages since the start of the program.
type LinkCounters struct {
	Out       uint64 `json:"out"`
	In        uint64 `json:"in"`
	Failed    uint64 `json:"failed"`
	Throttled uint64 `json:"throttled"`
}
