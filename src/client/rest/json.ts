import * as v from 'valibot'
import type { Account } from '../account/account.ts'
import { ApiError, type ApiErrorKind } from './api-error.ts'
import { ask, readBody, type HttpAnswer, type Question } from './http.ts'

/** A list of a thousand sessions or of all runbooks has some hundred KB. */
const LONGEST_JSON = 32 * 1024 * 1024
/** Errors have a sentence; what answers with more is something else. */
const LONGEST_ERROR = 256 * 1024

export interface RestReply<T> {
  readonly status: number
  readonly value: T
}

/**
 * A question whose answer is JSON of a shape.
 * @param limit of the answer, in bytes
 * @throws ApiError
 */
export async function askJson<T>(
  account: Account,
  question: Question,
  shape: v.GenericSchema<unknown, T>,
  limit = LONGEST_JSON,
): Promise<RestReply<T>> {
  const answer = await askWell(account, question)
  const { status } = answer
  const body = await readBody(answer, limit)
  const parsed = v.safeParse(shape, parse(body))
  if (parsed.success) return { status, value: parsed.output }
  throw noGateway(account, question, status)
}

/** A question whose answer is not an error; its body is the caller's to read or discard. @throws ApiError */
export async function askWell(account: Account, question: Question): Promise<HttpAnswer> {
  const answer = await ask(account, question)
  if (answer.status >= 200 && answer.status < 300) return answer
  throw await errorOf(account, question, answer)
}

/** Reads an answer that says nothing, so that its connection ends. */
export async function discardBody(answer: HttpAnswer): Promise<void> {
  await readBody(answer, LONGEST_ERROR)
}

async function errorOf(account: Account, question: Question, answer: HttpAnswer): Promise<ApiError> {
  const { status, location } = answer
  if (status >= 300 && status < 400) {
    answer.discard()
    const to = location === undefined ? '' : ` to ${location}`
    return new ApiError(
      'no-gateway',
      `${account.rest.url} redirects${to}: the token is not sent there. Use the gateway's own address`,
      status,
    )
  }
  const text = messageIn(await readBody(answer, LONGEST_ERROR))
  if (text === undefined && status < 500) return noGateway(account, question, status)
  // What stands before a gateway gives up sooner than an execution ends.
  const isProxy = text === undefined && status >= 502 && status <= 504
  return new ApiError(kindOf(status), text ?? `HTTP status ${status}`, status, isProxy)
}

function kindOf(status: number): ApiErrorKind {
  if (status === 401 || status === 403) return 'refused'
  if (status === 404 || status === 405) return 'not-found'
  if (status === 429) return 'busy'
  return status < 500 ? 'invalid' : 'failed'
}

const Message = v.object({ message: v.string() })

/** Every error of a gateway is `{"message": "..."}` (protocol.md 10). */
function messageIn(body: Buffer): string | undefined {
  const parsed = v.safeParse(Message, parse(body))
  return parsed.success ? parsed.output.message || 'no reason given' : undefined
}

function noGateway({ rest }: Account, { path }: Question, status: number): ApiError {
  const [place = ''] = path.split('?')
  return new ApiError(
    'no-gateway',
    `${rest.url}${place} does not answer like a gateway (HTTP status ${status}): is this the address of its REST interface?`,
    status,
  )
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}
