import { isatty } from 'node:tty'
import { printableJson } from '../../../basics/text/printable.ts'
import { type ByteOutput, ReaderGone } from '../terminal/byte-output.ts'
/** When to say what is waited for. Gateways wait 15 s for an agent that is away. */
const PATIENCE_MS = 2000

export interface NoticeFlags {
  readonly quiet?: boolean
  /** One line of JSON per notice, for programs. */
  readonly json?: boolean
}

export interface Notice {
  /** For programs: `event`, and its data. */
  readonly fields: Readonly<Record<string, unknown>>
  /** For people, printable already. Empty when people need not know. */
  readonly text: string
  readonly hint?: string
}

/** What this program itself says beside an execution's output: lines on stderr. */
export class Notices {
  readonly #stderr: ByteOutput
  readonly #flags: NoticeFlags

  constructor(stderr: ByteOutput, flags: NoticeFlags) {
    this.#stderr = stderr
    this.#flags = flags
  }

  /** Whether somebody at a terminal wants hints. */
  get isForPerson(): boolean {
    const { json = false, quiet = false } = this.#flags
    return !json && !quiet && isatty(this.#stderr.fd)
  }

  /** Tells a person at a terminal what is waited for, unless it comes soon. @returns dispose it when it has come */
  whileWaiting(text: string): Disposable {
    const notice = { fields: {}, text: `runbook-agent: ${text}` }
    const timer = this.isForPerson ? setTimeout(() => void this.say(notice), PATIENCE_MS) : undefined
    return { [Symbol.dispose]: () => clearTimeout(timer) }
  }

  /** @param isInLine whether the cursor may be in an unfinished line. JSON always begins a new one */
  async say({ fields, text, hint = '' }: Notice, isInLine = false): Promise<void> {
    const { json = false, quiet = false } = this.#flags
    const lines = json ? printableJson(fields) : [text, quiet ? '' : hint].filter(Boolean).join('\n')
    if (lines === '') return
    try {
      await this.#stderr.write(Buffer.from(`${isInLine ? '\n' : ''}${lines.replace(/\n$/, '')}\n`))
    } catch (error) {
      // Nobody reads any more. The exit code says the same.
      if (!(error instanceof ReaderGone)) throw error
    }
  }
}
