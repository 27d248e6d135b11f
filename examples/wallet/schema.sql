-- The wallet's own: money in HKD cents. balance is opening and all entries.
CREATE TABLE IF NOT EXISTS wallet_account (
	customer_id text PRIMARY KEY,
	opening     bigint NOT NULL,
	balance     bigint NOT NULL
);
CREATE TABLE IF NOT EXISTS wallet_entry (
	entry_key          text PRIMARY KEY,
	customer_id        text NOT NULL,
	payment_request_id text NOT NULL,
	minor_units        bigint NOT NULL, -- what the balance grows by
	at_ms              bigint NOT NULL
);
CREATE TABLE IF NOT EXISTS wallet_otp (
	payment_request_id text PRIMARY KEY,
	customer_id        text NOT NULL,
	otp                text NOT NULL
);

-- Of the played Alipay+: orders, what it was told about them, and agreements.
CREATE TABLE IF NOT EXISTS world_order (
	payment_request_id text PRIMARY KEY,
	code               text NOT NULL,
	kind               text NOT NULL,
	shop               text NOT NULL,
	currency           text NOT NULL,
	minor_units        bigint NOT NULL,
	expires_ms         bigint NOT NULL,
	result_code        text NOT NULL DEFAULT '', -- notified by the wallet
	result_status      text NOT NULL DEFAULT '',
	cancelled          bigint NOT NULL DEFAULT 0,  -- 1: taken back, and the wallet agreed
	UNIQUE (code)
);
CREATE TABLE IF NOT EXISTS world_agreement (
	agreement_id text PRIMARY KEY,
	shop         text NOT NULL,
	customer_id  text NOT NULL,
	token        text NOT NULL,
	alive        bigint NOT NULL
);
