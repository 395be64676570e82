import { decodeBase64 } from './base64.ts'
import { parseEntry, type Entry } from './entry.ts'
import { EnvvarError } from './errors.ts'
import { goQuote } from './go-quote.ts'
import { unresolvedReference } from './references.ts'

/**
 * Parses what the gateway sent for the connection. Undecodable values and references that cannot be resolved are
 * collected and refused together (protocol 6); only then do malformed keys count. Sorted by key.
 */
export function parseConnectionEntries(source: ReadonlyMap<string, string>): Entry[] {
  const sorted = sortedByKey(source)
  const faults = sorted.flatMap(([key, encoded]) => {
    const problem = problemOf(key, encoded)
    return problem === undefined ? [] : [{ key, problem }]
  })
  if (faults.length > 0) throw refusal(faults)
  return sorted.map(([key, encoded]) => parseEntry(key, encoded))
}

/** Sorted so that the same input always gives the same result and the same error; the wire's order is random. */
export function sortedByKey<Value>(source: ReadonlyMap<string, Value>): [string, Value][] {
  return [...source].sort(([left], [right]) => (left < right ? -1 : 1))
}

function problemOf(key: string, encoded: string): string | undefined {
  const { bytes, problem } = decodeBase64(encoded)
  if (bytes === undefined) return `failed decoding value, ${problem}`
  return unresolvedReference(key, bytes)
}

function refusal(faults: readonly { key: string; problem: string }[]): EnvvarError {
  const list = faults.map(({ key, problem }) => goQuote(`${key} ${problem}`)).join(' ')
  return new EnvvarError(`failed decoding environment variables [${list}]`)
}
