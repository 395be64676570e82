import type { Terminal } from '@xterm/xterm'
import type { Happening } from './recording.ts'

/**
 * Bytes that are written to the screen before waiting for it. The screen drops data when 50 MB wait in it.
 */
const AT_ONCE_BYTES = 256 * 1024

/**
 * Draws a screen at some place of the recording: forward by the events since, backward from the beginning.
 */
export class Drawing {
  readonly #terminal: Pick<Terminal, 'reset' | 'resize' | 'write'>
  readonly #happenings: readonly Happening[]
  #wanted = 0
  #drawn = 0
  #isDrawing = false
  #isOver = false

  constructor(terminal: Pick<Terminal, 'reset' | 'resize' | 'write'>, happenings: readonly Happening[]) {
    this.#terminal = terminal
    this.#happenings = happenings
  }

  /** @param wanted number of events until that time. A later call replaces an earlier one */
  show(wanted: number): void {
    this.#wanted = wanted
    if (!this.#isDrawing) void this.#draw()
  }

  end(): void {
    this.#isOver = true
  }

  async #draw(): Promise<void> {
    this.#isDrawing = true
    while (this.#drawn !== this.#wanted && !this.#isOver) {
      if (this.#wanted < this.#drawn) this.#rewind()
      else await this.#advance()
    }
    this.#isDrawing = false
  }

  #rewind(): void {
    this.#terminal.reset()
    this.#drawn = 0
  }

  /**
   * Applies one change of the size, or some output. Settles when the screen has taken it: a size has its
   * place in the output.
   */
  async #advance(): Promise<void> {
    const next = this.#happenings[this.#drawn]
    if (next?.kind === 'size') {
      this.#terminal.resize(next.cols, next.rows)
      this.#drawn += 1
    } else await Promise.all(this.#output().map((bytes) => this.#write(bytes)))
  }

  #output(): Uint8Array<ArrayBuffer>[] {
    const pieces: Uint8Array<ArrayBuffer>[] = []
    for (let sum = 0; sum < AT_ONCE_BYTES && this.#drawn < this.#wanted; this.#drawn += 1) {
      const next = this.#happenings[this.#drawn]
      if (next?.kind !== 'output') break
      pieces.push(next.bytes)
      sum += next.bytes.length
    }
    return pieces
  }

  #write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    return new Promise((resolve) => this.#terminal.write(bytes, resolve))
  }
}
