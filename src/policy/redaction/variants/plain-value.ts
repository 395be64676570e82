/** `staging`, `eu-west`, `Data Warehouse`; a mixture of cases inside a word is no word. */
const WORDS = /^[A-Z]?[a-z]+(?:[ _./-][A-Z]?[a-z]+)*$|^[A-Z]+(?:[ _./-][A-Z]+)*$/
const LONGEST_WORDS = 40
/** `300000`, `1.5`, `-1`; an amount, a limit, a number of seconds. */
const NUMBER = /^-?\d{1,9}(?:\.\d{1,9})?$/

/**
 * Whether a value is ordinary words or a number. This decides when the name says nothing: a secret is seldom that, and
 * an output in which every `staging` is replaced cannot be read.
 */
export function looksPlain(value: Buffer): boolean {
  if (value.length > LONGEST_WORDS) return false
  const text = value.toString('latin1')
  return WORDS.test(text) || NUMBER.test(text)
}
