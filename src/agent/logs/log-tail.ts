import type { LogLine } from '../../basics/logger.ts'
import type { Secret } from '../../basics/secret.ts'
import { bounded } from './bounded-line.ts'
import { KnownCredentials } from './credentials.ts'

/** As many as one packet may hold (protocol.md 3.7). */
const MAX_LINES = 500
/** Of their JSON; the gateway drops a packet of more than 1 MiB. */
const MAX_BYTES = 512 * 1024

/** The newest lines of the log that no gateway has got yet. What is too much pushes out the oldest. */
export class LogTail {
  readonly #credentials = new KnownCredentials()
  #lines: { readonly line: LogLine; readonly bytes: number }[] = []
  #bytes = 0

  /** No line with this in it is kept. */
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

  /** @returns all, oldest first; they are not kept any longer */
  take(): readonly LogLine[] {
    const lines = this.#lines.map(({ line }) => line)
    this.#lines = []
    this.#bytes = 0
    return lines
  }

  /** Before anything is cut off, or half a credential would pass. */
  #clean(line: LogLine): LogLine {
    const { time, level, message, fields } = line
    if (!this.#credentials.isIn(`${message}\n${JSON.stringify(fields)}`)) return line
    return { time, level, message: 'left out: this line holds a credential of the agent', fields: {} }
  }
}
