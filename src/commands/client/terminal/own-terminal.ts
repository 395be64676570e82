import type { WindowSize } from '../../../basics/window-size.ts'
import { writeSync } from 'node:fs'
import { ScreenReset } from './screen-reset.ts'

/** The size of terminals that do not tell their size, such as some that programs make. */
const USUAL_SIZE: WindowSize = { rows: 24, cols: 80 }

/** This terminal in raw mode until `restore`, which runs at every end of the program but a SIGKILL or an abort. */
export class OwnTerminal implements Disposable {
  readonly #reset = new ScreenReset()
  readonly #makeRaw: () => () => void
  #makeCooked: (() => void) | undefined
  readonly #again = () => {
    this.#makeRaw()
    // Makes Node read the size again: in the background this program got no SIGWINCH.
    process.kill(process.pid, 'SIGWINCH')
  }
  readonly #restore = () => this.restore()

  /** @throws Error when stdin is not a terminal */
  static async enter(): Promise<OwnTerminal> {
    return new OwnTerminal(await rawMode())
  }

  private constructor(makeRaw: () => () => void) {
    this.#makeRaw = makeRaw
    this.#makeCooked = makeRaw()
    // The shell that stopped this program has set its own mode meanwhile.
    process.on('SIGCONT', this.#again)
    process.on('uncaughtExceptionMonitor', this.#restore)
    process.on('exit', this.#restore)
  }

  get size(): WindowSize {
    const [cols, rows] = process.stdout.getWindowSize()
    return cols > 0 && rows > 0 ? { rows, cols } : USUAL_SIZE
  }

  /** Call it with everything that is written to the screen. */
  see(data: Uint8Array): void {
    this.#reset.see(data)
  }

  /**
   * Passes on keys until `restore`. During a call the next keys wait.
   * @param typed settles when there is room for more
   * @param closed called when the terminal is gone
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

  /** Restores the terminal, once. @param isStuck the terminal takes no output: only its mode is restored */
  restore(isStuck = false): void {
    if (this.#makeCooked === undefined) return
    process.off('SIGCONT', this.#again)
    process.off('uncaughtExceptionMonitor', this.#restore)
    process.off('exit', this.#restore)
    process.stdin.pause().removeAllListeners('data')
    process.stdout.removeAllListeners('resize')
    if (!isStuck) write(this.#reset.sequence)
    this.#makeCooked()
    this.#makeCooked = undefined
  }

  [Symbol.dispose](): void {
    this.restore()
  }
}

/** Uses Node's own raw mode where libc cannot be called. */
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
    // The terminal is gone.
  }
}
