const ESC = '\x1b'
/** Cancels an unfinished sequence, and shows nothing. */
const CANCEL = '\x18'
const SHIFT_OUT = 0x0e

/**
 * Switches to and from the alternate screen; a full reset leaves it as well. At most eight modes at once, as terminals
 * take them: an endless row of numbers would take quadratic time.
 */
const SCREEN_SWITCH = new RegExp(
  String.raw`${ESC}(?:c|\[\?(?:\d{1,5};){0,7}(47|1047|1049)(?:;\d{1,5}){0,7}([hl]))`,
  'g',
)
/** Bytes of the last output that are examined again, for a sequence that was cut in two. */
const LONGEST_SWITCH = 32

/** Resets the keyboard modes, of which each screen has its own (kitty's protocol). */
const KEYBOARDS = `${ESC}[<9u${ESC}[=0u`

/**
 * Restores what terminals start with, and neither moves the cursor nor clears anything. What people set for good, such
 * as the colours of the palette, stays.
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

/** Makes a terminal usable again after a program that could not restore it. */
export class ScreenReset {
  #isTouched = false
  /** The mode by which the alternate screen was entered, while it is shown. */
  #screen: string | undefined
  #last = ''

  /** Call it with everything that goes to the screen. */
  see(data: Uint8Array): void {
    if (data.includes(0x1b) || data.includes(SHIFT_OUT)) this.#isTouched = true
    if (!this.#isTouched) return
    const text = this.#last + Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('latin1')
    for (const [, mode, way] of text.matchAll(SCREEN_SWITCH)) this.#screen = way === 'h' ? mode : undefined
    this.#last = text.slice(-LONGEST_SWITCH)
  }

  /** The reset sequence; empty after plain text. */
  get sequence(): string {
    if (!this.#isTouched) return ''
    const leave = this.#screen === undefined ? '' : `${KEYBOARDS}${ESC}[?${this.#screen}l`
    return CANCEL + leave + DEFAULTS
  }
}
