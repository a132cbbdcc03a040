package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"

	"github.com/jackc/pgx/v5"
)

// RefusedFile holds, one JSON object a line, the rows that the database would
// not have.
const RefusedFile = "refused.jsonl"

// write writes the rows of a page. Rows that cannot be read, or that the
// database refuses for what is in them, are set aside.
func (e *Exporter) write(ctx context.Context, conn *pgx.Conn, p page) error {
	good := make([]row, 0, len(p.rows))
	for _, r := range p.rows {
		if r.broken == nil {
			good = append(good, r)
		} else if err := e.refuse(p.header, r, r.broken); err != nil {
			return err
		}
	}
	if len(good) == 0 {
		return nil
	}
	_, err := e.table.insert(ctx, conn, p.header, good)
	if err == nil || !refuses(err) {
		return err
	}
	for _, r := range good {
		if err := e.single(ctx, conn, p.header, r); err != nil {
			return err
		}
	}
	return nil
}

// single writes one row, and sets it aside after three refusals.
func (e *Exporter) single(ctx context.Context, conn *pgx.Conn, header []string, r row) error {
	var err error
	for range rowTries {
		if _, err = e.table.insert(ctx, conn, header, []row{r}); err == nil || !refuses(err) {
			return err
		}
	}
	return e.refuse(header, r, err)
}

// refuse sets a row aside, durably, with the reason.
func (e *Exporter) refuse(header []string, r row, why error) error {
	object := map[string]string{"why": why.Error()}
	if r.broken != nil {
		object["line"] = r.raw
	} else {
		for i, name := range header {
			if r.fields[i] != "" {
				object[name] = r.fields[i]
			}
		}
	}
	line, err := json.Marshal(object)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(filepath.Join(e.cfg.Dir, RefusedFile), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(append(line, '\n'))
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	e.met.errors.Inc()
	e.mu.Lock()
	e.stats.Refused++
	e.mu.Unlock()
	e.log.Error().Err(why).Msg("the database refuses a record; it is set aside in " + RefusedFile)
	return nil
}
