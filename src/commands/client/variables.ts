import { readPairs } from './pairs.ts'

/** `NAME=value` of `-e`, in the wire's form: `envvar:NAME` to base64. @throws Failure, exit code 64 */
export function readVariables(texts: readonly string[]): Map<string, string> {
  const variables = new Map<string, string>()
  for (const [name, value] of readPairs(texts, '-e'))
    variables.set(`envvar:${name}`, Buffer.from(value).toString('base64'))
  return variables
}
