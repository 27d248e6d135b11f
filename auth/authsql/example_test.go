package authsql_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"strings"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/sqlstore"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
	"github.com/alipayplus-mpp/alipayplus-go/auth/authsql"
)

// Payments and tokens in one PostgreSQL: the token of an agreement is stored in
// the transaction of its payment.
func ExampleOpen() {
	open := func(ctx context.Context, sealer *alipayplus.Sealer, ledger payment.Ledger) (*auth.Service, *payment.Service, error) {
		db, err := sql.Open("pgx", os.Getenv("DATABASE_URL"))
		if err != nil {
			return nil, nil, err
		}
		store, err := sqlstore.Open(ctx, db, sqlstore.PostgreSQL)
		if err != nil {
			return nil, nil, err
		}
		stores, err := authsql.Open(ctx, store)
		if err != nil {
			return nil, nil, err
		}
		tokens, err := auth.NewService(auth.Config{
			Stores: stores, Outbox: store.Outbox(), Sealer: sealer,
			RoutingNumber: "666", KeepAccessTokens: true,
		})
		if err != nil {
			return nil, nil, err
		}
		payments, err := payment.NewService(payment.ServiceConfig{
			Records: store.Payments(), Ledger: ledger, OnChange: tokens.OnPaid,
		})
		return tokens, payments, err
	}
	_ = open
}

// The statements for a migration tool, here the names of what they make.
func ExampleSchema() {
	for line := range strings.Lines(authsql.Schema(sqlstore.PostgreSQL)) {
		if words := strings.Fields(line); len(words) > 5 && words[0] == "CREATE" {
			fmt.Println(words[1], words[5])
		}
	}
	// Output:
	// TABLE alipayplus_auth_code
	// INDEX alipayplus_auth_code_erase_at
	// TABLE alipayplus_auth_token
	// INDEX alipayplus_auth_token_erase_at
}
