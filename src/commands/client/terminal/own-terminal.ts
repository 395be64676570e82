import type { WindowSize } from '../../../basics/window-size.ts'
import { writeSync } from 'node:fs'
import { ScreenModes } from './screen-modes.ts'

/** Of a terminal that does not tell its own, as some that are made by programs. */
const USUAL_SIZE: WindowSize = { rows: 24, cols: 80 }

/**
 * The terminal that this program runs on, in raw mode from its making to `restore`: which is called on whatever way the
 * program ends, but for a SIGKILL and an abort.
 */
export class OwnTerminal implements Disposable {
  readonly #modes = new ScreenModes()
  readonly #makeRaw: () => () => void
  #makeCooked: (() => void) | undefined
  readonly #again = () => {
    this.#makeRaw()
    // A new size was told to what ran in the foreground meanwhile; Node looks when it is told, and knows if it changed.
    process.kill(process.pid, 'SIGWINCH')
  }
  readonly #restore = () => this.restore()

  /** @throws Error when stdin is no terminal */
  static async enter(): Promise<OwnTerminal> {
    return new OwnTerminal(await rawMode())
  }

  private constructor(makeRaw: () => () => void) {
    this.#makeRaw = makeRaw
    this.#makeCooked = makeRaw()
    // A shell that stopped us has set its own mode meanwhile.
    process.on('SIGCONT', this.#again)
    process.on('uncaughtExceptionMonitor', this.#restore)
    process.on('exit', this.#restore)
  }

  get size(): WindowSize {
    const [cols, rows] = process.stdout.getWindowSize()
    return cols > 0 && rows > 0 ? { rows, cols } : USUAL_SIZE
  }

  /** To be called with everything that is written to the screen. */
  see(data: Uint8Array): void {
    this.#modes.see(data)
  }

  /**
   * Keys as they come, until `restore`; while one call goes on the next keys wait.
   * @param typed settles when there is room for more
   * @param closed the terminal is gone
   */
  onKeys(typed: (keys: Buffer) => Promise<void>, closed: () => void): void {
    const { stdin } = process
    stdin.on('data', (keys: Buffer) => {
      stdin.pause()
      void typed(keys).finally(() => {
        if (this.#makeCooked !== undefined) stdin.resume()
      })
    })
    stdin.on('end', closed).on('error', closed)
  }

  onResize(resized: (size: WindowSize) => void): void {
    process.stdout.on('resize', () => resized(this.size))
  }

  /**
   * Everything as it was, at once; again it does nothing.
   * @param isStuck the terminal takes no output: only its mode is brought back
   */
  restore(isStuck = false): void {
    if (this.#makeCooked === undefined) return
    process.off('SIGCONT', this.#again)
    process.off('uncaughtExceptionMonitor', this.#restore)
    process.off('exit', this.#restore)
    process.stdin.pause().removeAllListeners('data')
    process.stdout.removeAllListeners('resize')
    if (!isStuck) write(this.#modes.undo())
    this.#makeCooked()
    this.#makeCooked = undefined
  }

  [Symbol.dispose](): void {
    this.restore()
  }
}

/** Node's own where libc cannot be called. */
async function rawMode(): Promise<() => () => void> {
  const termios = await import('../../../runtime/linux/termios.ts').catch(() => undefined)
  if (termios !== undefined) return () => termios.makeRaw(0)
  return () => {
    process.stdin.setRawMode(true)
    return () => void process.stdin.setRawMode(false)
  }
}

function write(text: string): void {
  try {
    writeSync(1, text)
  } catch {
    // The terminal has gone.
  }
}
