import type { JournalEntry } from './entries.ts'

/** The longest line, newline included. One write of that length does not mix with another agent's. */
export const MAX_LINE_BYTES = 4096
/** UTF-16 units per text. Halved until the line fits. It always fits with 64, whatever has to be escaped. */
const MAX_TEXT = 256

type FieldOf<Entry> = Entry extends unknown ? keyof Entry : never

/** The fields of a line and their order. Other properties of an entry are not written. */
const FIELDS: Readonly<Record<FieldOf<JournalEntry>, true>> = {
  event: true,
  sid: true,
  request: true,
  session: true,
  state: true,
  version: true,
  gateway: true,
  connection: true,
  type: true,
  origin: true,
  verb: true,
  userId: true,
  userEmail: true,
  pid: true,
  program: true,
  argumentCount: true,
  inputBytes: true,
  terminal: true,
  outcome: true,
  exitCode: true,
  signal: true,
  reason: true,
  guardrail: true,
  guardrailMessage: true,
  durationMs: true,
  bytesRead: true,
  bytesSent: true,
  bytesLeftOut: true,
  bytesRedacted: true,
  processesEnded: true,
  closeSent: true,
}
const ORDER = ['time', 'agent', ...Object.keys(FIELDS)]

/** One line of JSON with its newline, at most MAX_LINE_BYTES. */
export function journalLine(entry: JournalEntry, agent: string, time: Date): Buffer {
  const fields = { time: time.toISOString(), agent, ...entry }
  let limit = MAX_TEXT
  let line = format(fields, limit)
  while (line.length > MAX_LINE_BYTES) {
    limit = Math.floor(limit / 2)
    line = format(fields, limit)
  }
  return line
}

function format(fields: Readonly<Record<string, unknown>>, limit: number): Buffer {
  const shown: Record<string, unknown> = {}
  for (const name of ORDER) if (fields[name] !== undefined) shown[name] = cut(fields[name], limit)
  return Buffer.from(`${escapeControls(JSON.stringify(shown))}\n`)
}

/** Shortens a text. A cut may leave half a surrogate pair, which some JSON readers refuse. */
function cut(value: unknown, limit: number): unknown {
  if (typeof value !== 'string') return value
  return value.slice(0, limit).toWellFormed()
}

/** Escapes control characters that JSON leaves as they are, but a terminal may obey. */
function escapeControls(json: string): string {
  return json.replaceAll(/[\x7f-\x9f]/g, (raw) => `\\u00${raw.charCodeAt(0).toString(16)}`)
}
