-- The tables of alipayplus/sqlstore on SQLite 3.35 or later, version 1. Times
-- are milliseconds since 1970.

CREATE TABLE alipayplus_schema (
	version INTEGER NOT NULL
);
INSERT INTO alipayplus_schema (version) VALUES (1);

-- One row for each payment. record holds all of it; the other columns are for
-- your own queries and for finding what is due.
CREATE TABLE alipayplus_payment (
	payment_request_id TEXT NOT NULL PRIMARY KEY, -- Alipay+'s id
	payment_id         TEXT UNIQUE,               -- the wallet's id
	customer_id        TEXT NOT NULL,
	state              TEXT NOT NULL,    -- open, verifying, paying, paid, failed, closed
	currency           TEXT NOT NULL,    -- of what the customer pays
	minor_units        INTEGER NOT NULL, -- what the customer pays
	paid_at            INTEGER,
	next_at            INTEGER, -- when payment.Service.Run has to look; NULL: never
	updated_at         INTEGER NOT NULL,
	version            INTEGER NOT NULL,
	format             INTEGER NOT NULL,
	record             TEXT NOT NULL
);
CREATE INDEX alipayplus_payment_next_at ON alipayplus_payment (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX alipayplus_payment_updated_at ON alipayplus_payment (updated_at) WHERE next_at IS NULL;

-- refundRequestIds are unique over all payments.
CREATE TABLE alipayplus_refund (
	refund_request_id  TEXT NOT NULL PRIMARY KEY,
	payment_request_id TEXT NOT NULL
);
CREATE INDEX alipayplus_refund_payment ON alipayplus_refund (payment_request_id);

-- Messages to Alipay+.
CREATE TABLE alipayplus_outbox (
	seq           INTEGER PRIMARY KEY AUTOINCREMENT,
	operation     TEXT NOT NULL,
	message_key   TEXT NOT NULL,
	message_group TEXT NOT NULL DEFAULT '',
	state         INTEGER NOT NULL DEFAULT 0, -- 0 waiting, 1 acknowledged, 2 withdrawn, 3 dead letter
	message       TEXT,                       -- NULL once acknowledged or withdrawn
	tries         INTEGER NOT NULL DEFAULT 0,
	code          TEXT NOT NULL DEFAULT '',   -- of the last verified answer
	put_at        INTEGER NOT NULL,
	due_at        INTEGER NOT NULL,           -- or the end of the lease
	lease         TEXT NOT NULL DEFAULT '',
	ended_at      INTEGER,                    -- acknowledged or withdrawn
	UNIQUE (operation, message_key)
);
CREATE INDEX alipayplus_outbox_due ON alipayplus_outbox (due_at, seq) WHERE state = 0;
CREATE INDEX alipayplus_outbox_group ON alipayplus_outbox (message_group, seq) WHERE message_group <> '';
CREATE INDEX alipayplus_outbox_dead ON alipayplus_outbox (seq) WHERE state = 3;
CREATE INDEX alipayplus_outbox_ended ON alipayplus_outbox (ended_at) WHERE ended_at IS NOT NULL;

-- What inbound requests were answered.
CREATE TABLE alipayplus_idempotency (
	id              INTEGER PRIMARY KEY AUTOINCREMENT,
	operation       TEXT NOT NULL,
	idempotency_key TEXT NOT NULL,
	fingerprint     BLOB NOT NULL,
	owner           TEXT NOT NULL, -- '' unless running
	lease_until     INTEGER NOT NULL,
	runs            INTEGER NOT NULL DEFAULT 1,
	answered        INTEGER NOT NULL DEFAULT 0,
	answer          BLOB,
	began_at        INTEGER NOT NULL, -- the last run
	UNIQUE (operation, idempotency_key)
);
CREATE INDEX alipayplus_idempotency_began_at ON alipayplus_idempotency (began_at);
