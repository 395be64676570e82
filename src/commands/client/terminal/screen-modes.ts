import { ControlSequences } from './control-sequences.ts'

/** DEC private modes that a program may leave behind, other than a terminal has them. */
const OFF_BY_DEFAULT = new Set([
  1, // cursor keys send application sequences
  5, // reverse video
  6, // origin mode
  9, // mouse, and the next ones
  66, // keypad sends application sequences
  1000,
  1001,
  1002,
  1003,
  1004,
  1005,
  1006,
  1007,
  1015,
  1016,
  2004, // bracketed paste
  2026, // output held back
])
const ON_BY_DEFAULT = new Set([
  7, // lines wrap
  25, // visible cursor
])
const ALTERNATE_SCREENS = new Set([47, 1047, 1049])

const ESC = '\x1b'
const CANCEL = '\x18'

/** What a remote program has made of the terminal, from what went to the screen; for when it cannot undo it itself. */
export class ScreenModes {
  readonly #sequences = new ControlSequences()
  /** Modes that are not at their default. */
  readonly #modes = new Set<number>()
  /** What undoes the other changes, by what was changed. */
  readonly #undoing = new Map<string, string>()
  #keyboards = 0

  /** To be called with everything that goes to the screen. */
  see(data: Uint8Array): void {
    this.#sequences.read(data, (sequence) => this.#found(sequence))
  }

  /** What brings the terminal back to its defaults; empty when it has them. */
  undo(): string {
    const modes = [...this.#modes]
    const screens = modes.filter((mode) => ALTERNATE_SCREENS.has(mode))
    const others = modes.filter((mode) => !ALTERNATE_SCREENS.has(mode))
    return [
      this.#sequences.isInside ? CANCEL : '',
      // The stack of keyboard modes belongs to the screen; the rest of the look is better undone on the one that stays.
      this.#keyboards > 0 ? `${ESC}[<${this.#keyboards}u` : '',
      ...[...others, ...screens].map((mode) => `${ESC}[?${mode}${ON_BY_DEFAULT.has(mode) ? 'h' : 'l'}`),
      ...this.#undoing.values(),
    ].join('')
  }

  #found(sequence: string): void {
    const [, numbers, switched] = /^\[\?([\d;]+)([hl])$/.exec(sequence) ?? []
    if (numbers !== undefined) this.#switch(numbers.split(';').map(Number), switched === 'h')
    else if (sequence === 'c') this.#reset()
    else if (sequence.startsWith('[>') || sequence.startsWith('[<')) this.#keyboard(sequence)
    else this.#change(sequence)
  }

  #switch(modes: readonly number[], on: boolean): void {
    for (const mode of modes) {
      const isKnown = OFF_BY_DEFAULT.has(mode) || ON_BY_DEFAULT.has(mode) || ALTERNATE_SCREENS.has(mode)
      if (isKnown && on !== ON_BY_DEFAULT.has(mode)) this.#modes.add(mode)
      else this.#modes.delete(mode)
    }
  }

  /** xterm's modified keys, and the stack of kitty's protocol. */
  #keyboard(sequence: string): void {
    const [, level] = /^\[>4(?:;(\d*))?m$/.exec(sequence) ?? [undefined, undefined]
    if (sequence.startsWith('[>4') && sequence.endsWith('m'))
      this.#set('modified keys', Number(level ?? 0) > 0, `${ESC}[>4m`)
    else if (/^\[>\d*u$/.test(sequence)) this.#keyboards += 1
    else if (/^\[<\d*u$/.test(sequence))
      this.#keyboards = Math.max(0, this.#keyboards - Number(sequence.slice(2, -1) || 1))
  }

  #change(sequence: string): void {
    if (/^\[[\d;:]*m$/.test(sequence)) this.#set('style', !/^\[0*m$/.test(sequence), `${ESC}[m`)
    else if (sequence === '=' || sequence === '>') this.#set('keypad', sequence === '=', `${ESC}>`)
    else if (/^\([0-9A-Z]$/.test(sequence)) this.#set('letters', sequence !== '(B', `${ESC}(B`)
    // Setting it moves the cursor.
    else if (/^\[[\d;]*r$/.test(sequence)) this.#set('region', sequence !== '[r', `${ESC}7${ESC}[r${ESC}8`)
    else if (/^\[\d* q$/.test(sequence)) this.#set('cursor', !/^\[0* q$/.test(sequence), `${ESC}[0 q`)
    else if (/^\[4[hl]$/.test(sequence)) this.#set('insertion', sequence === '[4h', `${ESC}[4l`)
    // What a soft reset leaves as it is: screen, mouse, paste.
    else if (sequence === '[!p') this.#softReset()
  }

  #set(what: string, changed: boolean, undoing: string): void {
    if (changed) this.#undoing.set(what, undoing)
    else this.#undoing.delete(what)
  }

  #softReset(): void {
    this.#undoing.clear()
    for (const mode of [1, 6, 7, 25, 66]) this.#modes.delete(mode)
  }

  #reset(): void {
    this.#undoing.clear()
    this.#modes.clear()
    this.#keyboards = 0
  }
}
