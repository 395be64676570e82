import type { AuditAction, AuditType } from '../../../../src/contract/contract.ts'
import type { AuditChain, AuditEntry } from '../../api/types.ts'

type Words<Name extends string> = Readonly<Record<Name, string>>

const ACTION_WORDS: Words<AuditAction> = {
  execute: 'ran',
  run: 'ran what was approved',
  decide: 'decided',
  kill: 'stopped',
  create: 'created',
  update: 'changed',
  delete: 'deleted or revoked',
  'sign-in': 'signed in or out',
  download: 'downloaded',
  view: 'looked at',
  reload: 'reloaded the settings',
  start: 'started the gateway',
  stop: 'stopped the gateway',
  gap: 'left out entries',
}

const TYPE_WORDS: Words<AuditType> = {
  sessions: 'sessions',
  batches: 'batches',
  reviews: 'requests',
  schedules: 'schedules',
  users: 'users',
  user_groups: 'groups',
  service_accounts: 'machines',
  api_keys: 'API keys',
  tokens: 'tokens',
  settings: 'settings',
  backups: 'backups',
  webhooks: 'webhooks',
  gateway: 'the gateway',
  audit: 'the audit log',
  tools: 'tools of AI agents',
}

const choices = (words: Words<string>) => [['', 'anything'], ...Object.entries(words)] as const

export const ACTIONS = choices(ACTION_WORDS)
export const TYPES = choices(TYPE_WORDS)

export type Told = Pick<
  AuditEntry,
  | 'action'
  | 'resource_type'
  | 'resource_id'
  | 'actor'
  | 'client_ip'
  | 'claimed_agent'
  | 'request_payload_redacted'
  | 'outcome'
  | 'error_message'
  | 'http_status'
  | 'stage'
  | 'did'
  | 'object_name'
>

/** An older gateway sends no words, while the page of a newer one is still open. */
export function didText({ did, action, resource_type: type }: Told): string {
  return did ?? `${ACTION_WORDS[action]} ${TYPE_WORDS[type]}`
}

/** Returns the name of the object, or its id if no name is known. */
export function objectText({ object_name: name = '', resource_id: id, claimed_agent: agent }: Told): string {
  if (agent !== undefined) return `claims to be agent ${agent}`
  return name === '' ? id : name
}

export function actorText({ actor, client_ip: address }: Told): string {
  if (actor !== '') return actor
  return address === '' ? 'gateway' : 'unknown user'
}

/** Returns why the action failed; empty after a success. */
export function failureText({ outcome, error_message: error, http_status: status }: Told): string {
  return outcome ? '' : [status > 0 && String(status), error].filter(Boolean).join(' ')
}

interface Look {
  readonly icon: (typeof ICONS)[AuditAction] | 'cross' | 'wait' | 'ban'
  readonly tone: 'soft' | 'is-good' | 'is-wait' | 'is-bad'
}

const ICONS = {
  execute: 'run',
  run: 'run',
  decide: 'approve',
  kill: 'stop',
  create: 'plus',
  update: 'key',
  delete: 'minus',
  'sign-in': 'user',
  download: 'download',
  view: 'eye',
  reload: 'again',
  start: 'run',
  stop: 'stop',
  gap: 'alert',
} as const satisfies Words<AuditAction>

/** Returns the icon of an entry and its tone. The words say the same. */
export function lookOf(entry: Told): Look {
  const { action, outcome, stage, request_payload_redacted: details } = entry
  if (!outcome) return { icon: action === 'gap' ? 'alert' : 'cross', tone: 'is-bad' }
  if (stage === 'asked' || details?.['waits_for_approval'] === true) return { icon: 'wait', tone: 'is-wait' }
  if (action !== 'decide') return { icon: ICONS[action], tone: 'soft' }
  return details?.['status'] === 'APPROVED'
    ? { icon: 'approve', tone: 'is-good' }
    : { icon: 'ban', tone: 'is-bad' }
}

/** @param checking null before the gateway has told its progress */
export function progressText(checking: AuditChain['checking']): string {
  if (checking === null) return 'checking the chain'
  return `checking entry ${checking.sequence.toLocaleString()} of ${checking.until.toLocaleString()}`
}

/** Names the first entry that does not fit. */
export function brokenAt([first]: NonNullable<AuditChain['verdict']>['faults']): string {
  return first === undefined ? 'the chain is broken' : `the chain is broken at entry ${first.sequence}`
}
