-- The tables of auth/authsql on MySQL 8 and MariaDB 10.6 or later, version 1. Times
-- are microseconds since 1970, digests 64 hexadecimal characters. Ids are bytes: a
-- collation would find 'a ' as 'a'.

-- Authorization codes.
CREATE TABLE IF NOT EXISTS alipayplus_auth_code (
	digest   varbinary(64) PRIMARY KEY,
	version  bigint NOT NULL,
	erase_at bigint NOT NULL, -- when auth.Service.Run deletes it
	record   mediumtext NOT NULL,
	KEY alipayplus_auth_code_erase_at (erase_at)
) ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- One row for each authorization. record holds all of it; the columns up to
-- ended_at are for your own queries.
CREATE TABLE IF NOT EXISTS alipayplus_auth_token (
	id                     varbinary(64) PRIMARY KEY,
	customer_id            varbinary(1024) NOT NULL, -- the wallet's user
	auth_client_id         varbinary(1024) NOT NULL, -- who may use it, usually the merchant
	reference_agreement_id varbinary(1024) NOT NULL, -- '' for a token of an authorization code
	cancelled_at           bigint,
	ended_at               bigint NOT NULL,           -- it expires, or was cancelled
	access_digest          varbinary(64) NOT NULL UNIQUE,
	refresh_digest         varbinary(64) NOT NULL UNIQUE,
	old_access_digest      varbinary(64) UNIQUE,
	old_refresh_digest     varbinary(64) UNIQUE,
	erase_at               bigint,                    -- when auth.Service.Run has to look; NULL: never
	version                bigint NOT NULL,
	record                 mediumtext NOT NULL,
	KEY alipayplus_auth_token_erase_at (erase_at)
) ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
