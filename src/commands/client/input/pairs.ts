import { exitCodes, Failure } from '../../failure.ts'

const NAME = /^[^=\p{Cc}]+(?==)/u

/**
 * Reads the `name=value` texts of one flag. Values may be secrets.
 * @throws Failure, exit code 64, also for a name that is given twice
 */
export function readPairs(texts: readonly string[], flag: string): Map<string, string> {
  const pairs = new Map<string, string>()
  for (const text of texts) {
    const [name] = NAME.exec(text) ?? []
    if (name === undefined) throw new Failure(`${flag} is written ${flag} name=value`, exitCodes.usage)
    if (pairs.has(name)) throw new Failure(`${flag} ${name} is given twice`, exitCodes.usage)
    pairs.set(name, text.slice(name.length + 1))
  }
  return pairs
}

/** Reads `NAME=value` of `-e`, in the form of the wire: `envvar:NAME` to base64. @throws Failure, exit code 64 */
export function readVariables(texts: readonly string[]): Map<string, string> {
  const variables = new Map<string, string>()
  for (const [name, value] of readPairs(texts, '-e'))
    variables.set(`envvar:${name}`, Buffer.from(value).toString('base64'))
  return variables
}
