import { setTimeout as delay } from 'node:timers/promises'
import { type LogLine, parseLogLine } from '../basics/logger.ts'
import type { Secret } from '../basics/secret.ts'
import { ConnectError } from '../dial/connect-error.ts'
import type { PacketStream } from '../dial/packet-stream.ts'
import { Redaction } from '../policy/redaction/redactor.ts'
import { passwordsInUrl, secretTexts, variantsOf } from '../policy/redaction/secrets.ts'
import { encodeAgentMessage } from '../wire/messages/from-agent.ts'

/** Lines in one packet (protocol.md 3.7). */
const MAX_LINES = 500
/** Size of one packet in bytes, as JSON. The gateway drops a packet of more than 1 MiB. */
const MAX_BYTES = 512 * 1024

/** The newest log lines that no gateway has received yet. Above the limits the oldest are dropped. */
export class LogTail {
  readonly #credentials = new KnownCredentials()
  /** Short lines are kept as text, and parsed only when they are sent: most lines are never sent. */
  #lines: { readonly line: LogLine | string; readonly bytes: number }[] = []
  #bytes = 0

  /** From now on, each line that contains the token is replaced by a note. */
  hide(token: Secret): void {
    this.#credentials.add(token)
  }

  /** @param line as JSON; a long line is cut immediately */
  add(line: string): void {
    const bytes = Buffer.byteLength(line) + OVERHEAD_BYTES
    const kept = bytes <= MAX_LINE_BYTES ? { line, bytes } : this.#shown(line)
    this.#lines.push(kept)
    this.#bytes += kept.bytes
    while (this.#lines.length > MAX_LINES || this.#bytes > MAX_BYTES)
      this.#bytes -= this.#lines.shift()?.bytes ?? 0
  }

  /** Removes all lines, and returns them, oldest first. */
  take(): readonly LogLine[] {
    const lines = this.#lines.map(({ line }) => (typeof line === 'string' ? this.#shown(line).line : line))
    this.#lines = []
    this.#bytes = 0
    return lines
  }

  #shown(line: string): ReturnType<typeof bounded> {
    return bounded(this.#clean(parseLogLine(line)))
  }

  /**
   * Replaces a line that contains a credential by a note. This happens before the line is cut, because half a
   * credential would not be recognised.
   */
  #clean(line: LogLine): LogLine {
    const { time, level, message, fields } = line
    if (!this.#credentials.isIn(`${message}\n${JSON.stringify(fields)}`)) return line
    return { time, level, message: 'left out: this line holds a credential of the agent', fields: {} }
  }
}

/** Maximum length of the message and of each field, in UTF-16 units. The stack of an error fits. */
const MAX_TEXT = 2000
/** Size of a line in bytes, as JSON. */
const MAX_LINE_BYTES = 8 * 1024
/** Bytes reserved for the time, the level and the names of a line's fields. */
const OVERHEAD_BYTES = 128

/** Cuts a line. Returns also its size in bytes, as JSON. */
function bounded({ time, level, message, fields }: LogLine): {
  readonly line: LogLine
  readonly bytes: number
} {
  const short = { time, level, message: cut(message), fields: cutFields(fields) }
  const bytes = bytesOf(short)
  if (bytes <= MAX_LINE_BYTES) return { line: short, bytes }
  const line = { ...short, fields: { leftOut: `fields of ${bytes} bytes` } }
  return { line, bytes: bytesOf(line) }
}

function bytesOf({ message, fields }: LogLine): number {
  return Buffer.byteLength(JSON.stringify([message, fields])) + OVERHEAD_BYTES
}

function cutFields(fields: LogLine['fields']): LogLine['fields'] {
  const json = JSON.stringify(fields, (_name, value: unknown) =>
    typeof value === 'string' ? cut(value) : value,
  )
  return JSON.parse(json) as LogLine['fields']
}

function cut(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)} [...]`
}

/**
 * Maximum number of known credentials. After a renewal, the old credential may still be valid for a while.
 */
const MAX_KNOWN = 8

/** In the old form of a key, the secret is a path of 64 characters (protocol.md 2.4). */
const OLD_SECRET = /\/([^/?#]{64})(?:[?#]|$)/

/** Recognises the agent's own credentials in a text, in every form in which programs write them. */
class KnownCredentials {
  #known: readonly string[] = []
  #redaction = new Redaction([])

  add(token: Secret): void {
    const value = token.reveal()
    if (this.#known.includes(value)) return
    this.#known = [...this.#known, value].slice(-MAX_KNOWN)
    this.#redaction = new Redaction(this.#known.flatMap(textsOf).flatMap(variantsOf))
  }

  /** Whether the text contains a credential, or the secret part of one. */
  isIn(text: string): boolean {
    const redactor = this.#redaction.stream()
    redactor.push(Buffer.from(text))
    redactor.flush()
    return redactor.redacted > 0
  }
}

function textsOf(credential: string): Buffer[] {
  const value = Buffer.from(credential)
  const [, old] = OLD_SECRET.exec(credential) ?? []
  return [...secretTexts(value), ...passwordsInUrl(value), ...(old === undefined ? [] : [Buffer.from(old)])]
}

/**
 * Sends log lines at an interval (protocol.md 3.7). A failure is not logged, because the log line about the
 * failure would have to be sent, too.
 */
export async function shipLogs(
  tail: LogTail,
  stream: Pick<PacketStream, 'hasRoom' | 'send'>,
  everyMs: number,
  signal: AbortSignal,
): Promise<void> {
  // Drops lines from before this stream.
  tail.take()
  for (;;) {
    await delay(everyMs, undefined, { signal }).catch(() => undefined)
    if (signal.aborted) return
    // A busy stream sends no log lines, so that sessions can send their output. The newest lines are kept.
    const lines = stream.hasRoom ? tail.take() : []
    if (lines.length > 0 && !(await isSent(stream, lines))) return
  }
}

/** Returns false if the stream has ended. */
async function isSent(
  stream: Pick<PacketStream, 'send'>,
  lines: ReturnType<LogTail['take']>,
): Promise<boolean> {
  try {
    await stream.send(encodeAgentMessage({ kind: 'logs', lines }))
    return true
  } catch (error) {
    if (error instanceof ConnectError) return false
    throw error
  }
}
