import { printableText } from '../../basics/text/printable.ts'
import type { History } from '../history/history.ts'
import type { SessionSummary } from '../history/session.ts'
import { mcpOrigin } from '../sessions/mcp-labels.ts'
import type { Sessions } from '../sessions/sessions.ts'

/** Bytes of the beginning and of the end of an output that a result has. */
const HALF_BYTES = 12 * 1024

/**
 * The one object that every tool answers, in errors too. Its JSON is the text of the answer: some clients show the
 * model only the object, and others only the text.
 */
export interface ToolResult {
  readonly session_id: string | null
  /** A state of the session in our words, or `waiting`, `dry_run`, `listed`, `refused`. */
  readonly state: string
  readonly exit_code: number | null
  readonly commit: string | null
  /** Whether `output` is not all that the command wrote. */
  readonly truncated: boolean
  /** Number of masked values. */
  readonly masked: number
  readonly redacted_bytes: number
  readonly output: string
  /** What the model should do next. Empty if there is nothing to do. */
  readonly next: string
  readonly [more: string]: unknown
}

export const NOTHING: ToolResult = {
  ...{ session_id: null, state: 'refused', exit_code: null, commit: null },
  ...{ truncated: false, masked: 0, redacted_bytes: 0, output: '', next: '' },
}

export function refusedResult(code: string, message: string, next = ''): ToolResult {
  return { ...NOTHING, code, message: printableText(message), next }
}

/** A result that a client marks as an error, so that the model does not take it for success. */
export function isFailure({ code }: ToolResult): boolean {
  return code !== undefined
}

interface Reading {
  readonly history: History
  readonly sessions: Pick<Sessions, 'stateOf'>
  /** Public address of the gateway, for links. */
  readonly webUrl: () => string
}

const POLL = 'do not poll: nothing changes before a person decides'

/** The result of a session as it is now. */
export function sessionResult({ history, sessions, webUrl }: Reading, session: SessionSummary): ToolResult {
  const { id, exitCode, labels, masking, redactedBytes, review, status } = session
  const { name, text } = sessions.stateOf(session)
  const facts = {
    session_id: id,
    exit_code: exitCode ?? null,
    commit: labels['runbookCommit'] ?? null,
    masked: maskedValues(masking),
    redacted_bytes: redactedBytes,
  }
  if (name === 'waiting-for-approval' || name === 'approved') {
    const link = `${webUrl()}/sessions/${id}`
    const held = name === 'approved' ? review?.held?.message : undefined
    const next =
      name === 'approved' && held === undefined
        ? 'Approved: the gateway runs it now. Call wait with this session_id.'
        : `${held === undefined ? `Tell the user that a person has to approve this at ${link}` : `Approved, but on hold: ${held}. Tell the user`}, and end your turn; ${POLL}. The gateway runs it once by itself after the approval.`
    const state = name === 'approved' && held === undefined ? 'approved' : 'waiting'
    return { ...NOTHING, ...facts, state, link, ...hashOf(session), next }
  }
  const isOver = status === 'done'
  const { output, truncated } = headAndTail(history, id)
  const state = isOver ? name : 'running'
  const next = isOver
    ? truncated
      ? 'The output is not complete: read_output with this session_id shows the rest.'
      : ''
    : `It still runs (${text}). Call wait with this session_id.`
  return {
    ...{ ...facts, state, truncated, output, next },
    ...(isOver && state !== 'succeeded' && { code: name, message: text }),
  }
}

function hashOf({ review }: SessionSummary): object {
  const { kind, hex } = review?.shown.scriptDigest ?? {}
  return kind === undefined ? {} : { [kind === 'sha256' ? 'script_sha256' : 'script_hmac_sha256']: hex }
}

function maskedValues(masking: string | undefined): number {
  if (masking === undefined) return 0
  const { total_redact_count: count } = JSON.parse(masking) as { readonly total_redact_count?: unknown }
  return typeof count === 'number' ? count : 0
}

/** A line of `runs`. */
export function listedRun({ sessions }: Pick<Reading, 'sessions'>, session: SessionSummary): object {
  const { id, connection, exitCode, startedAt, labels } = session
  return {
    session_id: id,
    tool: mcpOrigin(labels)?.tool ?? '',
    title: printableText(labels['runbookTitle'] ?? labels['runbookFile'] ?? ''),
    connection,
    state: sessions.stateOf(session).name,
    exit_code: exitCode ?? null,
    began: startedAt.toISOString(),
  }
}

function headAndTail(history: History, id: string): { readonly output: string; readonly truncated: boolean } {
  const head = history.outputPart(id, 0, 2 * HALF_BYTES)
  if (head === undefined) return { output: '', truncated: false }
  const { total, bytes } = head
  const isMissing = head.missing > 0
  if (total <= 2 * HALF_BYTES) return { output: shown(bytes), truncated: isMissing }
  const tail = history.outputPart(id, total - HALF_BYTES, HALF_BYTES)
  const left = total - 2 * HALF_BYTES
  return {
    output: `${shown(wholeCharacters(bytes.subarray(0, HALF_BYTES)))}\n[${left} bytes are left out here]\n${shown(fromCharacter(tail?.bytes ?? bytes))}`,
    truncated: true,
  }
}

/** Bytes that one call of `read_output` returns. */
const READ_BYTES = 2 * HALF_BYTES

/** @param from number of the first byte; a negative number counts from the end */
export function outputResult(history: History, session: SessionSummary, from: number): ToolResult {
  const { id, exitCode, labels, masking, redactedBytes, status } = session
  const part = history.outputPart(id, from, READ_BYTES)
  const { start = 0, total = 0, bytes = Buffer.alloc(0), missing = 0 } = part ?? {}
  const whole = part === undefined || start + bytes.length >= total ? bytes : wholeCharacters(bytes)
  const to = start + whole.length
  return {
    session_id: id,
    state: status === 'done' ? 'read' : 'running',
    exit_code: exitCode ?? null,
    commit: labels['runbookCommit'] ?? null,
    truncated: missing > 0 || to < total,
    masked: maskedValues(masking),
    redacted_bytes: redactedBytes,
    output: shown(whole),
    next: to < total ? `Call read_output with from: ${to} for the next part.` : '',
    ...{ from: start, to, total_bytes: total },
  }
}

/** Cuts off a character whose end is in the next part. */
function wholeCharacters(bytes: Buffer): Buffer {
  for (let back = 1; back <= 3 && back <= bytes.length; back += 1) {
    const byte = bytes[bytes.length - back] ?? 0
    if ((byte & 0xc0) === 0x80) continue
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
    return length > back ? bytes.subarray(0, bytes.length - back) : bytes
  }
  return bytes
}

/** Cuts off the end of a character that is in the part before. */
function fromCharacter(bytes: Buffer): Buffer {
  const begin = bytes.findIndex((byte) => (byte & 0xc0) !== 0x80)
  return begin > 0 && begin <= 3 ? bytes.subarray(begin) : bytes
}

/** Shows control and invisible characters by their codes, so that people and models see the same text. */
function shown(bytes: Buffer): string {
  return printableText(bytes.toString('utf8'))
}
