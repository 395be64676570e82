import { printableText } from '../../../basics/text/printable.ts'
import type { SessionPiece } from '../../../client/running/follow.ts'
import { ByteOutput, isAfterUnfinishedLine } from './byte-output.ts'

/** Writes the output of a session to stdout, and texts about the session to stderr. */
export class SessionOutput {
  readonly stdout = new ByteOutput(1)
  readonly stderr = new ByteOutput(2)

  /** Whether a write is under way. */
  get isWriting(): boolean {
    return this.stdout.isWriting || this.stderr.isWriting
  }

  /** Whether a line on stderr would continue an unfinished line of the session. */
  get isInLine(): boolean {
    return isAfterUnfinishedLine(this.stdout, this.stderr)
  }

  /** Settles when the piece is written: until then no more is asked for. @throws ReaderGone, or Failure */
  async show({ type, bytes }: SessionPiece): Promise<void> {
    if (type === 'o') return this.stdout.write(bytes)
    if (type === 'e') return this.say(printableText(bytes.toString()).replace(/^\n/, ''))
  }

  /** Writes lines to stderr. */
  async say(text: string): Promise<void> {
    if (text === '') return
    await this.stderr.write(Buffer.from(`${this.isInLine ? '\n' : ''}${text.replace(/\n$/, '')}\n`))
  }
}
