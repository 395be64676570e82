const ESCAPE = 0x1b
const BELL = 0x07
/** CAN and SUB end any sequence. */
const ABORTS = new Set([0x18, 0x1a])
/** Begin texts that go on to ST or BEL: DCS, SOS, OSC, PM, APC. */
const STRINGS = new Set(Buffer.from('PX]^_'))
const BRACKET = 0x5b
const STRING_END = '\\'
/** SO and SI change the character set without a sequence. */
const SHIFTS = new Set([0x0e, 0x0f])
/** In UTF-8 a C1 control is this byte and one from 0x80 to 0x9f. It stands for an ESC and a letter. */
const LEAD_OF_C1 = 0xc2
const C1_ABOVE_LETTER = 0x40
/** Follows the last byte: a character without a meaning outside of sequences. */
const NONE = 0x20

/** Sequences that matter here have at most some forty characters. The rest of a longer one is skipped. */
const LONGEST = 128

type State = 'ground' | 'escape' | 'csi' | 'string'

/**
 * Finds the escape sequences in what goes to a terminal, wherever it is cut into pieces (ECMA-48, as xterm reads it).
 */
export class ControlSequences {
  readonly #found: (sequence: string) => void
  #state: State = 'ground'
  #text = ''
  /** The string that an ESC has interrupted. A backslash after it ends the string. */
  #cut = ''
  #isLead = false

  /**
   * @param found called with each complete sequence, without the ESC: `[?25l`, `=`, `(0`, `]11;red`; also with SO and
   * SI
   */
  constructor(found: (sequence: string) => void) {
    this.#found = found
  }

  /** Whether the terminal is in the middle of a sequence. */
  get isInside(): boolean {
    return this.#state !== 'ground'
  }

  read(data: Uint8Array): void {
    for (let at = 0; at < data.length; at++) {
      if (this.#state === 'ground' && !this.#isLead) at = textEnd(data, at)
      const byte = data[at] ?? NONE
      const isC1 = this.#isLead && byte >= 0x80 && byte < 0xa0
      this.#isLead = byte === LEAD_OF_C1
      if (isC1) this.#begin('escape')
      if (isC1) this.#add(byte - C1_ABOVE_LETTER)
      else if (byte < 0x20) this.#control(byte)
      else if (this.#state !== 'ground' && !this.#isLead) this.#add(byte)
    }
  }

  #control(byte: number): void {
    if (ABORTS.has(byte)) this.#begin('ground')
    else if (byte === ESCAPE) this.#begin('escape')
    else if (this.#state !== 'string') {
      // Other controls work even inside a sequence, and do not matter here.
      if (SHIFTS.has(byte)) this.#found(String.fromCharCode(byte))
    } else if (byte === BELL) this.#complete(this.#text)
  }

  #add(byte: number): void {
    if (this.#text.length < LONGEST) this.#text += String.fromCharCode(byte)
    if (this.#state === 'string') return
    const isFirst = this.#state === 'escape' && this.#text.length === 1
    if (isFirst && byte === BRACKET) this.#state = 'csi'
    else if (isFirst && STRINGS.has(byte)) this.#state = 'string'
    else if (this.#state === 'csi' ? byte >= 0x40 : byte >= 0x30)
      this.#complete(this.#text === STRING_END ? this.#cut : this.#text)
  }

  #complete(sequence: string): void {
    this.#begin('ground')
    this.#found(sequence)
  }

  #begin(state: State): void {
    this.#cut = this.#state === 'string' ? this.#text : ''
    this.#state = state
    this.#text = ''
  }
}

/** A fast search, since most of what goes to a terminal is plain text. */
function textEnd(data: Uint8Array, start: number): number {
  let at = start
  for (let byte = data[at]; byte !== undefined && byte >= 0x20 && byte !== LEAD_OF_C1; byte = data[at])
    at += 1
  return at
}
