import AsyncDatabase from 'libsql/promise'
import { code, historyError, isNoRoom, HistoryError } from './errors.ts'
import type { Layout } from './room.ts'
import { hasLog, refuseLinks, releaseLock, takeLock, urlOf } from './sqlite.ts'

export interface Health {
  readonly faults: readonly string[]
  /** Tables whose examination was not finished in time. */
  readonly unseen: readonly string[]
}

interface Depth {
  /** `whole` also checks indexes and foreign keys, and tests if the program can read the rows. */
  readonly depth: 'quick' | 'whole'
  readonly withinMs: number
}

/** Maximum number of faults to report. One fault is enough to need a repair. */
const MAX_FAULTS = 5
const INTERRUPT_EVERY_MS = 100

/**
 * Looks for damage and changes nothing. No other process may use the history. SQLite works on a thread of its
 * own, and is interrupted after `withinMs`.
 * @throws HistoryError when the check is impossible
 */
export async function examineHistory(
  file: string,
  layout: Layout,
  { depth, withinMs }: Depth,
): Promise<Health> {
  const db = new AsyncDatabase(':memory:', {})
  const end = performance.now() + withinMs
  const examination = new Examination(db, end)
  // SQLite forgets an interrupt that arrives between two statements, so the interrupt is repeated.
  const late = setInterval(() => performance.now() >= end && db.interrupt(), INTERRUPT_EVERY_MS)
  try {
    refuseLinks(file)
    await examination.open(file)
    await examination.lookAtPages(depth)
    if (depth === 'whole') await examination.lookAtRows(layout)
    return examination
  } catch (error) {
    if (code(error) === 'SQLITE_INTERRUPT')
      return { faults: examination.faults, unseen: [...examination.unseen, 'the remaining tables'] }
    if (!isDamage(error)) throw historyError(file, 'examine it', error)
    return { faults: [...examination.faults, (error as Error).message], unseen: examination.unseen }
  } finally {
    clearInterval(late)
    await examination.close()
    db.close()
  }
}

/** `malformed JSON` is also damage: with generated columns, one invalid row makes a statement fail. */
export function isDamage(error: unknown): boolean {
  return (
    (error instanceof Error && error.message === 'malformed JSON') ||
    /^SQLITE_(CORRUPT|NOTADB|IOERR_SHORT_READ)/.test(code(error))
  )
}

class Examination implements Health {
  readonly faults: string[] = []
  readonly unseen: string[] = []
  readonly #db: AsyncDatabase
  readonly #end: number

  constructor(db: AsyncDatabase, end: number) {
    this.#db = db
    this.#end = end
  }

  /** Uses `immutable` if there is no log, because SQLite would otherwise create files beside the history. */
  async open(file: string): Promise<void> {
    await (this.#db.exec(
      `ATTACH '${urlOf(file)}?${hasLog(file) ? 'mode=ro' : 'immutable=1'}' AS history`,
    ) as Promise<void>)
  }

  /**
   * Detaches the file, which otherwise stays open until the garbage collector has collected the statements.
   */
  async close(): Promise<void> {
    await (this.#db.exec('DETACH history') as Promise<void>).catch(() => undefined)
  }

  /** Checks the largest tables last: the time may be over then, and all other rows depend on small tables. */
  async lookAtPages(depth: Depth['depth']): Promise<void> {
    const check = depth === 'quick' ? 'quick_check' : 'integrity_check'
    for (const table of await this.#tables())
      await this.#look(table, async () => {
        const found = await this.#all(`PRAGMA history.${check}('${table}')`)
        const texts = found.map(([text]) => String(text)).filter((text) => text !== 'ok')
        this.#tell(texts.map((text) => `${table}: ${text}`))
      })
    if (depth === 'whole')
      await this.#look('free pages', async () => {
        const found = await this.#all(`PRAGMA history.integrity_check(${MAX_FAULTS})`)
        this.#tell(found.map(([text]) => String(text)).filter((text) => text !== 'ok'))
      })
  }

  async lookAtRows({ json, orphans }: Layout): Promise<void> {
    const tables = await this.#tables()
    for (const [table, columns] of Object.entries(json).filter(([name]) => tables.includes(name)))
      await this.#look(table, async () => {
        const known = (await this.#all(`PRAGMA history.table_info('${table}')`)).map(([, name]) =>
          String(name),
        )
        for (const { column, isBroken } of columns.filter((one) => known.includes(one.column)))
          await this.#count(table, isBroken, `have invalid JSON in ${column}`)
      })
    const has = (table: string) => tables.includes(table)
    for (const [table, condition] of Object.entries(orphans).filter(([name]) => has(name)))
      await this.#look(table, () =>
        this.#count(table, condition(has), 'belong to a session that does not exist'),
      )
  }

  async #count(table: string, condition: string, says: string): Promise<void> {
    const [[rows] = [0]] = await this.#all(`SELECT count(*) FROM history.${table} WHERE ${condition}`)
    if (Number(rows) > 0) this.#tell([`${table}: ${Number(rows)} rows ${says}`])
  }

  async #look(what: string, work: () => Promise<void>): Promise<void> {
    try {
      if (performance.now() >= this.#end) return void this.unseen.push(what)
      await work()
    } catch (error) {
      if (code(error) === 'SQLITE_INTERRUPT') this.unseen.push(what)
      else if (isDamage(error)) this.#tell([`${what}: ${(error as Error).message}`])
      else throw error
    }
  }

  #tell(faults: readonly string[]): void {
    this.faults.push(...faults.slice(0, Math.max(0, MAX_FAULTS - this.faults.length)))
  }

  async #tables(): Promise<string[]> {
    const found = await this.#all(`SELECT name FROM history.sqlite_master
      WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name = 'events', name = 'audit_log', name`)
    return found.map(([name]) => String(name))
  }

  async #all(sql: string): Promise<unknown[][]> {
    const statement = (await this.#db.prepare(sql)) as {
      raw: () => { all: (values: []) => Promise<unknown[][]> }
    }
    return statement.raw().all([])
  }
}

export function damageText(file: string, [first = 'the file cannot be read']: readonly string[]): string {
  return `session history ${file} is damaged (${first}); stop the gateway and repair the history: runbook-agent history repair --config gateway.yaml, or restore a backup`
}

/**
 * Examines the history under its lock.
 * @returns undefined if a full or read-only disk allows no lock
 * @throws HistoryError, also when a gateway uses the history
 */
export async function examineUnused(file: string, layout: Layout, depth: Depth): Promise<Health | undefined> {
  try {
    const lock = takeLock(`${file}.lock`)
    try {
      return await examineHistory(file, layout, depth)
    } finally {
      releaseLock(lock)
    }
  } catch (error) {
    const cause = error instanceof HistoryError && error.cause !== undefined ? error.cause : error
    if (isNoRoom(cause, file)) return undefined
    throw historyError(file, 'use it', cause)
  }
}
