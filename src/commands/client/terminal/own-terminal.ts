import { writeSync } from 'node:fs'
import type { WindowSize } from '../../../basics/window-size.ts'

/** Used if the terminal reports no size. Some terminals that were created by programs report none. */
const USUAL_SIZE: WindowSize = { rows: 24, cols: 80 }

/**
 * This terminal in raw mode. The terminal's mode is restored at every end of the program, except after
 * SIGKILL or an abort.
 */
export class OwnTerminal implements Disposable {
  readonly #reset = new ScreenReset()
  readonly #makeRaw: () => () => void
  #makeCooked: (() => void) | undefined
  readonly #again = () => {
    this.#makeRaw()
    // This makes Node read the size again, because no SIGWINCH arrives in the background.
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
    // While this program is stopped, the shell sets its own mode. So raw mode is set again afterwards.
    process.on('SIGCONT', this.#again)
    process.on('uncaughtExceptionMonitor', this.#restore)
    process.on('exit', this.#restore)
  }

  get size(): WindowSize {
    const [cols, rows] = process.stdout.getWindowSize()
    return cols > 0 && rows > 0 ? { rows, cols } : USUAL_SIZE
  }

  /** Tracks the screen's modes. Pass everything that is written to the terminal. */
  see(data: Uint8Array): void {
    this.#reset.see(data)
  }

  /**
   * Passes on keys until `restore`.
   * @param typed settles when more keys can be sent
   * @param closed called when the terminal is closed
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

  /** @param isStuck whether the terminal accepts no output. Then only its mode is restored */
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

/** Uses Node's own raw mode only on systems where libc cannot be called. */
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
    // This happens when the terminal is closed.
  }
}

const ESC = '\x1b'
/** Cancels an unfinished escape sequence and shows nothing. */
const CANCEL = '\x18'
const SHIFT_OUT = 0x0e

/**
 * Matches switches to and from the alternate screen, and a full reset, which also leaves it. A sequence has
 * at most eight modes, as in terminals: an endless row of numbers would take quadratic time.
 */
const SCREEN_SWITCH = new RegExp(
  String.raw`${ESC}(?:c|\[\?(?:\d{1,5};){0,7}(47|1047|1049)(?:;\d{1,5}){0,7}([hl]))`,
  'g',
)
/** This number of bytes is searched again, because a sequence may be cut in two. */
const MAX_SWITCH_CHARACTERS = 32

/** Resets the keyboard modes (kitty's protocol). Each screen has its own keyboard modes. */
const KEYBOARDS = `${ESC}[<9u${ESC}[=0u`

/**
 * The modes with which terminals start. The cursor's position and the screen do not change. Settings of the
 * user, such as the palette, do not change, either.
 */
const DEFAULTS = [
  KEYBOARDS,
  `${ESC}[2;4;20l`, // keyboard locked, insertion, line feeds that return the carriage too
  `${ESC}[?1;5;66;69l${ESC}>`, // cursor keys, reverse video, keypad, margins
  `${ESC}[?9;1000;1001;1002;1003;1004;1005;1006;1015;1016l`, // mouse and focus
  `${ESC}[?2004;2026l`, // marked pastes, output held back
  `${ESC}7${ESC}[r${ESC}8`, // the scroll region: to set it moves the cursor
  `${ESC}[?7;25h${ESC}[0 q`, // lines wrap; the cursor is visible, in its usual shape
  `${ESC}[>4m${ESC}(B${ESC})B\x0f${ESC}[m`, // modified keys, letters, style
].join('')

/** Makes a terminal usable after a program that did not restore its modes. */
export class ScreenReset {
  #isTouched = false
  /** The mode that entered the alternate screen. Undefined while the alternate screen is not shown. */
  #screen: string | undefined
  #last = ''

