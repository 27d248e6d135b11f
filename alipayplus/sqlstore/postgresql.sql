-- The tables of alipayplus/sqlstore on PostgreSQL 13 or later, version 1.

CREATE TABLE alipayplus_schema (
	version integer NOT NULL
);
INSERT INTO alipayplus_schema (version) VALUES (1);

-- One row for each payment. record holds all of it; the other columns are for
-- your own queries and for finding what is due.
CREATE TABLE alipayplus_payment (
	payment_request_id text COLLATE "C" PRIMARY KEY, -- Alipay+'s id
	payment_id         text COLLATE "C" UNIQUE,      -- the wallet's id
	customer_id        text COLLATE "C" NOT NULL,
	state              text COLLATE "C" NOT NULL, -- open, verifying, paying, paid, failed, closed
	currency           text COLLATE "C" NOT NULL, -- of what the customer pays
	minor_units        bigint NOT NULL,           -- what the customer pays
	paid_at            timestamptz,
	next_at            timestamptz, -- when payment.Service.Run has to look; NULL: never
	updated_at         timestamptz NOT NULL,
	version            bigint NOT NULL,
	format             integer NOT NULL,
	record             text NOT NULL
);
CREATE INDEX alipayplus_payment_next_at ON alipayplus_payment (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX alipayplus_payment_updated_at ON alipayplus_payment (updated_at) WHERE next_at IS NULL;

-- refundRequestIds are unique over all payments.
CREATE TABLE alipayplus_refund (
	refund_request_id  text COLLATE "C" PRIMARY KEY,
	payment_request_id text COLLATE "C" NOT NULL
);
CREATE INDEX alipayplus_refund_payment ON alipayplus_refund (payment_request_id);

-- Messages to Alipay+.
CREATE TABLE alipayplus_outbox (
	seq           bigserial PRIMARY KEY,
	operation     text COLLATE "C" NOT NULL,
	message_key   text COLLATE "C" NOT NULL,
	message_group text COLLATE "C" NOT NULL DEFAULT '',
	state         smallint NOT NULL DEFAULT 0, -- 0 waiting, 1 acknowledged, 2 withdrawn, 3 dead letter
	message       text,                        -- NULL once acknowledged or withdrawn
	tries         integer NOT NULL DEFAULT 0,
	code          text NOT NULL DEFAULT '',    -- of the last verified answer
	put_at        timestamptz NOT NULL,
	due_at        timestamptz NOT NULL,        -- or the end of the lease
	lease         text NOT NULL DEFAULT '',
	ended_at      timestamptz,                 -- acknowledged or withdrawn
	UNIQUE (operation, message_key)
);
CREATE INDEX alipayplus_outbox_due ON alipayplus_outbox (due_at, seq) WHERE state = 0;
CREATE INDEX alipayplus_outbox_group ON alipayplus_outbox (message_group, seq) WHERE message_group <> '';
CREATE INDEX alipayplus_outbox_dead ON alipayplus_outbox (seq) WHERE state = 3;
CREATE INDEX alipayplus_outbox_ended ON alipayplus_outbox (ended_at) WHERE ended_at IS NOT NULL;

-- What inbound requests were answered.
CREATE TABLE alipayplus_idempotency (
	id              bigserial PRIMARY KEY,
	operation       text COLLATE "C" NOT NULL,
	idempotency_key text COLLATE "C" NOT NULL,
	fingerprint     bytea NOT NULL,
	owner           text COLLATE "C" NOT NULL, -- '' unless running
	lease_until     timestamptz NOT NULL,
	runs            integer NOT NULL DEFAULT 1,
	answered        boolean NOT NULL DEFAULT false,
	answer          bytea,
	began_at        timestamptz NOT NULL,      -- the last run
	UNIQUE (operation, idempotency_key)
);
CREATE INDEX alipayplus_idempotency_began_at ON alipayplus_idempotency (began_at);
