import { markIncomplete } from '../history/session-schema.ts'
import { verifyChain, type Verification } from '../../contract/audit-chain.ts'
import { auditIn } from '../people/audit/audit-file.ts'
import { LAYOUT } from '../rooms.ts'
import type { Connection } from '../store/sqlite.ts'
import { repairFile, type Repair } from '../store/repair.ts'

export interface HistoryRepair extends Repair {
  /** Ids of sessions that have lost output. */
  readonly incomplete: readonly string[]
  /** Undefined before schema version 15, which added the audit log. */
  readonly audit: Verification | undefined
}

export async function repairHistory(file: string): Promise<HistoryRepair | undefined> {
  return repairFile(file, LAYOUT, (db, version, losses) => {
    const incomplete = losses.some(({ table }) => table === 'events') ? markIncomplete(db, version) : []
    return { incomplete, audit: version < 15 ? undefined : verified(db) }
  })
}

function verified(db: Connection): Verification {
  const { anchor, links } = auditIn(db)
  return verifyChain(links, anchor)
}
