import type { Room } from '../../store/room.ts'
import type { Connection } from '../../store/sqlite.ts'
import type { StoredToken, AccessTokenKind } from '../../identity.ts'

/** Tokens of the state, and when tokens were used last, as rows of the history's file. */
export class TokenRows {
  readonly #statements: ReturnType<typeof prepare>

  constructor(db: Connection) {
    this.#statements = prepare(db)
  }

  all(): StoredToken[] {
    return (this.#statements.all.all([]) as Columns[]).map(toToken)
  }

  /** A new one, or what has become of one. */
  put(token: StoredToken): void {
    const { id, user, name, kind, sha256, createdAt, createdBy } = token
    const made = [id, user, name, kind, sha256, createdAt, createdBy]
    const { expiresAt, revokedAt, revokedBy, replacedBy, page } = token
    const ends = [expiresAt, revokedAt, revokedBy, replacedBy, page?.parent].map((value) => value ?? null)
    this.#statements.put.run([...made, ...ends, page === undefined ? 0 : 1])
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

type Columns = [
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
  ofPage: 0 | 1,
]

function toToken([id, user, name, kind, sha256, createdAt, createdBy, ...ends]: Columns): StoredToken {
  const [expiresAt, revokedAt, revokedBy, replacedBy, parent, ofPage] = ends
  return {
    ...{ id, user, name, kind, isDeclared: false, sha256: Buffer.from(sha256), createdAt, createdBy },
    ...(expiresAt !== null && { expiresAt }),
    ...(revokedAt !== null && { revokedAt }),
    ...(revokedBy !== null && { revokedBy }),
    ...(replacedBy !== null && { replacedBy }),
    ...(ofPage === 1 && { page: parent === null ? {} : { parent: Buffer.from(parent) } }),
  }
}

const COLUMNS =
  'id, user, name, kind, sha256, created_at, created_by, expires_at, revoked_at, revoked_by, replaced_by, parent, of_page'

function prepare(db: Connection) {
  return {
    all: db.prepare(`SELECT ${COLUMNS} FROM tokens ORDER BY created_at, id`).raw(),
    put: db.prepare(
      `INSERT OR REPLACE INTO tokens (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
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

/** Its tables come with those of users. */
export const tokenRoom: Room<TokenRows> = { rows: (db) => new TokenRows(db), steps: {} }
