package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"smsc/charging"
)

// table is the table of the records (spec records §7).
type table struct {
	name  pgx.Identifier
	types map[string]string // by column
}

func newTable(name string) table {
	t := table{name: pgx.Identifier(strings.Split(name, ".")), types: make(map[string]string)}
	for _, c := range charging.Columns() {
		t.types[c.Name] = sqlType(c)
	}
	return t
}

// sqlType is what a column is to SQL.
func sqlType(c charging.Column) string {
	switch c.Kind {
	case charging.Moment:
		return "timestamptz"
	case charging.Count:
		return "bigint"
	case charging.Truth:
		return "boolean"
	case charging.Amount:
		return "numeric"
	}
	return "text"
}

// ensure makes the table where there is none, and adds columns that it has
// not got. Nothing else is altered.
func (t table) ensure(ctx context.Context, conn *pgx.Conn) error {
	name := t.name.Sanitize()
	last := t.name[len(t.name)-1]
	var columns, added []string
	for _, c := range charging.Columns() {
		column := pgx.Identifier{c.Name}.Sanitize() + " " + t.types[c.Name]
		if c.Name == "record_id" {
			column += " PRIMARY KEY"
		} else {
			added = append(added, "ADD COLUMN IF NOT EXISTS "+column)
		}
		columns = append(columns, column)
	}
	statements := []string{
		"CREATE TABLE IF NOT EXISTS " + name + " (" + strings.Join(columns, ", ") + ")",
		"ALTER TABLE " + name + " " + strings.Join(added, ", "),
	}
	for suffix, on := range map[string]string{"submit_date": "submit_date", "message_id": "message_id", "network_id": "network_id, delivery_date"} {
		statements = append(statements, fmt.Sprintf("CREATE INDEX IF NOT EXISTS %s ON %s (%s)",
			pgx.Identifier{last + "_" + suffix}.Sanitize(), name, on))
	}
	// Two houses that start at once must not trip over each other: the lock
	// goes with the transaction.
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtext($1))", name); err != nil {
			return err
		}
		for _, s := range statements {
			if _, err := tx.Exec(ctx, s); err != nil {
				return err
			}
		}
		return nil
	})
}

// insert writes rows under one header by one statement. Those whose record_id
// is there already are passed over. It returns how many were new.
func (t table) insert(ctx context.Context, conn *pgx.Conn, header []string, rows []row) (int64, error) {
	var names, from, casts []string
	args := make([]any, 0, len(header))
	for i, column := range header {
		kind := t.types[column]
		if kind == "" {
			continue // of a later version
		}
		values := make([]*string, len(rows))
		for k := range rows {
			if v := rows[k].fields[i]; v != "" {
				values[k] = &v
			}
		}
		args = append(args, values)
		names = append(names, pgx.Identifier{column}.Sanitize())
		from = append(from, fmt.Sprintf("$%d::text[]", len(args)))
		casts = append(casts, fmt.Sprintf("c%d::%s", len(args), kind))
	}
	aliases := make([]string, len(args))
	for i := range aliases {
		aliases[i] = fmt.Sprintf("c%d", i+1)
	}
	tag, err := conn.Exec(ctx, "INSERT INTO "+t.name.Sanitize()+" ("+strings.Join(names, ", ")+") SELECT "+strings.Join(casts, ", ")+
		" FROM unnest("+strings.Join(from, ", ")+") AS r("+strings.Join(aliases, ", ")+") ON CONFLICT (record_id) DO NOTHING", args...)
	return tag.RowsAffected(), err
}
