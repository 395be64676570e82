import { inspect } from 'node:util'
import { decodeBase64 } from '../golang/text/base64.ts'
import { goQuote } from '../golang/text/quote.ts'
import { EnvvarError } from './errors.ts'

/**
 * `envvar` means that the variable NAME contains the value. `filesystem` means that the variable contains the
 * path of a file with the value.
 */
export type EntryKind = 'envvar' | 'filesystem'

/**
 * All values of a connection are secrets. Values that the agent has fetched for the connection are secrets,
 * too.
 */
export type EntryOrigin = 'connection' | 'client' | 'agent'

/**
 * Maximum number of entries of connection and client together. The largest real sessions have a few dozen.
 */
export const MAX_ENTRIES = 10_000

const CONTROL_CHARACTER = /\p{Cc}/u
const BAD_IN_NAME = /[=\p{Cc}]/u

/**
 * One variable or secret file. Its value is in a private field, so neither JSON nor `inspect` shows the
 * value.
 */
export class Entry {
  readonly kind: EntryKind
  readonly name: string
  readonly origin: EntryOrigin
  readonly #value: Buffer

  /** Without an origin, the value counts as a value of a connection, and so as a secret. */
  constructor(kind: EntryKind, name: string, value: Buffer, origin: EntryOrigin = 'connection') {
    this.kind = kind
    this.name = name
    this.#value = value
    this.origin = origin
  }

  get key(): string {
    return `${this.kind}:${this.name}`
  }

  get value(): Buffer {
    return this.#value
  }

  /** Without this method, `inspect` with `getters` and `showHidden` would call `value`. */
  [inspect.custom](): string {
    return `Entry ${JSON.stringify(this.key)}`
  }
}

/**
 * Parses one entry from the wire. The key is `envvar:NAME` or `filesystem:NAME`, and the value is in base64.
 */
export function parseEntry(key: string, encoded: string, origin: EntryOrigin): Entry {
  const { kind, name } = parseKey(key)
  const { bytes, problem } = decodeBase64(encoded)
  if (bytes === undefined) throw new EnvvarError(`failed decoding env var ${goQuote(name)}, err=${problem}`)
  return checked(new Entry(kind, name, bytes, origin))
}

/** Creates a variable of the agent itself or of its environment. */
export function createVariable(name: string, value: string, origin: EntryOrigin): Entry {
  return checked(new Entry('envvar', name, Buffer.from(value), origin))
}

export function createEntry(key: string, value: Buffer, origin: EntryOrigin): Entry {
  const { kind, name } = parseKey(key)
  return checked(new Entry(kind, name, value, origin))
}

/** Refuses an impossible name, and a NUL in the value of a variable. Files may contain NUL. */
function checked(entry: Entry): Entry {
  const { kind, name, value } = entry
  if (name === '' || BAD_IN_NAME.test(name)) {
    const rule = 'must not be empty nor contain "=", NUL or control characters'
    throw new EnvvarError(`environment variable name ${JSON.stringify(name)} ${rule}`)
  }
  if (kind === 'envvar' && value.includes(0)) {
    throw new EnvvarError(
      `the value of ${entry.key} contains a NUL byte, pass it as filesystem:${name} instead`,
    )
  }
  return entry
}

function parseKey(key: string): { kind: EntryKind; name: string } {
  const [kind, name, ...rest] = key.split(':')
  if (kind === undefined || name === undefined || rest.length > 0) {
    const shown = CONTROL_CHARACTER.test(key) ? JSON.stringify(key) : key
    throw new EnvvarError(`environment variable key type in unknown format, want=[keytype:key], got=${shown}`)
  }
  if (kind === 'envvar' || kind === 'filesystem') return { kind, name }
  const accepted = 'accepted: "filesystem", "envvar"'
  throw new EnvvarError(`unknow environment variable type ${goQuote(kind)}, ${accepted}`)
}
