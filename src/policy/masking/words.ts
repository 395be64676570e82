import { type ByteString, decodeText, runeAt } from '../../golang/text/byte-string.ts'

/** Number of words before a match that can raise its score. */
const WORDS_BEFORE = 5
/** Maximum length of a word in bytes. No list of context words has a longer word. */
const MAX_WORD_BYTES = 64
/**
 * Maximum number of bytes read backwards. Without this bound, many calls for places inside one long word
 * would take quadratic time.
 */
const NEAR = 512
const BEYOND_ASCII = /[\x80-\xff]/

/**
 * Finds the words before each place of a text. A word is a run of Unicode letters, digits and marks. If the
 * places ascend, the text is read only once. `next` sets the next piece of the text.
 */
export class Words {
  #text: ByteString = ''
  /** Words are read up to this place. No word spans it. */
  #cursor = 0
  /**
   * End of the word at the cursor, kept because callers may ask often inside one word. It is outdated if it
   * is before the cursor.
   */
  #end = -1
  #words: string[] = []
  readonly #beside: () => readonly string[]

  /** `beside` returns words that count as context of every place, such as a column's name for its values. */
  constructor(beside: () => readonly string[] = () => []) {
    this.#beside = beside
  }

  /** Sets the next text. It must repeat the previous text up to `from`. */
  next(text: ByteString, from: number): void {
    this.#text = text
    this.#cursor = from
    this.#end = -1
  }

  copy(): Words {
    const copy = new Words(this.#beside)
    copy.#text = this.#text
    copy.#cursor = this.#cursor
    copy.#words = [...this.#words]
    return copy
  }

  /**
   * Returns the words that end before `offset`, in order and in lower case. Leaves out a word that `offset`
   * cuts.
   */
  before(offset: number): readonly string[] {
    const near = nearStart(this.#text, offset, this.#cursor)
    if (near > this.#cursor) {
      this.#cursor = near
      this.#words = []
    }
    this.#readTo(offset)
    const beside = this.#beside()
    return beside.length === 0 ? this.#words : [...beside, ...this.#words]
  }

  #readTo(offset: number): void {
    while (this.#cursor < offset) {
      if (this.#end < this.#cursor) this.#end = wordEnd(this.#text, this.#cursor)
      const end = this.#end
      if (end === this.#cursor) this.#cursor += runeAt(this.#text, end).width
      else if (end > offset) break
      else this.#take(this.#cursor, end)
    }
  }

  #take(start: number, end: number): void {
    const word = end - start > MAX_WORD_BYTES ? '' : this.#text.slice(start, end)
    this.#words.push((BEYOND_ASCII.test(word) ? decodeText(word) : word).toLowerCase())
    if (this.#words.length > WORDS_BEFORE) this.#words.shift()
    this.#cursor = end
  }
}

/**
 * Returns where the last six words before `offset` begin. Five words are needed, and `offset` may cut the
 * sixth. The caller skips all earlier words, because most text is far from the next match. Returns `cursor`
 * if the six words are not near, or are not ASCII.
 */
function nearStart(text: ByteString, offset: number, cursor: number): number {
  const least = Math.max(cursor, offset - NEAR)
  let words = 0
  let isBehindWord = false
  for (let at = offset; at > least; at--) {
    const byte = text.charCodeAt(at - 1)
    if (byte >= 0x80) return cursor
    const isWord = isInWord(byte)
    if (isBehindWord && !isWord && ++words > WORDS_BEFORE) return at
    isBehindWord = isWord
  }
  return cursor
}

function wordEnd(text: ByteString, start: number): number {
  let end = start
  while (end < text.length) {
    const byte = text.charCodeAt(end)
    const rune = byte < 0x80 ? undefined : runeAt(text, end)
    if (!isInWord(rune?.value ?? byte)) break
    end += rune?.width ?? 1
  }
  return end
}

/** Cached results of `isInWord` for the first 65,536 code points. */
const known = new Uint8Array(0x10000)

function isInWord(point: number): boolean {
  const kept = known[point]
  if (kept !== undefined && kept > 0) return kept === 1
  const is = /[\p{L}\p{Nd}\p{M}]/u.test(String.fromCodePoint(point))
  known[point] = is ? 1 : 2
  return is
}

/** Words and phrases to find before a match. Each word may have a plural `s` or `es`. */
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
