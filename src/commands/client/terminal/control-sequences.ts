const ESCAPE = 0x1b
const BELL = 0x07
/** CAN and SUB end any sequence. */
const ABORTS = new Set([0x18, 0x1a])
/** Introducers of texts that go on to ST or BEL: DCS, SOS, OSC, PM, APC. */
const STRINGS = new Set(Buffer.from('PX]^_'))
const BRACKET = 0x5b

/** The longest that means anything to us has some forty characters; the rest of a longer one is passed over. */
const LONGEST = 128

type State = 'ground' | 'escape' | 'csi' | 'string'

/** Finds the escape sequences in what goes to a terminal, wherever it is cut (ECMA-48, as xterm reads it). */
export class ControlSequences {
  #state: State = 'ground'
  #text = ''

  /** Whether the terminal is in the middle of one. */
  get isInside(): boolean {
    return this.#state !== 'ground'
  }

  /** Calls `found` with each complete one, without the ESC: `[?25l`, `=`, `(0`. Of strings there is only their end. */
  read(data: Uint8Array, found: (sequence: string) => void): void {
    for (let at = 0; at < data.length; at++) {
      if (this.#state === 'ground') {
        at = data.indexOf(ESCAPE, at)
        if (at < 0) return
        this.#begin('escape')
      } else this.#next(data[at] ?? 0, found)
    }
  }

  #next(byte: number, found: (sequence: string) => void): void {
    if (ABORTS.has(byte)) this.#begin('ground')
    else if (byte === ESCAPE) this.#begin('escape')
    else if (this.#state === 'string') {
      if (byte === BELL) this.#begin('ground')
    }
    // Other control characters are obeyed and do not count.
    else if (byte >= 0x20) this.#add(byte, found)
  }

  #add(byte: number, found: (sequence: string) => void): void {
    if (this.#text.length < LONGEST) this.#text += String.fromCharCode(byte)
    const isFirst = this.#state === 'escape' && this.#text.length === 1
    if (isFirst && byte === BRACKET) this.#state = 'csi'
    else if (isFirst && STRINGS.has(byte)) this.#state = 'string'
    else if (this.#state === 'csi' ? byte >= 0x40 : byte >= 0x30) {
      const sequence = this.#text
      this.#begin('ground')
      found(sequence)
    }
  }

  #begin(state: State): void {
    this.#state = state
    this.#text = ''
  }
}
