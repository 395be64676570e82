import type { AuditHead, AuditLink } from '../../../contract/audit-entry.ts'
import { readAlone, type Connection } from '../../store/sqlite.ts'
import { AuditRows } from './audit-rows.ts'

const LINKS_PER_READ = 1000

interface AuditFile {
  readonly anchor: AuditHead
  readonly links: Iterable<AuditLink>
}

/** Throws errors of SQLite. */
export function readAuditFile<T>(file: string, read: (found: AuditFile) => T): T {
  return readAlone(file, (db) => {
    // In a transaction, all reads show the same state, even if a gateway adds entries meanwhile.
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
