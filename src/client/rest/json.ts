import * as v from 'valibot'
import { parsedJson } from '../../basics/text/json.ts'
import { gatewayCode, type GatewayCode } from '../../wire/gateway-codes.ts'
import type { Account } from '../account/account.ts'
import { reasonOfCode } from '../running/session-end.ts'
import { ApiError, type ApiErrorKind } from './api-error.ts'
import { ask, readBody, type HttpAnswer, type Question } from './http.ts'
import { UNREADABLE } from './reading.ts'

/** Bytes. A list of a thousand sessions, or of all runbooks, has some hundred KB. */
const MAX_JSON_BYTES = 32 * 1024 * 1024
/** Bytes. A gateway's error is one sentence; a longer text is not from a gateway. */
const MAX_ERROR_BYTES = 256 * 1024

export interface RestReply<T> {
  readonly status: number
  readonly value: T
}

/**
 * Sends a request and reads JSON.
 * @param shape of every answer, or a function that returns UNREADABLE if the answer is not from a gateway
 * @param limit in bytes
 * @throws ApiError
 */
export async function askJson<T>(
  account: Account,
  question: Question,
  shape: v.GenericSchema<unknown, T> | ((json: unknown, status: number) => T | typeof UNREADABLE),
  limit = MAX_JSON_BYTES,
): Promise<RestReply<T>> {
  const answer = await askWell(account, question)
  const { status } = answer
  const body = await readBody(answer, limit)
  const json = parsedJson(body.toString('utf8'))
  const value = typeof shape === 'function' ? shape(json, status) : parsed(shape, json)
  if (value === UNREADABLE) throw noGateway(account, question, status)
  return { status, value }
}

function parsed<T>(shape: v.GenericSchema<unknown, T>, json: unknown): T | typeof UNREADABLE {
  const result = v.safeParse(shape, json)
  return result.success ? result.output : UNREADABLE
}

/** Throws when the status is not 2xx. The caller must read or discard the body. @throws ApiError */
export async function askWell(account: Account, question: Question): Promise<HttpAnswer> {
  const answer = await ask(account, question)
  if (answer.status >= 200 && answer.status < 300) return answer
  throw await readApiError(account, question, answer)
}

/** Reads the answer, so that its connection ends. */
export async function discardBody(answer: HttpAnswer): Promise<void> {
  await readBody(answer, MAX_ERROR_BYTES)
}

async function readApiError(account: Account, question: Question, answer: HttpAnswer): Promise<ApiError> {
  const { status, location } = answer
  if (status >= 300 && status < 400) {
    answer.discard()
    const to = location === undefined ? '' : ` to ${location}`
    return new ApiError(
      'no-gateway',
      `${account.rest.url} redirects${to}, and the token is not sent to another address. Use the gateway's own address`,
      { status },
    )
  }
  const said = errorIn(await readBody(answer, MAX_ERROR_BYTES))
  if (said === undefined && status < 500) return noGateway(account, question, status)
  // A proxy before the gateway may end the request while the execution still runs.
  const isAnswerLost = said === undefined && status >= 502 && status <= 504
  const { message = `HTTP status ${status}`, code, present } = said ?? {}
  const kind = code === undefined ? kindOfStatus(status) : kindOfCode(code)
  return new ApiError(kind, message, { status, isAnswerLost, code, present })
}

/** @public scripts/docs.mjs makes a table from the result. */
export function kindOfCode(code: GatewayCode): ApiErrorKind {
  const reason = reasonOfCode(code)
  switch (reason) {
    case 'refused':
    case 'not-permitted':
      return 'refused'
    case 'not-found':
    case 'busy':
    case 'invalid':
      return reason
    default:
      return 'failed'
  }
}

/** Used for hoop's gateway, which sends no code. */
function kindOfStatus(status: number): ApiErrorKind {
  if (status === 401 || status === 403) return 'refused'
  if (status === 404 || status === 405) return 'not-found'
  if (status === 429) return 'busy'
  return status < 500 ? 'invalid' : 'failed'
}

/** Undefined for a code that this version does not know. */
export const Code = v.pipe(v.optional(v.unknown(), null), v.transform(gatewayCode))

const ErrorBody = v.object({ message: v.string(), code: Code })
const nullableText = v.nullable(v.string())
/** Only the embedded gateway sends `present`. */
const Present = v.object({
  present: v.object({ commit: v.string(), diff: nullableText, note: nullableText }),
})

interface Said {
  readonly message: string
  readonly code: GatewayCode | undefined
  readonly present: ApiError['present']
}

/** Errors of gateways are `{"message": "..."}` (protocol.md 10); the embedded gateway adds a code. */
function errorIn(body: Buffer): Said | undefined {
  const json = parsedJson(body.toString('utf8'))
  const parsed = v.safeParse(ErrorBody, json)
  if (!parsed.success) return undefined
  const { message, code } = parsed.output
  const present = v.safeParse(Present, json)
  return {
    message: message || 'no reason given',
    code,
    present: present.success ? present.output.present : undefined,
  }
}

export function noGateway({ rest }: Account, { path }: Pick<Question, 'path'>, status: number): ApiError {
  const [place = ''] = path.split('?')
  return new ApiError(
    'no-gateway',
    `${rest.url}${place} does not answer like a gateway (HTTP status ${status}). Is this the address of the gateway's REST interface?`,
    { status },
  )
}