  /** Tracks the modes. Pass everything that is written to the terminal. */
  see(data: Uint8Array): void {
    if (data.includes(0x1b) || data.includes(SHIFT_OUT)) this.#isTouched = true
    if (!this.#isTouched) return
    const text = this.#last + Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('latin1')
    for (const [, mode, way] of text.matchAll(SCREEN_SWITCH)) this.#screen = way === 'h' ? mode : undefined
    this.#last = text.slice(-MAX_SWITCH_CHARACTERS)
  }

  /** The bytes that reset the terminal. Empty if only plain text was written. */
  get sequence(): string {
    if (!this.#isTouched) return ''
    const leave = this.#screen === undefined ? '' : `${KEYBOARDS}${ESC}[?${this.#screen}l`
    return CANCEL + leave + DEFAULTS
  }
}

export type KeyAction =
  { readonly kind: 'send'; readonly data: Buffer } | { readonly kind: 'leave' } | { readonly kind: 'help' }

const TILDE = 0x7e
const CARRIAGE_RETURN = 0x0d
const LINE_FEED = 0x0a

const COMMANDS: ReadonlyMap<number, 'leave' | 'help'> = new Map([
  [0x2e, 'leave'],
  [0x3f, 'help'],
])

const PASTE_BEGINS = Buffer.from('\x1b[200~')
const PASTE_ENDS = Buffer.from('\x1b[201~')

/**
 * Finds `~.`, `~~`, `~?` at the beginning of a line, as ssh does. These keys have no effect in pastes that
 * the terminal marks, so that a paste cannot end the session.
 */
export class EscapeKeys {
  #atLineStart = true
  /** Whether a tilde waits for the next key, which decides the tilde's meaning. */
  #isHeld = false
  readonly #pasteMark = new Mark(PASTE_BEGINS)
  readonly #pasteEnd = new Mark(PASTE_ENDS)
  #isPaste = false

  /** Returns what the keys do. Ignores all keys after `leave`. */
  read(input: Buffer): KeyAction[] {
    const actions: KeyAction[] = []
    // One byte more is needed for a tilde that was held back from an earlier piece.
    let keys = Buffer.alloc(input.length + 1)
    let length = 0
    const flush = () => {
      if (length > 0) actions.push({ kind: 'send', data: keys.subarray(0, length) })
      keys = keys.subarray(length)
      length = 0
    }
    for (const byte of input) {
      const command = this.#isHeld ? COMMANDS.get(byte) : undefined
      if (command !== undefined) {
        this.#isHeld = false
        flush()
        actions.push({ kind: command })
        if (command === 'leave') return actions
      } else {
        for (const key of this.#keysOf(byte)) length = keys.writeUInt8(key, length)
      }
    }
    flush()
    return actions
  }

  /**
   * Returns the bytes to send. Returns none for a tilde that is held back, and two if the key after it is not
   * a command.
   */
  #keysOf(byte: number): number[] {
    if (this.#isHeld) {
      this.#isHeld = false
      this.#typed(byte)
      return byte === TILDE ? [TILDE] : [TILDE, byte]
    }
    this.#isHeld = byte === TILDE && this.#atLineStart && !this.#isPaste
    if (this.#isHeld) return []
    this.#typed(byte)
    return [byte]
  }

  #typed(byte: number): void {
    this.#atLineStart = byte === CARRIAGE_RETURN || byte === LINE_FEED
    if (this.#pasteMark.completes(byte)) this.#isPaste = true
    if (this.#pasteEnd.completes(byte)) this.#isPaste = false
  }
}

/** Finds a text byte by byte. The text's first byte must not occur in it again. */
class Mark {
  readonly #text: Buffer
  #matched = 0

  constructor(text: Buffer) {
    this.#text = text
  }

  completes(byte: number): boolean {
    if (byte === this.#text[this.#matched]) this.#matched += 1
    else this.#matched = byte === this.#text[0] ? 1 : 0
    if (this.#matched < this.#text.length) return false
    this.#matched = 0
    return true
  }
}
