import type { Terminal } from '@xterm/xterm'
import type { Happening } from './recording.ts'

/**
 * The player writes this many bytes at once, and then waits until they are drawn. xterm.js drops data when
 * more than 50 MB wait.
 */
const AT_ONCE_BYTES = 256 * 1024

/**
 * Draws the screen at a place of the recording. Goes forward from the last place. To go backward, starts
 * again from the beginning.
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

  /** `wanted` is the number of events to draw. A later call replaces an earlier one. */
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
   * Draws the next events. Waits until output is drawn, because a change of the size must not overtake
   * earlier output.
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
