package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// cliSource is the source_smsc of what `smsc send --via rest` submits; its
// receipts wait there (rest §2.7).
const cliSource = "cli"

// restSender sends over the queue API.
type restSender struct {
	api *api
	id  string
}

func (s *restSender) submit(ctx context.Context, c *sendCommand) (answer, error) {
	body := map[string]any{
		"source_msisdn": c.From, "destination_msisdn": c.To, "message_body": c.Text, "source_smsc": cliSource,
	}
	if c.Coding != "auto" {
		body["tp_dcs_character_set"] = c.Coding
	}
	if udh, _ := c.udh(); udh != nil {
		body["tp_user_data_header"] = map[string]string{"raw": hex.EncodeToString(udh)}
	}
	if c.Receipt {
		body["status_report"] = "final"
	}
	started := time.Now()
	reply, err := s.api.do(ctx, call{method: http.MethodPost, path: "/api/messages", body: body, accept: "application/json"})
	if err != nil {
		return answer{}, err
	}
	var taken struct {
		Data struct {
			ID int64 `json:"id"`
		} `json:"data"`
	}
	if err := json.Unmarshal(reply, &taken); err != nil || taken.Data.ID == 0 {
		return answer{}, fmt.Errorf("the server's answer cannot be read: %s", firstLine(reply))
	}
	s.id = strconv.FormatInt(taken.Data.ID, 10)
	return answer{IDs: []string{s.id}, Took: time.Since(started)}, nil
}

// receipt asks for the receipt until it is there, then takes it off the list.
func (s *restSender) receipt(ctx context.Context) (homecoming, error) {
	q := url.Values{"smsc": {cliSource}, "message_id": {s.id}, "wait": {"10"}}
	for {
		var rows []struct {
			ID        int64  `json:"id"`
			MessageID int64  `json:"message_id"`
			Status    string `json:"status"`
			Error     string `json:"error"`
		}
		if _, err := s.api.get(ctx, "/api/receipts", q, &rows); err != nil {
			return homecoming{}, err
		}
		for _, r := range rows {
			id := strconv.FormatInt(r.MessageID, 10)
			if id != s.id {
				continue
			}
			_, err := s.api.do(ctx, call{method: http.MethodDelete, path: "/api/receipts/" + strconv.FormatInt(r.ID, 10)})
			return homecoming{ID: id, Stat: statOf(r.Status), Err: r.Error}, err
		}
	}
}

// statOf writes a status of the queue API as the state of an SMPP receipt
// (SMPP 3.4 §5.2.28).
func statOf(status string) string {
	switch status {
	case "delivered":
		return "DELIVRD"
	case "expired":
		return "EXPIRED"
	case "cancelled":
		return "DELETED"
	case "failed", "dropped":
		return "UNDELIV"
	}
	return status
}

func (s *restSender) close() {}
