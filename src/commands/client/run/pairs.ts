import { exitCodes, Failure } from '../../failure.ts'

/**
 * `name=value` texts of one flag. The value may be a secret: it is in no message.
 * @throws Failure, exit code 64, also for a name that is there twice
 */
export function readPairs(texts: readonly string[], flag: string): Map<string, string> {
  const pairs = new Map<string, string>()
  for (const text of texts) {
    const at = text.indexOf('=')
    if (at <= 0) throw new Failure(`${flag} is written ${flag} name=value`, exitCodes.usage)
    const name = text.slice(0, at)
    if (pairs.has(name)) throw new Failure(`${flag} ${name} is there twice`, exitCodes.usage)
    pairs.set(name, text.slice(at + 1))
  }
  return pairs
}
