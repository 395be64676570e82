import { sizeText } from '../../../basics/text/units.ts'

/** The state of a session that waits for approval and has written nothing. */
export const WAITING = 'waiting for approval'

/** A status line on stderr, rewritten in place. Shown only on a terminal. */
export class Progress implements Disposable {
  bytes = 0
  /** The effect of the next Ctrl-C, as a verb: `detaches`. */
  ctrlC = 'detaches'
  readonly #isShown: boolean
  readonly #mayDraw: () => boolean
  readonly #subject: string
  readonly #startedAt: number
  readonly #timer: NodeJS.Timeout | undefined
  #state = 'running'
  #isLine = false

  /**
   * @param subject the name of the runbook or session, in printable form
   * @param mayDraw returns false while the cursor is in an unfinished line of the output
   */
  constructor(subject: string, isShown: boolean, mayDraw: () => boolean) {
    this.#subject = subject
    this.#mayDraw = mayDraw
    this.#isShown = isShown
    // To load `performance` takes most of a millisecond, so only a line that is shown has a time.
    this.#startedAt = isShown ? performance.now() : 0
    this.#timer = isShown ? setInterval(() => this.#draw(), 1000) : undefined
  }

  /** The state in words, such as `running` or `waiting for approval`. */
  set state(text: string) {
    this.#state = text
    if (this.#isShown && this.#isLine) this.#draw()
  }

  /** Removes the line, so that other text can be written there. */
  clear(): void {
    if (this.#isLine) process.stderr.write('\r\u001b[K')
    this.#isLine = false
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.clear()
  }

  #draw(): void {
    if (!this.#mayDraw()) return
    const elapsed = clock((performance.now() - this.#startedAt) / 1000)
    const size = this.#state === WAITING ? '' : `, ${sizeText(this.bytes)}`
    const line = `${this.#subject}: ${this.#state}, ${elapsed}${size} (Ctrl-C ${this.ctrlC})`
    // A longer line would wrap, and `clear` would remove only its last part.
    process.stderr.write(`\r${line.slice(0, Math.max(1, process.stderr.columns - 1))}\u001b[K`)
    this.#isLine = true
  }
}

/** Formats seconds as `1:02:03` or `0:07`. */
function clock(seconds: number): string {
  const whole = Math.floor(seconds)
  const parts = [Math.floor(whole / 60) % 60, whole % 60].map((part) => String(part).padStart(2, '0'))
  const hours = Math.floor(whole / 3600)
  return hours > 0 ? `${hours}:${parts.join(':')}` : parts.join(':').replace(/^0/, '')
}
