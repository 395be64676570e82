import { decodeBase64 } from '../../golang/text/base64.ts'
import { createEntry, type Entry } from './entry.ts'
import { EnvvarError } from '../errors.ts'
import { goQuote } from '../../golang/text/quote.ts'
import type { SessionSecrets } from '../secrets/session-secrets.ts'
import { resolveReference, type Resolution } from './references.ts'

/** Characters of faults that are told. Further faults are only counted. */
const LONGEST_LIST = 64 * 1024

/**
 * Parses what the gateway sent for the connection, and fetches what it refers to, one after the other. All values that
 * cannot be decoded and references that cannot be resolved are refused together (protocol.md 6); malformed keys are
 * looked at only afterwards. Sorted by key.
 */
export async function parseConnectionEntries(
  source: ReadonlyMap<string, string>,
  secrets: SessionSecrets,
): Promise<Entry[]> {
  const values: [key: string, value: Buffer][] = []
  const faults = new Faults()
  for (const [key, encoded] of sortedByKey(source)) {
    const resolved = valueOf(key, encoded, secrets)
    const { value, problem } = resolved instanceof Promise ? await resolved : resolved
    if (value !== undefined) values.push([key, value])
    else faults.add(`${key} ${problem}`)
  }
  faults.throwIfAny()
  return values.map(([key, value]) => createEntry(key, value, 'connection'))
}

/** Sorted, so that the same input always gives the same result and the same error. The wire's order is random. */
export function sortedByKey<Value>(source: ReadonlyMap<string, Value>): [string, Value][] {
  return [...source].sort(([left], [right]) => (left < right ? -1 : 1))
}

function valueOf(key: string, encoded: string, secrets: SessionSecrets): Resolution | Promise<Resolution> {
  const { bytes, problem } = decodeBase64(encoded)
  if (bytes === undefined) return { problem: `failed decoding value, ${problem}` }
  return resolveReference(key, bytes, secrets)
}

/** Faults of a connection. Ten thousand variables may have a long text each: some are told, the rest is counted. */
class Faults {
  readonly #told: string[] = []
  #length = 0
  #more = 0

  add(fault: string): void {
    if (this.#length >= LONGEST_LIST) {
      this.#more += 1
      return
    }
    const quoted = goQuote(fault)
    this.#told.push(quoted)
    this.#length += quoted.length
  }

  /** @throws EnvvarError */
  throwIfAny(): void {
    if (this.#told.length === 0) return
    const more = this.#more === 0 ? '' : ` and ${this.#more} more`
    throw new EnvvarError(`failed decoding environment variables [${this.#told.join(' ')}${more}]`)
  }
}
