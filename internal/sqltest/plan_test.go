package sqltest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/sqlstore"
	"github.com/alipayplus-mpp/alipayplus-go/internal/sqltest"
)

// fill makes n rows of each table, as a wallet has them: hardly anything is
// due.
func fill(t testing.TB, d *sqltest.Database, n int) {
	t.Helper()
	const recursive = `(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < ?1) SELECT n FROM c)`
	numbers := d.Pick(`generate_series(1, ?1) AS n`, `(SELECT seq AS n FROM seq_1_to_%d) numbers`, recursive)
	args := []any{n}
	if d.Dialect == sqlstore.MySQL {
		numbers, args = fmt.Sprintf(numbers, n), nil
	}
	now := d.Pick(`now()`, `UTC_TIMESTAMP(6)`, `unixepoch() * 1000`)
	text := func(prefix, n string) string {
		return d.Pick(`'`+prefix+`' || `+n, `concat('`+prefix+`', `+n+`)`, `'`+prefix+`' || `+n)
	}
	d.Exec(t, `INSERT INTO alipayplus_payment (payment_request_id, payment_id, customer_id, state, currency, minor_units, updated_at, version, format, record)
		SELECT `+text("F", "n")+`, `+text("W", "n")+`, `+text("C", "(n % 100)")+`, 'paid', 'KRW', 300, `+now+`, 1, 1, '{}' FROM `+numbers, args...)
	d.Exec(t, `INSERT INTO alipayplus_refund (refund_request_id, payment_request_id) SELECT `+text("R", "n")+`, `+text("F", "n")+` FROM `+numbers, args...)
	d.Exec(t, `INSERT INTO alipayplus_outbox (operation, message_key, message_group, state, put_at, due_at, ended_at)
		SELECT 'notifyPayment', `+text("F", "n")+`, CASE WHEN n % 2 = 0 THEN `+text("g", "n")+` ELSE '' END, 1, `+now+`, `+now+`, `+now+` FROM `+numbers, args...)
	d.Exec(t, `INSERT INTO alipayplus_idempotency (operation, idempotency_key, fingerprint, owner, lease_until, answered, began_at)
		SELECT 'pay', `+text("F", "n")+`, `+d.Pick(`'\x00'`, `x'00'`, `x'00'`)+`, '', `+now+`, true, `+now+` FROM `+numbers, args...)
	analyze(t, d)
}

// analyze tells the planner what the tables hold.
func analyze(t testing.TB, d *sqltest.Database) {
	t.Helper()
	d.Exec(t, d.Pick(`VACUUM FULL ANALYZE`, `ANALYZE TABLE alipayplus_payment, alipayplus_refund, alipayplus_outbox, alipayplus_idempotency`, `ANALYZE`))
}

// look looks at the plans of the statements that d has seen, and returns how many
// there were. None may read a whole table.
func look(t *testing.T, d *sqltest.Database) int {
	t.Helper()
	seen := make(map[string]bool)
	for _, call := range d.Watch.Calls() {
		if !strings.Contains(call.Text, " alipayplus_") || call.Is("UPDATE ALIPAYPLUS_SCHEMA") || seen[call.Text] {
			continue
		}
		seen[call.Text] = true
		if d.Dialect == sqlstore.MySQL && call.Is("INSERT") {
			continue // its plan says nothing
		}
		for _, step := range plan(t, d, call) {
			t.Log(step)
			if scans(step) {
				t.Errorf("%s\nreads a whole table: %s", call.Text, step)
			}
		}
	}
	return len(seen)
}

// plan returns how the database carries a statement out, one line for each
// step.
func plan(t *testing.T, d *sqltest.Database, call sqltest.Call) (steps []string) {
	t.Helper()
	var args []any
	for _, arg := range call.Args {
		args = append(args, arg.Value)
	}
	explain := "EXPLAIN "
	if d.Dialect == sqlstore.SQLite {
		explain = "EXPLAIN QUERY PLAN "
	}
	rows, err := d.DB.QueryContext(t.Context(), explain+call.Text, args...)
	if err != nil {
		t.Fatalf("%s: %v", call.Text, err)
	}
	defer func() { _ = rows.Close() }()
	columns, _ := rows.Columns()
	for rows.Next() {
		values := make([]any, len(columns))
		for i := range values {
			values[i] = new(any)
		}
		must(t, rows.Scan(values...))
		var texts []string
		for _, value := range values {
			switch text := (*value.(*any)).(type) {
			case string:
				texts = append(texts, text)
			case []byte:
				texts = append(texts, string(text))
			}
		}
		if d.Dialect == sqlstore.MySQL { // id, select type, table, access, …
			steps = append(steps, "MySQL "+strings.Join(texts[1:], " "))
			continue
		}
		steps = append(steps, texts[len(texts)-1])
	}
	must(t, rows.Err())
	return steps
}

// scans reports whether a step reads a whole table, or a whole index to sort
// it.
func scans(step string) bool {
	step = strings.TrimSpace(step)
	if strings.HasPrefix(step, "MySQL ") {
		words := strings.Fields(step)
		return slices.Contains(words, "ALL") || len(words) > 2 && words[2] == "index" && slices.Contains(words, "PRIMARY")
	}
	return strings.Contains(step, "Seq Scan on alipayplus_") ||
		strings.HasPrefix(step, "SCAN ") && strings.Contains(step, "alipayplus_") && !strings.Contains(step, "USING INDEX") ||
		strings.HasPrefix(step, "SCAN o") && !strings.Contains(step, "USING INDEX")
}
