import {
  ACCOUNT,
  type Budget,
  type StoredUser,
  type UserKind,
  type StoredToken,
  type AccessTokenKind,
} from '../../identity.ts'
import type { Room } from '../../store/room.ts'
import type { Connection } from '../../store/sqlite.ts'

class UserRows {
  readonly #statements: ReturnType<typeof userStatements>

  constructor(db: Connection) {
    this.#statements = userStatements(db)
  }

  all(): StoredUser[] {
    return (this.#statements.all.all([]) as UserColumns[]).map(toUser)
  }

  put(user: StoredUser): void {
    const { name, kind, groups, budget, createdAt, createdBy, deactivatedAt, deactivatedBy } = user
    const texts = [JSON.stringify(groups), budget === undefined ? null : JSON.stringify(budget)]
    const deactivated = [deactivatedAt ?? null, deactivatedBy ?? null]
    this.#statements.put.run([name, kind, ...texts, createdAt, createdBy, ...deactivated])
  }

  remove(name: string): void {
    const { forgetAccount, keepAccount, remove } = this.#statements
    forgetAccount.run([name])
    keepAccount.run([name, `${ACCOUNT}%`])
    remove.run([name])
  }

  /** Returns the external account of the user who last had this name and was removed. */
  formerAccount(name: string): string | undefined {
    return (this.#statements.formerAccount.get([name]) as [string] | undefined)?.[0]
  }

  /** Tells whether sessions or reviews are recorded under this name. */
  isInHistory(name: string): boolean {
    return this.#statements.isInHistory.get([name, name]) !== undefined
  }

  /**
   * Notes the users of gateway.yaml.
   * @param names names in the current settings
   * @param missed names that were missing in earlier settings, and may be there again
   * @returns the generation of each name
   */
  noteDeclared(names: readonly string[], missed: readonly string[]): Map<string, number> {
    const { markMissing, putDeclared } = this.#statements
    const current = JSON.stringify(names)
    markMissing.run([JSON.stringify(missed), current])
    putDeclared.run([current])
    return this.declared()
  }

  /** Returns the generation of each name in the settings that were noted last. */
  declared(): Map<string, number> {
    return new Map(this.#statements.declared.all([]) as [string, number][])
  }

  groups(): string[] {
    return (this.#statements.groups.all([]) as [string][]).map(([name]) => name)
  }

  addGroup(name: string): void {
    this.#statements.addGroup.run([name])
  }

  removeGroup(name: string): void {
    this.#statements.removeGroup.run([name])
  }
}

type UserColumns = [
  name: string,
  kind: UserKind,
  groups: string,
  budget: string | null,
  createdAt: number,
  createdBy: string,
  deactivatedAt: number | null,
  deactivatedBy: string | null,
]

function toUser([name, kind, groups, budget, createdAt, createdBy, ...rest]: UserColumns): StoredUser {
  const [deactivatedAt, deactivatedBy] = rest
  return {
    name,
    kind,
    createdAt,
    createdBy,
    groups: JSON.parse(groups) as string[],
    isActive: deactivatedAt === null,
    isDeclared: false,
    ...(budget !== null && { budget: JSON.parse(budget) as Budget }),
    ...(deactivatedAt !== null && { deactivatedAt }),
    ...(deactivatedBy !== null && { deactivatedBy }),
  }
}

const USER_COLUMNS = 'name, kind, groups, budget, created_at, created_by, deactivated_at, deactivated_by'

function userStatements(db: Connection) {
  return {
    all: db.prepare(`SELECT ${USER_COLUMNS} FROM users ORDER BY name`).raw(),
    put: db.prepare(`INSERT OR REPLACE INTO users (${USER_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`),
    remove: db.prepare('DELETE FROM users WHERE name = ?'),
    forgetAccount: db.prepare('DELETE FROM former_accounts WHERE name = ?'),
    keepAccount: db.prepare(`INSERT INTO former_accounts (name, account)
                             SELECT name, created_by FROM users WHERE name = ? AND created_by LIKE ?`),
    formerAccount: db.prepare('SELECT account FROM former_accounts WHERE name = ?').raw(),
    isInHistory: db
      .prepare(
        'SELECT 1 FROM sessions WHERE user = ? UNION ALL SELECT 1 FROM reviews WHERE owner = ? LIMIT 1',
      )
      .raw(),
    markMissing: db.prepare(`UPDATE declared_users SET is_there = 0
      WHERE is_there = 1 AND (name IN (SELECT value FROM json_each(?))
        OR name NOT IN (SELECT value FROM json_each(?)))`),
    putDeclared: db.prepare(`INSERT INTO declared_users (name, generation, is_there)
      SELECT value, 1, 1 FROM json_each(?) WHERE true
      ON CONFLICT (name) DO UPDATE SET generation = generation + 1 - is_there, is_there = 1`),
    declared: db.prepare('SELECT name, generation FROM declared_users WHERE is_there = 1').raw(),
    groups: db.prepare('SELECT name FROM user_groups ORDER BY name').raw(),
    addGroup: db.prepare('INSERT OR IGNORE INTO user_groups (name) VALUES (?)'),
    removeGroup: db.prepare('DELETE FROM user_groups WHERE name = ?'),
  }
}

/**
 * There is no foreign key, because the user of a token may be a user of gateway.yaml. `groups` and `budget`
 * are JSON. `tokens.sha256` is the hash of the token's text. The text is not stored. `token_uses` also has
 * tokens of gateway.yaml.
 */
const VERSION_11 = `
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

/** Removed users of external accounts. Only the same account may get the name and its sessions again. */
const VERSION_17 = `
  CREATE TABLE history.former_accounts (name TEXT PRIMARY KEY, account TEXT NOT NULL) WITHOUT ROWID;`

/**
 * `of_page` marks the token of a browser's cookie. `parent` is the SHA-256 of the token that was used for the
 * sign-in, if there was one.
 */
const VERSION_18 = `
  ALTER TABLE history.tokens ADD COLUMN of_page INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE history.tokens ADD COLUMN parent BLOB;`

/** `for_mcp` marks a token that only `/mcp` accepts; the others say since when it is paused, and by whom. */
const VERSION_36 = `
  ALTER TABLE history.tokens ADD COLUMN for_mcp INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE history.tokens ADD COLUMN paused_at INTEGER;
  ALTER TABLE history.tokens ADD COLUMN paused_by TEXT;`

/**
 * Names that users of gateway.yaml have or had. A generation counts the users who had the name one after the
 * other. Rows are kept, because a later user of the name must not count as the former one.
 */
const VERSION_26 = `
  CREATE TABLE history.declared_users (
    name TEXT PRIMARY KEY,
    generation INTEGER NOT NULL,
    is_there INTEGER NOT NULL
  ) WITHOUT ROWID;`

declare module '../../store/room.ts' {
  interface Tables {
    readonly users: UserRows
  }
}

export const userRoom: Room<UserRows> = {
  rows: (db) => new UserRows(db),
  steps: { 11: VERSION_11, 17: VERSION_17, 18: VERSION_18, 26: VERSION_26, 36: VERSION_36 },
  json: { users: ['groups', 'budget'] },
}

/** Tokens of the state, and last uses of all tokens. */
class TokenRows {
  readonly #statements: ReturnType<typeof tokenStatements>

  constructor(db: Connection) {
    this.#statements = tokenStatements(db)
  }

  all(): StoredToken[] {
    return (this.#statements.all.all([]) as TokenColumns[]).map(toToken)
  }

  put(token: StoredToken): void {
    const { id, user, name, kind, sha256, createdAt, createdBy } = token
    const made = [id, user, name, kind, sha256, createdAt, createdBy]
    const { expiresAt, revokedAt, revokedBy, replacedBy, page, pausedAt, pausedBy } = token
    const ends = [expiresAt, revokedAt, revokedBy, replacedBy, page?.parent, pausedAt, pausedBy]
    const uses = [page === undefined ? 0 : 1, token.isForMcp === true ? 1 : 0]
    this.#statements.put.run([...made, ...ends.map((value) => value ?? null), ...uses])
  }

  remove(id: string): void {
    this.#statements.remove.run([id])
    this.#statements.forgetUse.run([id])
  }

  uses(): Map<string, number> {
    return new Map(this.#statements.uses.all([]) as [string, number][])
  }

  noteUse(id: string, usedAt: number): void {
    this.#statements.noteUse.run([id, usedAt])
  }
}

type TokenColumns = [
  id: string,
  user: string,
  name: string,
  kind: AccessTokenKind,
  sha256: Buffer,
  createdAt: number,
  createdBy: string,
  expiresAt: number | null,
  revokedAt: number | null,
  revokedBy: string | null,
  replacedBy: string | null,
  parent: Buffer | null,
  pausedAt: number | null,
  pausedBy: string | null,
  ofPage: 0 | 1,
  forMcp: 0 | 1,
]

function toToken([id, user, name, kind, sha256, createdAt, createdBy, ...ends]: TokenColumns): StoredToken {
  const [expiresAt, revokedAt, revokedBy, replacedBy, parent, pausedAt, pausedBy, ofPage, forMcp] = ends
  return {
    id,
    user,
    name,
    kind,
    isDeclared: false,
    sha256: Buffer.from(sha256),
    createdAt,
    createdBy,
    ...(expiresAt !== null && { expiresAt }),
    ...(revokedAt !== null && { revokedAt }),
    ...(revokedBy !== null && { revokedBy }),
    ...(replacedBy !== null && { replacedBy }),
    ...(pausedAt !== null && { pausedAt }),
    ...(pausedBy !== null && { pausedBy }),
    ...(forMcp === 1 && { isForMcp: true as const }),
    ...(ofPage === 1 && { page: parent === null ? {} : { parent: Buffer.from(parent) } }),
  }
}

const TOKEN_COLUMNS =
  'id, user, name, kind, sha256, created_at, created_by, expires_at, revoked_at, revoked_by, replaced_by, parent, paused_at, paused_by, of_page, for_mcp'

function tokenStatements(db: Connection) {
  return {
    all: db.prepare(`SELECT ${TOKEN_COLUMNS} FROM tokens ORDER BY created_at, id`).raw(),
    put: db.prepare(
      `INSERT OR REPLACE INTO tokens (${TOKEN_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    remove: db.prepare('DELETE FROM tokens WHERE id = ?'),
    forgetUse: db.prepare('DELETE FROM token_uses WHERE token = ?'),
    uses: db.prepare('SELECT token, used_at FROM token_uses').raw(),
    noteUse: db.prepare('INSERT OR REPLACE INTO token_uses (token, used_at) VALUES (?, ?)'),
  }
}

declare module '../../store/room.ts' {
  interface Tables {
    readonly tokens: TokenRows
  }
}

/** The tables of tokens are created together with the tables of users. */
export const tokenRoom: Room<TokenRows> = { rows: (db) => new TokenRows(db), steps: {} }
