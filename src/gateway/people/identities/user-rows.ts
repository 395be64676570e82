import type { Connection } from '../../store/sqlite.ts'
import { ACCOUNT, type Budget, type StoredUser, type UserKind } from '../../identity.ts'

/** Users of the state, and groups that nobody has to be in, as rows of the history's file. */
export class UserRows {
  readonly #statements: ReturnType<typeof prepare>

  constructor(db: Connection) {
    this.#statements = prepare(db)
  }

  all(): StoredUser[] {
    return (this.#statements.all.all([]) as Columns[]).map(toUser)
  }

  /** A new one, or what has become of one. */
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

  /** What made the last user of this name that was removed, where it was an account elsewhere. */
  formerAccount(name: string): string | undefined {
    return (this.#statements.formerAccount.get([name]) as [string] | undefined)?.[0]
  }

  /** Whether sessions or reviews are recorded under this name. */
  isInHistory(name: string): boolean {
    return this.#statements.isInHistory.get([name, name]) !== undefined
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

type Columns = [
  name: string,
  kind: UserKind,
  groups: string,
  budget: string | null,
  createdAt: number,
  createdBy: string,
  deactivatedAt: number | null,
  deactivatedBy: string | null,
]

function toUser([name, kind, groups, budget, createdAt, createdBy, ...rest]: Columns): StoredUser {
  const [deactivatedAt, deactivatedBy] = rest
  return {
    ...{ name, kind, createdAt, createdBy },
    groups: JSON.parse(groups) as string[],
    isActive: deactivatedAt === null,
    isDeclared: false,
    ...(budget !== null && { budget: JSON.parse(budget) as Budget }),
    ...(deactivatedAt !== null && { deactivatedAt }),
    ...(deactivatedBy !== null && { deactivatedBy }),
  }
}

const COLUMNS = 'name, kind, groups, budget, created_at, created_by, deactivated_at, deactivated_by'

function prepare(db: Connection) {
  return {
    all: db.prepare(`SELECT ${COLUMNS} FROM users ORDER BY name`).raw(),
    put: db.prepare(`INSERT OR REPLACE INTO users (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`),
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
    groups: db.prepare('SELECT name FROM user_groups ORDER BY name').raw(),
    addGroup: db.prepare('INSERT OR IGNORE INTO user_groups (name) VALUES (?)'),
    removeGroup: db.prepare('DELETE FROM user_groups WHERE name = ?'),
  }
}
