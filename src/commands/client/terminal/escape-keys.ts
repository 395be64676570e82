/** The meaning of a piece of input: keys for the session, or a command for this program. */
export type KeyAction =
  { readonly kind: 'send'; readonly data: Buffer } | { readonly kind: 'leave' } | { readonly kind: 'help' }

const TILDE = 0x7e
const CARRIAGE_RETURN = 0x0d
const LINE_FEED = 0x0a

/** The keys after a tilde at the beginning of a line. */
const COMMANDS: ReadonlyMap<number, 'leave' | 'help'> = new Map([
  [0x2e, 'leave'],
  [0x3f, 'help'],
])

const PASTE_BEGINS = Buffer.from('\x1b[200~')
const PASTE_ENDS = Buffer.from('\x1b[201~')

/** `~.`, `~~`, `~?` at the beginning of a line, as in ssh. Pasted text, where it is marked, ends no session. */
export class EscapeKeys {
  #atLineStart = true
  /** Whether a tilde is held back until the next key tells what it means. */
  #isHeld = false
  readonly #pasteMark = new Mark(PASTE_BEGINS)
  readonly #pasteEnd = new Mark(PASTE_ENDS)
  #isPaste = false

  /** The actions in order. Nothing after `leave` counts. */
  read(input: Buffer): KeyAction[] {
    const actions: KeyAction[] = []
    // One byte more than the input, for a tilde held back from an earlier piece.
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

  /** The bytes to pass on for a key: none for a tilde that is held back, two when the key after it means nothing. */
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

/** Finds a text byte by byte. The first byte of the text must not occur in it again. */
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
