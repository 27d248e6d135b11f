-- The tables of auth/authsql on PostgreSQL 13 or later, version 1. Times are
-- microseconds since 1970, digests 64 hexadecimal characters.

-- Authorization codes.
CREATE TABLE IF NOT EXISTS alipayplus_auth_code (
	digest   text COLLATE "C" PRIMARY KEY,
	version  bigint NOT NULL,
	erase_at bigint NOT NULL, -- when auth.Service.Run deletes it
	record   text NOT NULL
);
CREATE INDEX IF NOT EXISTS alipayplus_auth_code_erase_at ON alipayplus_auth_code (erase_at);

-- One row for each authorization. record holds all of it; the columns up to
-- ended_at are for your own queries.
CREATE TABLE IF NOT EXISTS alipayplus_auth_token (
	id                     text COLLATE "C" PRIMARY KEY,
	customer_id            text COLLATE "C" NOT NULL, -- the wallet's user
	auth_client_id         text COLLATE "C" NOT NULL, -- who may use it, usually the merchant
	reference_agreement_id text COLLATE "C" NOT NULL, -- '' for a token of an authorization code
	cancelled_at           bigint,
	ended_at               bigint NOT NULL,           -- it expires, or was cancelled
	access_digest          text COLLATE "C" NOT NULL UNIQUE,
	refresh_digest         text COLLATE "C" NOT NULL UNIQUE,
	old_access_digest      text COLLATE "C" UNIQUE,
	old_refresh_digest     text COLLATE "C" UNIQUE,
	erase_at               bigint,                    -- when auth.Service.Run has to look; NULL: never
	version                bigint NOT NULL,
	record                 text NOT NULL
);
CREATE INDEX IF NOT EXISTS alipayplus_auth_token_erase_at ON alipayplus_auth_token (erase_at) WHERE erase_at IS NOT NULL;
