import { bytesOf } from '../../api/base64.ts'
import { sourceOf, type OutputEvent } from '../../output/block.ts'

/** The first error of a client is near the beginning. */
const MAX_CHARACTERS = 64 * 1024

/** The beginning of a session's stderr. */
export class StderrText {
  #decoder = new TextDecoder()
  text = ''

  add(event: OutputEvent): void {
    if (this.text.length >= MAX_CHARACTERS || sourceOf(event) !== 'stderr') return
    this.text += this.#decoder.decode(bytesOf(event.payload), { stream: true })
  }
}
