import type { AuditEntryAnswer } from '../../../contract/audit.ts'
import { ORGANIZATION } from '../../identity.ts'
import { entryOf, type AuditEntry, type AuditLink } from './entry.ts'

/** An entry as REST shows it and files have it. */
export function shownEntry(link: AuditLink): AuditEntryAnswer {
  return withShown(entryOf(link), link.hash)
}

function withShown(entry: AuditEntry, hash: string): AuditEntryAnswer {
  const { sequence, actor } = entry
  const names = { actor_subject: actor, actor_email: actor, actor_name: actor }
  return { id: String(sequence), org_id: ORGANIZATION, ...names, ...entry, hash }
}
