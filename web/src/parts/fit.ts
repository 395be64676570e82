/** The texts that are searched, all in lower case. */
export interface Searched {
  readonly title: string
  /** A path or a kind. A hit here counts less than a hit in the title. */
  readonly about: string
  /** Descriptions and names of parameters. A hit here counts less than a hit in `title` or `about`. */
  readonly words: string
  /** Texts in which a word may differ from the typed word by a typing error. */
  readonly near: string
}

export interface Fitting<Item> {
  readonly item: Item
  /** A number that is larger for a better fit. */
  readonly fit: number
}

const FIT = { titleBegins: 6, wordBegins: 5, inTitle: 4, inAbout: 3, inWords: 2, near: 1 } as const
/** Puts "Refund an order" before "Refunds of a period" when somebody types "refund". */
const WHOLE_WORD = 0.5

/**
 * Returns the items that have all typed words, with the best fit first. Items of equal fit keep their order.
 * Tolerates typing errors only when no item matches exactly.
 */
export function fitting<Item>(
  items: readonly Item[],
  typed: string,
  textsOf: (item: Item) => Searched,
): Fitting<Item>[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return items.map((item) => ({ item, fit: 0 }))
  const exact = ranked(items, textsOf, (texts) => fitOf(texts, words, exactFit))
  return exact.length > 0 ? exact : ranked(items, textsOf, (texts) => fitOf(texts, words, nearFit))
}

function ranked<Item>(
  items: readonly Item[],
  textsOf: (item: Item) => Searched,
  fitting: (texts: Searched) => number,
): Fitting<Item>[] {
  return items
    .map((item) => ({ item, fit: fitting(textsOf(item)) }))
    .filter(({ fit }) => fit > 0)
    .sort((a, b) => b.fit - a.fit)
}

/** Returns 0 when a word is missing. */
function fitOf(
  texts: Searched,
  words: readonly string[],
  ofWord: (texts: Searched, word: string) => number,
): number {
  const fits = words.map((word) => ofWord(texts, word))
  if (fits.includes(0)) return 0
  const isWhole = texts.title === words.join(' ')
  return fits.reduce((sum, fit) => sum + fit, isWhole ? 1 : 0)
}

function exactFit({ title, about, words }: Searched, word: string): number {
  if (title.includes(word)) {
    const all = wordsOf(title)
    const whole = all.includes(word) ? WHOLE_WORD : 0
    if (title.startsWith(word)) return FIT.titleBegins + whole
    return all.some((one) => one.startsWith(word)) ? FIT.wordBegins + whole : FIT.inTitle
  }
  if (about.includes(word)) return FIT.inAbout
  return words.includes(word) ? FIT.inWords : 0
}

/** Tolerates one typing error in words of four letters or more, two from eight letters on. */
function nearFit(texts: Searched, word: string): number {
  const exact = exactFit(texts, word)
  if (exact > 0) return exact
  if (word.length < 4) return 0
  const most = word.length < 8 ? 1 : 2
  return wordsOf(texts.near).some((one) => beginsNear(word, one, most)) ? FIT.near : 0
}

function wordsOf(text: string): string[] {
  return text.split(/[^\p{L}\p{N}]+/u)
}

/** Whether the beginning of a word is at most this many edits away. Two swapped letters are one edit. */
function beginsNear(typed: string, word: string, most: number): boolean {
  if (word.length < typed.length - most) return false
  const end = Math.min(word.length, typed.length + most)
  let [older, row] = [[] as number[], Array.from({ length: end + 1 }, (_, at) => at)]
  for (let i = 1; i <= typed.length; i++) {
    const next = [i]
    for (let j = 1; j <= end; j++) {
      const isSame = typed[i - 1] === word[j - 1]
      const isSwapped = i > 1 && j > 1 && typed[i - 1] === word[j - 2] && typed[i - 2] === word[j - 1]
      const ways = [(row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (isSame ? 0 : 1)]
      next.push(Math.min(...ways, isSwapped ? (older[j - 2] ?? 0) + 1 : Infinity))
    }
    if (Math.min(...next) > most) return false
    ;[older, row] = [row, next]
  }
  return Math.min(...row) <= most
}
