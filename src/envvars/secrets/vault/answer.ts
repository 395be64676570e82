import type { Reply } from '../../../basics/net/exchange.ts'
import { isJsonObject, jsonKind, parseJson } from '../../../golang/text/json.ts'

/** A secret could not be fetched, in hoop's words. */
export class VaultError extends Error {
  override readonly name = 'VaultError'
}

/** The engine's version: where the members are in an answer, and what hoop's decoder calls the places. */
export type KeyValueVersion = 1 | 2

/** @throws VaultError unless the status is one of success */
export function refuseFailure(reply: Reply): void {
  const { status, body } = reply
  if (status === 200 || status === 204) return
  if (status < 400 || status > 499) {
    // The body of an answer that is no failure may be the secret itself.
    const shown = status < 400 ? '(not shown)' : body.toString()
    throw new VaultError(`failed performing request, status=${status}, body=${shown}`)
  }
  const { value, problem } = parseJson(body.toString())
  if (problem !== undefined) throw undecoded('failed decoding error response', reply, problem)
  const errors = isJsonObject(value) ? value['errors'] : undefined
  const texts = Array.isArray(errors) ? errors.filter((each) => typeof each === 'string') : []
  throw new VaultError(`vault error response, status=${status}, errs=${texts.join('; ')}`)
}

/** The answer cannot be read. @param what hoop's first words */
export function undecoded(
  what: string,
  { status, length }: Pick<Reply, 'status' | 'length'>,
  reason: string,
): VaultError {
  return new VaultError(`${what}, status=${status}, length=${length}, reason=${reason}`)
}

/** The token of a login; empty when the answer has none. @throws VaultError */
export function tokenIn(reply: Reply, what: string): string {
  const { value, problem } = parseJson(reply.body.toString())
  if (problem !== undefined) throw undecoded(what, reply, problem)
  const auth = isJsonObject(value) ? value['auth'] : undefined
  const token = isJsonObject(auth) ? auth['client_token'] : undefined
  return typeof token === 'string' ? token : ''
}

/** The members of a secret. A null is the empty text; one value of another kind makes all of it invalid. @throws VaultError */
export function membersIn(reply: Reply, version: KeyValueVersion): ReadonlyMap<string, string> {
  const { value, problem } = parseJson(reply.body.toString())
  const decoded = problem ?? decode(value, version)
  if (typeof decoded === 'string') throw undecoded('failed decoding response', reply, decoded)
  return decoded
}

/** The members, or what Go's decoder says. */
function decode(value: unknown, version: KeyValueVersion): ReadonlyMap<string, string> | string {
  const outer = `secretsmanager.KeyValV${version}`
  if (value === null) return new Map()
  if (!isJsonObject(value)) return mismatch(value, `value of type ${outer}`)
  if (version === 1) return strings(value['data'], 'KeyValV1.data')
  const data = value['data'] ?? {}
  if (!isJsonObject(data))
    return mismatch(data, 'struct field KeyValV2.data of type secretsmanager.KeyValData')
  return strings(data['data'], 'KeyValData.data.data')
}

function strings(value: unknown, field: string): ReadonlyMap<string, string> | string {
  if (value === undefined || value === null) return new Map()
  if (!isJsonObject(value)) return mismatch(value, `struct field ${field} of type map[string]string`)
  const members = Object.entries(value).map(([name, member]) => [name, member ?? ''] as const)
  const other = members.find(([, member]) => typeof member !== 'string')
  if (other !== undefined) return mismatch(other[1], `struct field ${field} of type string`)
  return new Map(members as (readonly [string, string])[])
}

function mismatch(value: unknown, place: string): string {
  return `json: cannot unmarshal ${jsonKind(value)} into Go ${place}`
}
