import type { AuditEntry } from '../../api/types.ts'

const DEEDS: Readonly<Record<string, string>> = {
  create: 'created',
  update: 'changed',
  delete: 'deleted',
  'sign-in': 'signed in',
  view: 'looked at',
  download: 'downloaded',
  execute: 'ran',
  run: 'ran the approved request of',
  kill: 'stopped',
  decide: 'decided on',
  start: 'started',
  stop: 'stopped',
  reload: 'reloaded',
  gap: 'could not write to',
}

const THINGS: Readonly<Record<string, string>> = {
  sessions: 'a session',
  batches: 'a batch',
  schedules: 'a schedule',
  reviews: 'a review',
  users: 'users',
  user_groups: 'groups',
  service_accounts: 'a machine',
  tokens: 'tokens',
  api_keys: 'API keys',
  settings: 'the settings',
  backups: 'a backup',
  webhooks: 'a webhook',
  gateway: 'the gateway',
  audit: 'the audit log',
}

/** The texts for an event that is about a whole list. */
const LISTS: Readonly<Record<string, string>> = {
  sessions: 'sessions',
  batches: 'batches',
  schedules: 'schedules',
  reviews: 'reviews',
  service_accounts: 'machines',
  backups: 'backups',
  webhooks: 'webhooks',
}

const choices = (words: Readonly<Record<string, string>>) =>
  [['', 'any'], ...Object.keys(words).map((name) => [name, name.replace('_', ' ')] as const)] as const

/** The actions, by the names that the gateway uses. */
export const ACTIONS = choices(DEEDS)
export const TYPES = choices(THINGS)

/** Returns what the person did, such as `looked at a session`. */
export function deedOf({ action, resource_type: type, resource_id: id, stage, outcome }: AuditEntry): string {
  const isList = id === '' && (action === 'view' || action === 'download')
  const thing = (isList ? LISTS[type] : undefined) ?? THINGS[type] ?? type
  const what = action === 'sign-in' ? 'signed in' : `${DEEDS[action] ?? action} ${thing}`
  if (stage === 'asked') return `asked for: ${what}`
  return outcome ? what : `tried: ${what}`
}

/** Returns the object of the event. For a failure, also returns the reason. */
export function thingOf(entry: AuditEntry): string {
  const { resource_id: id, http_path: path, error_message: error, request_payload_redacted: details } = entry
  const { claimed_agent: agent } = entry
  const { runbook, connection } = details ?? {}
  const place = typeof connection === 'string' ? `on ${connection}` : ''
  const what = typeof runbook === 'string' ? [runbook, place] : [id || path, place]
  const claim = agent === undefined ? '' : `claims to be agent ${agent}`
  return [...what, claim, error && `· ${error}`].filter(Boolean).join(' ')
}
