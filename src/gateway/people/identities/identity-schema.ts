/**
 * Users and tokens beside those of gateway.yaml. A token's user may be one of gateway.yaml, so it is no foreign key.
 * `groups` and `budget` are JSON. `tokens.sha256` is of the token's text, which is nowhere; `kind` is what it is for.
 * `token_uses` has those of gateway.yaml, too.
 */
export const VERSION_11 = `
  CREATE TABLE history.users (
    name TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('person', 'machine')),
    groups TEXT NOT NULL,
    budget TEXT,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    deactivated_at INTEGER,
    deactivated_by TEXT
  );
  CREATE TABLE history.user_groups (name TEXT PRIMARY KEY);
  CREATE TABLE history.tokens (
    id TEXT PRIMARY KEY,
    user TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('personal', 'sign-in')),
    sha256 BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER,
    revoked_by TEXT,
    replaced_by TEXT
  );
  CREATE INDEX history.tokens_by_user ON tokens (user);
  CREATE TABLE history.token_uses (token TEXT PRIMARY KEY, used_at INTEGER NOT NULL);`

/** Of users who were deleted and came from an account elsewhere: to it alone the name, and its sessions, are given again. */
export const VERSION_17 = `
  CREATE TABLE history.former_accounts (name TEXT PRIMARY KEY, account TEXT NOT NULL) WITHOUT ROWID;`

/** `of_page`: the token of a browser's cookie. `parent` is the SHA-256 of the token that it was signed in with, if any. */
export const VERSION_18 = `
  ALTER TABLE history.tokens ADD COLUMN of_page INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE history.tokens ADD COLUMN parent BLOB;`
