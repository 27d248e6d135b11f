-- The wallet's own tables, on PostgreSQL and SQLite alike.
CREATE TABLE IF NOT EXISTS account (
	customer text   NOT NULL,
	currency text   NOT NULL,
	balance  bigint NOT NULL, -- in smallest units
	PRIMARY KEY (customer, currency)
);
CREATE TABLE IF NOT EXISTS entry (
	key        text   PRIMARY KEY, -- of the debit or the credit, unique over all payments
	payment_id text   NOT NULL,
	customer   text   NOT NULL,
	minor      bigint NOT NULL -- negative for a debit
);
CREATE TABLE IF NOT EXISTS login (
	kind     text NOT NULL, -- userLoginIdType, or paymentMethodId
	login    text NOT NULL,
	customer text NOT NULL,
	PRIMARY KEY (kind, login)
);
CREATE TABLE IF NOT EXISTS pin (
	customer text    PRIMARY KEY,
	mac      text    NOT NULL, -- see customers.mac
	tries    integer NOT NULL DEFAULT 0
);
