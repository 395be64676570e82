import { createHash } from 'node:crypto'
import type { OutputMessage } from '../../wire/messages/message.ts'

/**
 * Tells whether two runs have written the same. Of each stream on its own: which of two was first is chance. Secrets are
 * replaced already.
 */
export class Fingerprint {
  readonly #streams = { stdout: createHash('sha256'), stderr: createHash('sha256') }

  add({ kind, data }: OutputMessage): void {
    this.#streams[kind].update(data)
  }

  /** Once. */
  end(): string {
    const { stdout, stderr } = this.#streams
    return createHash('sha256').update(stdout.digest()).update(stderr.digest()).digest('hex')
  }
}
