import { createHash } from 'node:crypto'
import type { AuditAction, AuditType } from '../../../contract/contract.ts'

/** One event, in hoop's words where hoop has words. */
export interface AuditFacts {
  /** Empty if the caller is unknown. */
  readonly actor: string
  /** Empty without a token. */
  readonly token_id: string
  readonly token_name: string
  readonly action: AuditAction
  readonly resource_type: AuditType
  /** Empty for lists, and if the path names no resource. */
  readonly resource_id: string
  /** Empty without a REST request. */
  readonly http_method: string
  readonly http_path: string
  /** 0 without an answer. */
  readonly http_status: number
  readonly client_ip: string
  readonly request_payload_redacted: Readonly<Record<string, unknown>> | null
  readonly outcome: boolean
  readonly error_message: string
  /** `asked`: written before a change, and followed by a `done` entry. */
  readonly stage: 'asked' | 'done'
  /** Sequence of the entry that was written before the change. */
  readonly asked: number | null
}

export interface AuditEntry extends AuditFacts {
  /** Entries count from 1, without gaps. */
  readonly sequence: number
  /** Hexadecimal. The first entry has `NO_HASH`. */
  readonly previous_hash: string
  /** RFC 3339, UTC, in milliseconds. */
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

/** SHA-256 in hexadecimal. */
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

/** Missing values are empty; the outcome is a success. */
export function auditFacts(
  facts: Pick<AuditFacts, 'action' | 'resource_type'> & Partial<AuditFacts>,
): AuditFacts {
  return { ...NOTHING, ...facts }
}

/** JSON without spaces, names in the order of their code units (RFC 8785). */
export function canonicalText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const fields = Object.entries(value)
    .filter(([, one]) => one !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, one]) => `${JSON.stringify(name)}:${canonicalText(one)}`)
  return `{${fields.join(',')}}`
}
