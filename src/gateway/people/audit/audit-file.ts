import { pathToFileURL } from 'node:url'
import Database from 'libsql'
import { AuditRows } from './audit-rows.ts'
import type { AuditHead, AuditLink } from './entry.ts'
import { closeFile } from '../../store/sqlite.ts'

/** Read at once from the file. */
const LINKS_PER_READ = 1000

/** The audit log of a history, read as it is at one moment: a gateway may go on with it meanwhile. */
export interface AuditFile {
  /** The place before the first entry. */
  readonly anchor: AuditHead
  readonly links: Iterable<AuditLink>
}

/** Opens the file to be read alone, and closes it. Throws what SQLite throws. */
export function readAuditFile<T>(file: string, read: (found: AuditFile) => T): T {
  const db = new Database(':memory:')
  try {
    db.exec(`ATTACH '${pathToFileURL(file).href.replaceAll("'", '%27')}?mode=ro' AS history`)
    // One moment: a gateway may add entries meanwhile.
    db.exec('BEGIN')
    const rows = new AuditRows(db)
    const found = read({ anchor: rows.anchor(), links: all(rows) })
    db.exec('ROLLBACK')
    return found
  } finally {
    closeFile(db)
  }
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
