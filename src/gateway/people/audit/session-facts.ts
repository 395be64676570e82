import type { NewSession, SessionAsking } from '../../history/session.ts'
import { auditFacts, type AuditFacts } from './entry.ts'

/** Characters of a label: it names a file, a repository or a commit. */
const MAX_LABEL = 500

/** What the audit log says of a session that begins. Never its script, arguments or parameters. */
export function sessionFacts(
  session: Pick<NewSession, 'id' | 'user' | 'connection' | 'origin' | 'verb' | 'labels' | 'sessionBatchId'>,
  { clientIp = '', token, waits }: SessionAsking,
): AuditFacts {
  const { id, user, connection, origin, verb, labels, sessionBatchId } = session
  const label = (name: string) => labels[name]?.slice(0, MAX_LABEL).toWellFormed()
  return auditFacts({
    actor: user,
    token_id: token?.id ?? '',
    token_name: token?.name ?? '',
    action: 'execute',
    resource_type: 'sessions',
    resource_id: id,
    client_ip: clientIp,
    request_payload_redacted: {
      ...{ connection, origin, verb },
      runbook: label('runbookFile'),
      repository: label('runbookRepository'),
      schedule: label('runbookSchedule'),
      session_batch_id: sessionBatchId?.slice(0, MAX_LABEL).toWellFormed(),
      waits_for_approval: waits,
    },
  })
}
