import type { AuditEntry } from '../../api/types.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { Fact, NamedValues } from '../../parts/facts.tsx'
import { Icon } from '../../parts/icon.tsx'
import { ExactMoment } from '../../parts/moment.tsx'
import { approvalPath, batchPath, sessionPath, userPath } from '../../parts/paths.ts'
import { visibleLines } from '../../parts/visible.ts'
import { actorText, didText } from './words.ts'

interface DetailsProps {
  readonly entry: AuditEntry
  readonly onClose: () => void
}

/** Shows all facts of the log about one event. */
export function Details({ entry, onClose }: DetailsProps) {
  const { request_payload_redacted: details } = entry
  return (
    <Dialog title={`Entry ${entry.sequence}: ${actorText(entry)} ${didText(entry)}`} onClose={onClose}>
      <dl class="facts is-list">
        <Fact name="Time">
          <ExactMoment at={entry.created_at} />
        </Fact>
        <NamedValues values={factsOf(entry)} />
      </dl>
      {details !== null && (
        <pre class="audited-details" tabIndex={0} role="region" aria-label="Details">
          {visibleLines(JSON.stringify(details, null, 2))}
        </pre>
      )}
      <div class="line">
        <Thing entry={entry} />
        <button type="button" class="button push" autofocus onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  )
}

function factsOf(entry: AuditEntry): Readonly<Record<string, string>> {
  const { http_status: status, http_method: method, http_path: path, asked } = entry
  const all = {
    About: entry.object_name ?? '',
    User: entry.actor,
    Token: entry.token_name === '' ? entry.token_id : `${entry.token_name} (${entry.token_id})`,
    Address: entry.client_ip,
    'Claims to be agent': entry.claimed_agent ?? '',
    Action: entry.action,
    Object: [entry.resource_type, entry.resource_id].filter(Boolean).join(' '),
    Request: method === '' ? '' : `${method} ${path}`,
    Result: [entry.outcome ? 'ok' : 'failed', status > 0 && String(status)].filter(Boolean).join(' '),
    Error: entry.error_message,
    'Request in': asked === null ? '' : `entry ${asked}`,
    Hash: entry.hash,
    'Previous hash': entry.previous_hash,
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''))
}

const PATHS: Readonly<Partial<Record<AuditEntry['resource_type'], (id: string) => string>>> = {
  sessions: sessionPath,
  batches: batchPath,
  reviews: approvalPath,
  users: userPath,
}

function Thing({ entry: { resource_type: type, resource_id: id } }: { readonly entry: AuditEntry }) {
  const path = PATHS[type]
  if (path === undefined || id === '') return null
  return (
    <a class="button" href={path(id)}>
      <Icon name="eye" />
      Open it
    </a>
  )
}
