/** So many words before a match can make it surer. */
const WORDS_BEFORE = 5
/** Longer words are in no list, whatever they are. */
const LONGEST_BYTES = 64

/**
 * The words before each place of a text: runs of Unicode letters, digits and marks. Asked for in ascending order, it
 * reads the text once. `next` goes on with what follows that text, so that a text may come in pieces.
 */
export class Words {
  #bytes: Buffer = Buffer.alloc(0)
  /** Up to here words are read, and end: none lies across it. */
  #cursor = 0
  #words: string[] = []

  /** @param from what lies before was read as the text before */
  next(bytes: Buffer, from: number): void {
    this.#bytes = bytes
    this.#cursor = from
  }

  copy(): Words {
    const copy = new Words()
    copy.#bytes = this.#bytes
    copy.#cursor = this.#cursor
    copy.#words = [...this.#words]
    return copy
  }

  /** The words that end before `offset`, in order and in lower case. The word that `offset` cuts is none of them. */
  before(offset: number): readonly string[] {
    while (this.#cursor < offset) {
      const end = this.#wordEnd(this.#cursor)
      if (end === this.#cursor) this.#cursor += runeAt(this.#bytes, end).length
      else if (end > offset) break
      else this.#take(this.#cursor, end)
    }
    return this.#words
  }

  #take(start: number, end: number): void {
    const word = end - start > LONGEST_BYTES ? '' : this.#bytes.toString('utf8', start, end).toLowerCase()
    this.#words.push(word)
    if (this.#words.length > WORDS_BEFORE) this.#words.shift()
    this.#cursor = end
  }

  #wordEnd(start: number): number {
    const bytes = this.#bytes
    let end = start
    while (end < bytes.length) {
      const byte = bytes[end] ?? 0
      if (byte < 0x80) {
        if (ASCII_WORD[byte] === 0) break
        end++
      } else {
        const { point, length } = runeAt(bytes, end)
        if (!isWordPoint(point)) break
        end += length
      }
    }
    return end
  }
}

const ASCII_WORD = Uint8Array.from({ length: 128 }, (_, byte) =>
  /[A-Za-z0-9]/.test(String.fromCharCode(byte)) ? 1 : 0,
)

const known = new Map<number, boolean>()

function isWordPoint(point: number): boolean {
  let is = known.get(point)
  if (is === undefined) known.set(point, (is = /[\p{L}\p{Nd}\p{M}]/u.test(String.fromCodePoint(point))))
  return is
}

/** The code point that begins here, as Go reads UTF-8: each byte that belongs to none is U+FFFD. */
export function runeAt(bytes: Buffer, offset: number): { point: number; length: number } {
  const first = bytes[offset] ?? 0
  if (first < 0x80) return { point: first, length: 1 }
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
  const point = bytes.toString('utf8', offset, Math.min(offset + length, bytes.length)).codePointAt(0)
  if (point === undefined || point === 0xfffd)
    return { point: 0xfffd, length: isReplacement(bytes, offset) ? 3 : 1 }
  return { point, length }
}

/** Whether U+FFFD itself is written here. */
function isReplacement(bytes: Buffer, offset: number): boolean {
  return bytes[offset] === 0xef && bytes[offset + 1] === 0xbf && bytes[offset + 2] === 0xbd
}

/** Whether words, in a row among those before a match, are a phrase of the list. Each may have a plural `s` or `es`. */
export class ContextWords {
  readonly #single = new Set<string>()
  readonly #phrases: (readonly string[])[] = []

  constructor(phrases: readonly string[]) {
    for (const phrase of phrases) {
      const words = phrase.toLowerCase().split(/[^\p{L}\p{Nd}\p{M}]+/u)
      if (words.length > 1) this.#phrases.push(words)
      else for (const ending of ['', 's', 'es']) this.#single.add(`${phrase.toLowerCase()}${ending}`)
    }
  }

  isAmong(words: readonly string[]): boolean {
    if (words.some((word) => this.#single.has(word))) return true
    return this.#phrases.some((phrase) =>
      words.some((_, at) => phrase.every((word, n) => isForm(words[at + n], word))),
    )
  }
}

function isForm(word: string | undefined, of: string): boolean {
  return word === of || word === `${of}s` || word === `${of}es`
}
