import { CHANGES, type Change } from './changes.ts'
import { ControlSequences } from './control-sequences.ts'

/** Modes that are off by default, and that a program may leave on. A `?` marks those of DEC. */
const OFF_BY_DEFAULT = new Set([
  '2', // locked keyboard
  '4', // insertion
  '20', // line feeds that return the carriage too
  '?1', // cursor keys send application sequences
  '?5', // reverse video
  '?6', // origin mode
  '?9', // mouse, and the next ones
  '?66', // keypad sends application sequences
  '?69', // margins left and right
  '?1000',
  '?1001',
  '?1002',
  '?1003',
  '?1004',
  '?1005',
  '?1006',
  '?1007',
  '?1015',
  '?1016',
  '?2004', // bracketed paste
  '?2026', // output held back
])
const ON_BY_DEFAULT = new Set([
  '?7', // lines wrap
  '?25', // visible cursor
])
const ALTERNATE_SCREENS = new Set(['?47', '?1047', '?1049'])

const ESC = '\x1b'
const CANCEL = '\x18'

/**
 * What a remote program has changed on the terminal, learnt from what went to the screen. To undo it when the program
 * itself cannot.
 */
export class ScreenModes {
  readonly #sequences = new ControlSequences((sequence) => this.#found(sequence))
  /** Modes that are not at their default. */
  readonly #modes = new Set<string>()
  readonly #changes = new Set<Change>()
  #keyboards = 0

  /** Call it with everything that goes to the screen. */
  see(data: Uint8Array): void {
    this.#sequences.read(data)
  }

  /** What brings the terminal back to its defaults; empty when nothing has changed. */
  undo(): string {
    const modes = [...this.#modes]
    const screens = modes.filter((mode) => ALTERNATE_SCREENS.has(mode))
    const others = modes.filter((mode) => !ALTERNATE_SCREENS.has(mode))
    const changes = [...this.#changes]
    return [
      this.#sequences.isInside ? CANCEL : '',
      // Each screen has its own stack of keyboard modes. Everything else is better undone on the screen that stays.
      this.#keyboards > 0 ? `${ESC}[<${this.#keyboards}u` : '',
      ...changes.filter(({ ofScreen }) => ofScreen).map(({ undo }) => undo),
      ...[...others, ...screens].map((mode) => `${ESC}[${mode}${ON_BY_DEFAULT.has(mode) ? 'h' : 'l'}`),
      ...changes.filter(({ ofScreen }) => !ofScreen).map(({ undo }) => undo),
    ].join('')
  }

  #found(sequence: string): void {
    const [, mark = '', numbers, switched] = /^\[(\??)([\d;]+)([hl])$/.exec(sequence) ?? []
    if (numbers !== undefined)
      this.#switch(
        numbers.split(';').map((number) => mark + number),
        switched === 'h',
      )
    else if (sequence === 'c') this.#reset()
    else if (sequence === '[!p') this.#softReset()
    else {
      this.#keyboard(sequence)
      this.#change(sequence)
    }
  }

  #switch(modes: readonly string[], on: boolean): void {
    for (const mode of modes) {
      const isKnown = OFF_BY_DEFAULT.has(mode) || ON_BY_DEFAULT.has(mode) || ALTERNATE_SCREENS.has(mode)
      if (isKnown && on !== ON_BY_DEFAULT.has(mode)) this.#modes.add(mode)
      else this.#modes.delete(mode)
    }
  }

  /** For the stack of kitty's protocol. */
  #keyboard(sequence: string): void {
    const [, way, count] = /^\[([<>])(\d*)u$/.exec(sequence) ?? []
    if (way === '>') this.#keyboards += 1
    else if (way === '<') this.#keyboards = Math.max(0, this.#keyboards - (Number(count) || 1))
  }

  #change(sequence: string): void {
    for (const change of CHANGES) {
      if (!change.changes.test(sequence)) continue
      if (change.usual.test(sequence)) this.#changes.delete(change)
      else this.#changes.add(change)
      // Only a list of colours changes more than one thing.
      if (!sequence.startsWith(']')) return
    }
  }

  /** Does not change screen, mouse and paste. */
  #softReset(): void {
    for (const change of this.#changes) if (!change.outlivesReset) this.#changes.delete(change)
    for (const mode of ['4', '?1', '?6', '?7', '?25', '?66']) this.#modes.delete(mode)
  }

  #reset(): void {
    this.#changes.clear()
    this.#modes.clear()
    this.#keyboards = 0
  }
}
