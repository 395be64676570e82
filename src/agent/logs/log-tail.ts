import type { LogLine } from '../../basics/logger.ts'
import type { Secret } from '../../basics/secret.ts'
import { bounded } from './bounded-line.ts'
import { KnownCredentials } from './credentials.ts'

/** As many as one packet may have (protocol.md 3.7). */
const MAX_LINES = 500
/** As JSON. The gateway drops a packet of more than 1 MiB. */
const MAX_BYTES = 512 * 1024

/** The newest log lines that no gateway has got yet. When there are too many, the oldest go. */
export class LogTail {
  readonly #credentials = new KnownCredentials()
  #lines: { readonly line: LogLine; readonly bytes: number }[] = []
  #bytes = 0

  /** Lines that contain this are not kept. */
  hide(token: Secret): void {
    this.#credentials.add(token)
  }

  add(line: LogLine): void {
    const kept = bounded(this.#clean(line))
    this.#lines.push(kept)
    this.#bytes += kept.bytes
    while (this.#lines.length > MAX_LINES || this.#bytes > MAX_BYTES)
      this.#bytes -= this.#lines.shift()?.bytes ?? 0
  }

  /** @returns all lines, oldest first, and forgets them */
  take(): readonly LogLine[] {
    const lines = this.#lines.map(({ line }) => line)
    this.#lines = []
    this.#bytes = 0
    return lines
  }

  /** Before the line is cut: half a credential would not be recognised. */
  #clean(line: LogLine): LogLine {
    const { time, level, message, fields } = line
    if (!this.#credentials.isIn(`${message}\n${JSON.stringify(fields)}`)) return line
    return { time, level, message: 'left out: this line holds a credential of the agent', fields: {} }
  }
}
