package authsql_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/sqlstore"
	"github.com/alipayplus-mpp/alipayplus-go/auth/authsql"
)

// The schemas of all databases differ in types and collation only.
func TestSchemasAreOne(t *testing.T) {
	types := regexp.MustCompile(`\b(bigint|integer)\b`)
	plain := func(d sqlstore.Dialect) string {
		_, tables, _ := strings.Cut(authsql.Schema(d), "\n\n") // after the head
		tables = strings.ReplaceAll(tables, ` COLLATE "C"`, "")
		var lines []string
		for line := range strings.Lines(tables) {
			lines = append(lines, strings.Join(strings.Fields(types.ReplaceAllString(line, "number")), " "))
		}
		return strings.Join(lines, "\n")
	}
	if diff := cmp.Diff(plain(sqlstore.PostgreSQL), plain(sqlstore.SQLite)); diff != "" {
		t.Errorf("(-PostgreSQL +SQLite)\n%s", diff)
	}
	if !strings.HasSuffix(authsql.Schema(sqlstore.SQLite), ";\n") {
		t.Error("the last statement has no end")
	}
}
