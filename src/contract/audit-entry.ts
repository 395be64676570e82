import { createHash } from 'node:crypto'
import type { AuditAction, AuditType } from './contract.ts'

/** One event. Its words are hoop's words if hoop has words for the event. */
export interface AuditFacts {
  /** Empty if the caller is unknown. */
  readonly actor: string
  /** Empty if the caller used no token. */
  readonly token_id: string
  readonly token_name: string
  readonly action: AuditAction
  readonly resource_type: AuditType
  /** Empty for lists, and if the path names no resource. */
  readonly resource_id: string
  /** Empty if there was no REST request. */
  readonly http_method: string
  readonly http_path: string
  /** 0 if there was no answer. */
  readonly http_status: number
  readonly client_ip: string
  /** The agent that the caller of a failed sign-in claims to be. Nothing proves this. */
  readonly claimed_agent?: string | undefined
  readonly request_payload_redacted: Readonly<Record<string, unknown>> | null
  readonly outcome: boolean
  readonly error_message: string
  /** `asked`: the entry was written before a change, and a `done` entry follows. */
  readonly stage: 'asked' | 'done'
  /** Sequence of the entry that was written before the change; null if there is none. */
  readonly asked: number | null
}

export interface AuditEntry extends AuditFacts {
  /** Entries count from 1, without gaps. */
  readonly sequence: number
  /** Hash of the entry before, in hexadecimal. The first entry has `NO_HASH`. */
  readonly previous_hash: string
  /** Time as RFC 3339 in UTC, with milliseconds. */
  readonly created_at: string
}

/** `hash` is the hash of `text`. */
export interface AuditLink {
  readonly sequence: number
  readonly text: string
  readonly hash: string
}

export interface AuditHead {
  readonly sequence: number
  readonly hash: string
}

export const NO_HASH = '0'.repeat(64)

export function nextLink(before: AuditHead, facts: AuditFacts, at: Date): AuditLink {
  const sequence = before.sequence + 1
  const entry: AuditEntry = {
    ...facts,
    sequence,
    previous_hash: before.hash,
    created_at: at.toISOString(),
  }
  const text = canonicalText(entry)
  return { sequence, text, hash: hashOf(text) }
}

/** Returns the SHA-256 in hexadecimal. */
export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

export function entryOf({ text }: Pick<AuditLink, 'text'>): AuditEntry {
  return JSON.parse(text) as AuditEntry
}

const NOTHING: AuditFacts = {
  token_id: '',
  token_name: '',
  actor: '',
  action: 'view',
  resource_type: 'gateway',
  resource_id: '',
  http_method: '',
  http_path: '',
  http_status: 0,
  client_ip: '',
  request_payload_redacted: null,
  outcome: true,
  error_message: '',
  stage: 'done',
  asked: null,
}

/** Fills missing values with empty values, and the outcome with success. */
export function auditFacts(
  facts: Pick<AuditFacts, 'action' | 'resource_type'> & Partial<AuditFacts>,
): AuditFacts {
  return { ...NOTHING, ...facts }
}

/** Returns JSON without spaces. Names are in the order of their code units (RFC 8785). */
export function canonicalText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const fields = Object.entries(value)
    .filter(([, one]) => one !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, one]) => `${JSON.stringify(name)}:${canonicalText(one)}`)
  return `{${fields.join(',')}}`
}
