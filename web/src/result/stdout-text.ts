import { bytesOf } from '../api/base64.ts'
import { sourceOf, type OutputEvent } from '../output/block.ts'
import { finished, readTables } from './read-result.ts'

/** Maximum number of characters that are searched, because the browser must hold the whole text. */
const MAX_CHARACTERS = 32 * 1024 * 1024
/**
 * Number of characters that are searched first. If they contain no table, the whole text counts as a text
 * without tables.
 */
const SAMPLE_CHARACTERS = 64 * 1024

/** The stdout of a session. The text is kept only while it may contain a table. */
export class StdoutText {
  #decoder = new TextDecoder()
  #text = ''
  /** Whether the session has written more than the kept text. */
  #isCut = false
  #isLooked = false
  #isDropped = false

  add(event: OutputEvent): void {
    if (this.#isDropped || this.#isCut || sourceOf(event) !== 'stdout') return
    this.#text += this.#decoder.decode(bytesOf(event.payload), { stream: true })
    if (this.#text.length > MAX_CHARACTERS) {
      this.#isCut = true
      this.#text = this.#text.slice(0, MAX_CHARACTERS)
    }
    if (!this.#isLooked && this.#text.length > SAMPLE_CHARACTERS) this.#look()
  }

  get text(): string {
    return this.#text
  }

  get isCut(): boolean {
    return this.#isCut
  }

  #look(): void {
    this.#isLooked = true
    if (finished(readTables(this.#text.slice(0, SAMPLE_CHARACTERS), true)).length > 0) return
    this.#isDropped = true
    this.#text = ''
  }
}
