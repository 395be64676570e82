import { oneLine } from '../../../basics/text/printable.ts'
import { sizeText } from '../../../basics/text/units.ts'

export const WAITING = 'waiting for approval'

/** A status line on stderr, which is rewritten in place. It is shown only on a terminal. */
export class Progress implements Disposable {
  bytes = 0
  /** Says what the next Ctrl-C does, such as `detaches`. */
  ctrlC = 'detaches'
  readonly #isShown: boolean
  readonly #mayDraw: () => boolean
  readonly #subject: string
  readonly #startedAt: number
  readonly #timer: NodeJS.Timeout | undefined
  /** Time in ms at which the state ends by itself; the line shows the seconds that are left. */
  until: number | undefined
  #state = 'running'
  #isLine = false

  /**
   * @param subject the runbook or session, as printable text
   * @param mayDraw returns false while the cursor is in an unfinished line of the output
   */
  constructor(subject: string, isShown: boolean, mayDraw: () => boolean) {
    this.#subject = subject
    this.#mayDraw = mayDraw
    this.#isShown = isShown
    // Only a shown line has a time, because loading `performance` takes most of a millisecond.
    this.#startedAt = isShown ? performance.now() : 0
    this.#timer = isShown ? setInterval(() => this.#draw(), 1000) : undefined
  }

  /** A word or text, such as `running`. */
  set state(text: string) {
    this.#state = text
    if (this.#isShown && this.#isLine) this.#draw()
  }

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
    const left = this.until === undefined ? '' : `, ${secondsLeft(this.until)} s left`
    const line = `${this.#subject}: ${this.#state}${left}, ${elapsed}${size} (Ctrl-C ${this.ctrlC})`
    // The line is cut, because a longer line would wrap, and `clear` would remove only its last part.
    process.stderr.write(`\r${line.slice(0, Math.max(1, process.stderr.columns - 1))}\u001b[K`)
    this.#isLine = true
  }
}

/** Returns, for example, `waits for agent west, 13 s left`. */
export function agentAwayText({ agent, until }: { readonly agent: string; readonly until: string }): string {
  return oneLine(`waits for agent ${agent}, ${secondsLeft(Date.parse(until))} s left`)
}

/** @param until in ms */
function secondsLeft(until: number): number {
  return Math.max(0, Math.ceil((until - Date.now()) / 1000))
}

/** Formats the time as `1:02:03` or `0:07`. */
function clock(seconds: number): string {
  const whole = Math.floor(seconds)
  const parts = [Math.floor(whole / 60) % 60, whole % 60].map((part) => String(part).padStart(2, '0'))
  const hours = Math.floor(whole / 3600)
  return hours > 0 ? `${hours}:${parts.join(':')}` : parts.join(':').replace(/^0/, '')
}
