package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
)

// authorizations are the merchants that a customer pays with one click, in the
// app: they are shown, and ended.
type authorizations struct {
	db     *sql.DB
	client *alipayplus.Client
	tokens *auth.Service
}

// authorization is one of them.
type authorization struct {
	ID     string `json:"id"`
	Client string `json:"client"`
}

func (a authorizations) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /app/authorizations/{$}", a.list)
	mux.HandleFunc("DELETE /app/authorizations/{id}", a.end)
	return mux
}

func (a authorizations) list(w http.ResponseWriter, r *http.Request) {
	id, err := customer(r)
	if err != nil {
		http.Error(w, "sign in", http.StatusUnauthorized)
		return
	}
	found, err := a.of(r.Context(), id)
	if err != nil {
		unavailable(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(found)
}

// end ends one that is the customer's own: 204, or 409 if the merchant must end it
// (payments are open there). After 503 the app asks again.
func (a authorizations) end(w http.ResponseWriter, r *http.Request) {
	id, err := customer(r)
	if err != nil {
		http.Error(w, "sign in", http.StatusUnauthorized)
		return
	}
	switch allowed, err := a.tokens.Unbind(r.Context(), a.client, r.PathValue("id"), id); {
	case errors.Is(err, auth.ErrNotFound):
		http.NotFound(w, r)
	case err != nil:
		unavailable(w, err)
	case allowed:
		w.WriteHeader(http.StatusNoContent)
	default:
		http.Error(w, "end it at the merchant", http.StatusConflict)
	}
}

// of reads the live authorizations of a customer; see package authsql.
func (a authorizations) of(ctx context.Context, customer string) ([]authorization, error) {
	rows, err := a.db.QueryContext(ctx, `SELECT id, auth_client_id FROM alipayplus_auth_token
		WHERE customer_id = $1 AND reference_agreement_id <> '' AND ended_at > $2`, customer, time.Now().UnixMicro())
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	found := []authorization{}
	for rows.Next() {
		var one authorization
		if err := rows.Scan(&one.ID, &one.Client); err != nil {
			return nil, err
		}
		found = append(found, one)
	}
	return found, rows.Err()
}

func unavailable(w http.ResponseWriter, err error) {
	slog.Error("authorizations", "err", err)
	http.Error(w, "Please try again.", http.StatusServiceUnavailable)
}
