import { NativeError } from '../native-error.ts'
import { NOOP } from '../protocol.ts'

const SSL_REQUEST = 80_877_103
const GSS_REQUEST = 80_877_104
const CANCEL_REQUEST = 80_877_102
/** Maximum length of a startup packet in bytes, as in PostgreSQL. */
const MAX_STARTUP_BYTES = 10_000
const HEAD_BYTES = 8
/** Maximum length of a key in protocol 3.2, in bytes. */
const MAX_KEY_BYTES = 256

export type Startup =
  /** A request for TLS or GSS encryption. */
  | { readonly kind: 'encryption' }
  | { readonly kind: 'cancel'; readonly pid: number; readonly key: Buffer; readonly bytes: Buffer }
  | { readonly kind: 'startup'; readonly version: number; readonly parameters: ReadonlyMap<string, string> }

/** Returns undefined if the packet at the start is not whole. @throws NativeError */
export function readStartup(
  bytes: Buffer,
): { readonly startup: Startup; readonly length: number } | undefined {
  if (bytes.length < 4) return undefined
  const length = bytes.readUInt32BE(0)
  if (length < HEAD_BYTES || length > MAX_STARTUP_BYTES)
    throw new NativeError('protocol', 'the first bytes are not a startup packet of PostgreSQL')
  if (bytes.length < length) return undefined
  return { startup: startupIn(bytes.subarray(0, length)), length }
}

function startupIn(bytes: Buffer): Startup {
  const code = bytes.readUInt32BE(4)
  if (code === SSL_REQUEST || code === GSS_REQUEST) return { kind: 'encryption' }
  if (code === CANCEL_REQUEST) {
    if (bytes.length < 16 || bytes.length > 12 + MAX_KEY_BYTES)
      throw new NativeError('protocol', 'the cancel request of the client is malformed')
    return { kind: 'cancel', pid: bytes.readUInt32BE(8), key: Buffer.from(bytes.subarray(12)), bytes }
  }
  if (code >>> 16 !== 3)
    throw new NativeError(
      'protocol',
      `protocol ${code >>> 16}.${code & 0xffff} of PostgreSQL is not supported, only 3`,
    )
  return { kind: 'startup', version: code, parameters: parametersIn(bytes.subarray(HEAD_BYTES)) }
}

function parametersIn(bytes: Buffer): ReadonlyMap<string, string> {
  // latin1 keeps every byte, so bytes that are no UTF-8 reach the server unchanged.
  const texts = bytes.toString('latin1').split('\0')
  const parameters = new Map<string, string>()
  for (let at = 0; (texts[at] ?? '') !== ''; at += 2) {
    const value = texts[at + 1]
    if (value === undefined) throw new NativeError('protocol', 'a startup parameter is not terminated')
    parameters.set(texts[at] ?? '', value)
  }
  return parameters
}

/**
 * Builds the client's parameters with the connection's user.
 * @param database database of the connection. If neither the client nor the connection names a database, the
 * server uses the user's name.
 */
export function serverStartup(
  { version, parameters }: Extract<Startup, { kind: 'startup' }>,
  user: string,
  database: string | undefined,
): Buffer {
  const asked = parameters.get('database') ?? NOOP
  // A client without a database names its user: psql does so by itself. The agent's user is another one.
  const isOwnChoice = asked !== NOOP && (asked !== parameters.get('user') || (database ?? '') === '')
  const chosen = isOwnChoice ? asked : latin1(database ?? '')
  const all = new Map([...parameters, ['user', latin1(user)], ['database', chosen]])
  if (chosen === '') all.delete('database')
  const texts = Array.from(all, ([name, value]) => `${name}\0${value}\0`)
  const content = Buffer.from(`${texts.join('')}\0`, 'latin1')
  const head = Buffer.alloc(HEAD_BYTES)
  head.writeUInt32BE(HEAD_BYTES + content.length, 0)
  head.writeUInt32BE(version, 4)
  return Buffer.concat([head, content])
}

export function sslRequest(): Buffer {
  const bytes = Buffer.alloc(HEAD_BYTES)
  bytes.writeUInt32BE(HEAD_BYTES, 0)
  bytes.writeUInt32BE(SSL_REQUEST, 4)
  return bytes
}

export function cancelRequest(pid: number, key: Buffer): Buffer {
  const head = Buffer.alloc(12)
  head.writeUInt32BE(12 + key.length, 0)
  head.writeUInt32BE(CANCEL_REQUEST, 4)
  head.writeUInt32BE(pid, 8)
  return Buffer.concat([head, key])
}

/** A replication connection reads all data that is written to the server, whatever the rights on tables. */
export function asksForReplication({ parameters }: Extract<Startup, { kind: 'startup' }>): boolean {
  const value = parameters.get('replication')?.toLowerCase() ?? 'false'
  return !['false', 'off', 'no', '0', 'f', 'n', 'of'].includes(value)
}

function latin1(text: string): string {
  return Buffer.from(text).toString('latin1')
}
