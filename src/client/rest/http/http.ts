import { onAbort } from '../../../basics/abort.ts'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { answered } from '../../../basics/net/answered.ts'
import { readAll } from '../../../basics/files/read-all.ts'
import type { Account } from '../../account/account.ts'
import { answerLost, ApiError } from './api-error.ts'
import { openRestSocket } from './rest-socket.ts'

/** From the end of the request to the first line of the answer. */
const ANSWER_MS = 30_000
/** For the next piece, while somebody waits for it: a slow reader does not make a silent gateway. */
const PIECE_MS = 60_000

export interface Question {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** The path below the gateway's base, `/api/...`, with the query. */
  readonly path: string
  /** Sent as JSON. */
  readonly body?: object | undefined
  /** Time for the answer instead of 30 s. A request that starts an execution is answered only when it has ended. */
  readonly answerMs?: number | undefined
  /** Time for each piece of the answer instead of 60 s. */
  readonly pieceMs?: number | undefined
  /** Beside those that every request has. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Whether the token is left out: there may be none yet. */
  readonly isPublic?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

/** The head of an answer. Read its body to the end, or destroy it. */
export interface HttpAnswer {
  readonly status: number
  readonly contentType: string
  /** Where a redirect leads. It is never followed: the token is for this gateway. */
  readonly location: string | undefined
  /** @throws ApiError `unreachable` when the connection breaks */
  readonly body: AsyncIterable<Buffer>
  readonly discard: () => void
}

/** Sends a request on a connection of its own. @throws ApiError `unreachable` */
export async function ask(account: Account, question: Question): Promise<HttpAnswer> {
  const { signal = new AbortController().signal, answerMs = ANSWER_MS } = question
  const socket = await openRestSocket(account, signal)
  const deadline = AbortSignal.timeout(answerMs)
  const abort = () => void socket.destroy()
  // The request comes first: one that is given a destroyed socket never hears of its end.
  const answered = send(socket, account, question)
  // The signal counts until the connection ends: the body of an answer may take long.
  const listening = onAbort(signal, abort)
  socket.once('close', () => listening[Symbol.dispose]())
  using _ = onAbort(deadline, abort)
  try {
    return answerOf(await answered, account, question)
  } catch (error) {
    socket.destroy()
    throw answerLost(account.rest.url, lost(deadline, answerMs, error as Error))
  }
}

function lost(deadline: AbortSignal, answerMs: number, { message }: Error): string {
  if (deadline.aborted) return `none within ${answerMs / 1000} s`
  return `the connection ended before the answer (${message})`
}

type Connection = Awaited<ReturnType<typeof openRestSocket>>

function send(
  socket: Connection,
  account: Account,
  { method, path, body, headers, isPublic = false }: Question,
): Promise<IncomingMessage> {
  const { rest, token } = account
  const content = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
  const port = rest.port === (rest.isSecure ? 443 : 80) ? '' : `:${rest.port}`
  const request = httpRequest({
    method,
    path: `${rest.base}${path}`,
    createConnection: () => socket,
    headers: {
      Host: `${rest.host.includes(':') ? `[${rest.host}]` : rest.host}${port}`,
      ...(!isPublic && { Authorization: `Bearer ${token.reveal()}` }),
      Accept: 'application/json, text/plain',
      'User-Agent': 'runbook-agent',
      Connection: 'close',
      ...headers,
      ...(content !== undefined && {
        'Content-Type': 'application/json',
        'Content-Length': content.length,
      }),
    },
  })
  const answer = answered(request)
  request.end(content)
  return answer
}

function answerOf(
  response: IncomingMessage,
  { rest }: Account,
  { pieceMs = PIECE_MS }: Question,
): HttpAnswer {
  const { statusCode = 0, headers } = response
  return {
    status: statusCode,
    contentType: headers['content-type'] ?? '',
    location: headers.location,
    body: pieces(response, rest.url, pieceMs),
    discard: () => void response.destroy(),
  }
}

async function* pieces(
  response: IncomingMessage,
  url: string,
  pieceMs: number,
): AsyncGenerator<Buffer, void, undefined> {
  const iterator = response[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>
  try {
    for (;;) {
      const piece = await nextPiece(response, iterator, pieceMs)
      if (piece === undefined) return
      yield piece
    }
  } catch (error) {
    throw answerLost(url, `the answer broke off (${(error as Error).message})`)
  } finally {
    response.destroy()
  }
}

async function nextPiece(
  response: IncomingMessage,
  iterator: AsyncIterator<Buffer, undefined>,
  pieceMs: number,
): Promise<Buffer | undefined> {
  const silent = () => void response.destroy(new Error(`nothing for ${pieceMs / 1000} s`))
  let lastLook: NodeJS.Immediate | undefined
  // After a block of the event loop timers run before sockets. The piece may be there already, only not read yet.
  const timer = setTimeout(() => (lastLook = setImmediate(silent)), pieceMs)
  try {
    return (await iterator.next()).value
  } finally {
    clearTimeout(timer)
    clearImmediate(lastLook)
  }
}

/** The whole body. @throws ApiError `no-gateway` when it is longer than `limit` bytes */
export async function readBody({ body, status }: HttpAnswer, limit: number): Promise<Buffer> {
  const tooLong = () => new ApiError('no-gateway', `the answer is longer than ${limit} bytes`, { status })
  return readAll(body, limit, tooLong)
}
