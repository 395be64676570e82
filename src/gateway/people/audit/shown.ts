import type { AuditEntryAnswer } from '../../../contract/audit.ts'
import { entryOf, type AuditEntry, type AuditLink } from './entry.ts'

/** There is one, which hoop gives an id. */
const ORGANIZATION_ID = '00000000-0000-0000-0000-000000000000'

/** An entry as REST shows it and files have it. */
export function shownEntry(link: AuditLink): AuditEntryAnswer {
  return withShown(entryOf(link), link.hash)
}

function withShown(entry: AuditEntry, hash: string): AuditEntryAnswer {
  const { sequence, actor } = entry
  const names = { actor_subject: actor, actor_email: actor, actor_name: actor }
  return { id: String(sequence), org_id: ORGANIZATION_ID, ...names, ...entry, hash }
}
