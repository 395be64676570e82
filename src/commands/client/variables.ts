import { exitCodes, Failure } from '../failure.ts'

const NAME = /^[^=\p{Cc}]+$/u

/** `NAME=value` of `-e`, in the wire's form: `envvar:NAME` to base64; the last one of a name wins. @throws Failure, exit code 64 */
export function readVariables(pairs: readonly string[]): Map<string, string> {
  return new Map(
    pairs.map((pair) => {
      const at = pair.indexOf('=')
      const name = at < 0 ? '' : pair.slice(0, at)
      // The rest of the text may be a secret.
      if (!NAME.test(name)) throw new Failure('-e is written NAME=value', exitCodes.usage)
      return [`envvar:${name}`, Buffer.from(pair.slice(at + 1)).toString('base64')]
    }),
  )
}
