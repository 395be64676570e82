/** Waves of a batch that says nothing about them: one connection first, then all the others. */
export const USUAL_WAVES = '1,rest'

/**
 * Cuts so many connections into waves: `1,10%,rest`, each a number, a part of all, or what is left. What is behind the
 * last one is one more wave.
 * @returns the sizes, none of them 0; undefined for anything else
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

/** After how many failures a batch stops: `3`, or `10%` of all connections. @returns undefined for anything else */
export function parseStopAfter(text: string, total: number): number | undefined {
  return amountOf(text.trim(), total)
}

/** A part of all is rounded up, so it is one at least. */
function amountOf(word: string, total: number): number | undefined {
  const [, digits, percent] = /^(\d{1,6})(%?)$/.exec(word) ?? []
  const number = Number(digits)
  if (digits === undefined || number < 1) return undefined
  if (percent === '') return number
  return number <= 100 ? Math.ceil((total * number) / 100) : undefined
}
