import { AuditRows } from './audit-rows.ts'
import type { AuditHead, AuditLink } from './entry.ts'
import { readAlone, type Connection } from '../../store/sqlite.ts'

/** Read at once from the file. */
const LINKS_PER_READ = 1000

/** The audit log of a history, read as it is at one moment: a gateway may go on with it meanwhile. */
export interface AuditFile {
  /** The place before the first entry. */
  readonly anchor: AuditHead
  readonly links: Iterable<AuditLink>
}

/** Opens the file read-only, and closes it. Throws what SQLite throws. */
export function readAuditFile<T>(file: string, read: (found: AuditFile) => T): T {
  return readAlone(file, (db) => {
    // One moment: a gateway may add entries meanwhile.
    db.exec('BEGIN')
    const found = read(auditIn(db))
    db.exec('ROLLBACK')
    return found
  })
}

export function auditIn(db: Connection): AuditFile {
  const rows = new AuditRows(db)
  return { anchor: rows.anchor(), links: all(rows) }
}

function* all(rows: AuditRows): Generator<AuditLink> {
  let after = 0
  for (;;) {
    const links = rows.after(after, LINKS_PER_READ)
    yield* links
    const last = links.at(-1)
    if (last === undefined) return
    after = last.sequence
  }
}
