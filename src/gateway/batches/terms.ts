/** Default waves of a batch: one connection first, then all the others. */
export const USUAL_WAVES = '1,rest'

/**
 * Cuts `total` connections into waves, as in `1,10%,rest`. Each word is a number, a percentage of all, or the
 * rest. Connections left after the last word are one more wave.
 * @returns the sizes, none of them 0; undefined for malformed text
 */
export function parseWaves(text: string, total: number): readonly number[] | undefined {
  const words = text.split(',').map((word) => word.trim())
  const sizes: number[] = []
  let left = total
  for (const [at, word] of words.entries()) {
    const isRest = word === 'rest' && at === words.length - 1
    const size = isRest ? left : amountOf(word, total)
    if (size === undefined) return undefined
    if (left > 0) sizes.push(Math.min(size, left))
    left -= Math.min(size, left)
  }
  return left > 0 ? [...sizes, left] : sizes
}

/**
 * Returns the number of failures after which a batch stops: `3`, or `10%` of all connections.
 * @returns undefined for malformed text
 */
export function parseStopAfter(text: string, total: number): number | undefined {
  return amountOf(text.trim(), total)
}

/** Rounds a percentage up, so that it is at least one. */
function amountOf(word: string, total: number): number | undefined {
  const [, digits, percent] = /^(\d{1,6})(%?)$/.exec(word) ?? []
  const number = Number(digits)
  if (digits === undefined || number < 1) return undefined
  if (percent === '') return number
  return number <= 100 ? Math.ceil((total * number) / 100) : undefined
}
