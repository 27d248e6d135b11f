-- The tables of alipayplus/sqlstore on MySQL 8 and MariaDB 10.6 or later,
-- version 1. Times are UTC. Ids are bytes: a collation would find 'a ' as 'a'.

-- One row for each payment. record holds all of it; the other columns are for
-- your own queries and for finding what is due.
CREATE TABLE IF NOT EXISTS alipayplus_payment (
	payment_request_id VARBINARY(767) NOT NULL PRIMARY KEY,      -- Alipay+'s id
	payment_id         VARBINARY(767) UNIQUE,                    -- the wallet's id
	customer_id        VARBINARY(2048) NOT NULL,
	state              VARBINARY(64) NOT NULL,                   -- open, verifying, paying, paid, failed, closed
	currency           VARBINARY(64) NOT NULL,                   -- of what the customer pays
	minor_units        BIGINT NOT NULL,                          -- what the customer pays
	paid_at            DATETIME(6),
	next_at            DATETIME(6),                              -- when payment.Service.Run has to look; NULL: never
	updated_at         DATETIME(6) NOT NULL,
	version            BIGINT NOT NULL,
	format             INT NOT NULL,
	record             MEDIUMTEXT,
	KEY alipayplus_payment_times (next_at, updated_at)
) ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- refundRequestIds are unique over all payments.
CREATE TABLE IF NOT EXISTS alipayplus_refund (
	refund_request_id  VARBINARY(767) NOT NULL PRIMARY KEY,
	payment_request_id VARBINARY(767) NOT NULL,
	KEY alipayplus_refund_payment (payment_request_id)
) ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Messages to Alipay+.
CREATE TABLE IF NOT EXISTS alipayplus_outbox (
	seq           BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
	operation     VARBINARY(255) NOT NULL,
	message_key   VARBINARY(1024) NOT NULL,
	message_group VARBINARY(1024) NOT NULL DEFAULT '',
	state         TINYINT NOT NULL DEFAULT 0,        -- 0 waiting, 1 acknowledged, 2 withdrawn, 3 dead letter
	message       MEDIUMTEXT,                        -- NULL once acknowledged or withdrawn
	tries         INT NOT NULL DEFAULT 0,
	code          VARBINARY(1024) NOT NULL DEFAULT '', -- of the last verified answer
	put_at        DATETIME(6) NOT NULL,
	due_at        DATETIME(6) NOT NULL,              -- or the end of the lease
	lease         VARBINARY(64) NOT NULL DEFAULT '',
	ended_at      DATETIME(6),                       -- acknowledged or withdrawn
	UNIQUE KEY alipayplus_outbox_key (operation, message_key),
	KEY alipayplus_outbox_due (state, due_at),
	KEY alipayplus_outbox_group (message_group),
	KEY alipayplus_outbox_ended (ended_at)
) ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What inbound requests were answered.
CREATE TABLE IF NOT EXISTS alipayplus_idempotency (
	id              BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
	operation       VARBINARY(255) NOT NULL,
	idempotency_key VARBINARY(1024) NOT NULL,
	fingerprint     VARBINARY(64) NOT NULL,
	owner           VARBINARY(255) NOT NULL, -- '' unless running
	lease_until     DATETIME(6) NOT NULL,
	runs            INT NOT NULL DEFAULT 1,
	answered        BOOLEAN NOT NULL DEFAULT FALSE,
	answer          MEDIUMBLOB,
	began_at        DATETIME(6) NOT NULL,    -- the last run
	UNIQUE KEY alipayplus_idempotency_key (operation, idempotency_key),
	KEY alipayplus_idempotency_began_at (began_at)
) ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The last one: the tables of MySQL are not made in one transaction.
CREATE TABLE IF NOT EXISTS alipayplus_schema (
	version INT NOT NULL PRIMARY KEY
) ENGINE=InnoDB;
INSERT INTO alipayplus_schema (version) VALUES (1);
