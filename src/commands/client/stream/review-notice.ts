import { printableLine } from '../../../basics/text/printable.ts'
import type { StreamEvent } from '../../../client/running/client-session.ts'
import type { Notice } from '../notices.ts'

/** Tells where to approve a session that waits for approval. The gateway's text may contain anything. */
export function reviewNotice(event: Extract<StreamEvent, { kind: 'waiting-approval' | 'approved' }>): Notice {
  if (event.kind === 'approved') return { fields: { event: event.kind }, text: 'runbook-agent: approved' }
  const { sessionId, url } = event
  const place = printableLine(url)
  return {
    fields: { event: event.kind, session_id: sessionId, url },
    text: `runbook-agent: waiting for approval: ${place}`,
    hint: 'Ctrl-C gives it up',
  }
}
