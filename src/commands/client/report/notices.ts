import { isatty } from 'node:tty'
import { printableJson } from '../../../basics/text/printable.ts'
import { type ByteOutput, ReaderGone } from '../terminal/output.ts'
/**
 * A wait that is longer than this is reported to a person. Gateways wait 15 s for an agent that is not
 * connected.
 */
const PATIENCE_MS = 2000

export interface NoticeFlags {
  readonly quiet?: boolean
  /** Whether each notice is printed as one line of JSON. */
  readonly json?: boolean
}

export interface Notice {
  /** The content of the JSON line: `event` and the event's data. */
  readonly fields: Readonly<Record<string, unknown>>
  /** The printable text for a person. Empty for a notice that is only printed as JSON. */
  readonly text: string
  readonly hint?: string
}

export class Notices {
  readonly #stderr: ByteOutput
  readonly #flags: NoticeFlags

  constructor(stderr: ByteOutput, flags: NoticeFlags) {
    this.#stderr = stderr
    this.#flags = flags
  }

  get isForPerson(): boolean {
    const { json = false, quiet = false } = this.#flags
    return !json && !quiet && isatty(this.#stderr.fd)
  }

  /**
   * Tells a person what this program waits for, if the wait is not short.
   * @returns an object to dispose after the wait
   */
  whileWaiting(text: string): Disposable {
    const notice = { fields: {}, text: `runbook-agent: ${text}` }
    const timer = this.isForPerson ? setTimeout(() => void this.say(notice), PATIENCE_MS) : undefined
    return { [Symbol.dispose]: () => clearTimeout(timer) }
  }

  /** @param isInLine whether the cursor may be in an unfinished line */
  async say({ fields, text, hint = '' }: Notice, isInLine = false): Promise<void> {
    const { json = false, quiet = false } = this.#flags
    const lines = json ? printableJson(fields) : [text, quiet ? '' : hint].filter(Boolean).join('\n')
    if (lines === '') return
    try {
      await this.#stderr.write(Buffer.from(`${isInLine ? '\n' : ''}${lines.replace(/\n$/, '')}\n`))
    } catch (error) {
      // If the reader of stderr has closed the pipe, the exit code still reports the end.
      if (!(error instanceof ReaderGone)) throw error
    }
  }
}
