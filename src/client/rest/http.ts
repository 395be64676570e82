import { request as httpRequest, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { onAbort, patience } from '../../basics/abort.ts'
import { readAll } from '../../basics/files/small-file.ts'
import { answered, networkErrorCode } from '../../basics/net/exchange.ts'
import { tunnel, TunnelError } from '../../basics/net/proxy.ts'
import { hostOf, portOf } from '../../dial/address.ts'
import { explainTls, secure, secureContext, type TlsOptions } from '../../dial/tls.ts'
import type { Account } from '../account/account.ts'
import { answerLost, ApiError } from './api-error.ts'

/** Maximum time from the open connection to the head of the answer. */
export const ANSWER_MS = 30_000
/**
 * Maximum wait for the next piece of an answer. The time runs only while the caller waits for a piece. So a
 * slow caller does not make the gateway look silent.
 */
const PIECE_MS = 60_000

export interface Question {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Begins with `/api/`, below the gateway's base. Includes the query. */
  readonly path: string
  readonly body?: object | undefined
  /** Default: 30 s. A gateway may send the answer to an execution only after the execution's end. */
  readonly answerMs?: number | undefined
  /** Default: 60 s for each piece. */
  readonly pieceMs?: number | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** If true, no token is sent, because the user may not have signed in. */
  readonly isPublic?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

/** Read the body to the end, or destroy it. */
export interface HttpAnswer {
  readonly status: number
  readonly contentType: string
  /** Redirects are not followed, because the token is for this gateway only. */
  readonly location: string | undefined
  /** @throws ApiError `unreachable` when the connection breaks */
  readonly body: AsyncIterable<Buffer>
  readonly discard: () => void
}

/** Uses a connection of its own. @throws ApiError `unreachable` */
export async function ask(account: Account, question: Question): Promise<HttpAnswer> {
  const { signal = new AbortController().signal, answerMs = ANSWER_MS } = question
  const socket = await openRestSocket(account, signal)
  const deadline = AbortSignal.timeout(answerMs)
  const abort = () => void socket.destroy()
  // This call must be before `onAbort`: a request on an already destroyed socket never ends.
  const answered = send(socket, account, question)
  // The signal counts until the connection ends, because the body of an answer may take long.
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
  if (deadline.aborted) return `no answer within ${answerMs / 1000} s`
  return `the connection ended before the answer (${message})`
}

export const USER_AGENT = 'runbook-agent'

export function hostHeader({ host, port, isSecure }: Account['rest']): string {
  const shownPort = port === (isSecure ? 443 : 80) ? '' : `:${port}`
  return `${host.includes(':') ? `[${host}]` : host}${shownPort}`
}

export function authorization({ token }: Account): string {
  return `Bearer ${token.reveal()}`
}

function send(
  socket: Socket,
  account: Account,
  { method, path, body, headers, isPublic = false }: Question,
): Promise<IncomingMessage> {
  const { rest } = account
  const content = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
  const request = httpRequest({
    method,
    path: `${rest.base}${path}`,
    createConnection: () => socket,
    headers: {
      Host: hostHeader(rest),
      ...(!isPublic && { Authorization: authorization(account) }),
      Accept: 'application/json, text/plain',
      'User-Agent': USER_AGENT,
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
  const silent = () => void response.destroy(new Error(`no data for ${pieceMs / 1000} s`))
  let lastLook: NodeJS.Immediate | undefined
  // After the event loop was blocked, timers run before sockets are read. One more turn reads a piece that
  // has already arrived.
  const timer = setTimeout(() => (lastLook = setImmediate(silent)), pieceMs)
  try {
    return (await iterator.next()).value
  } finally {
    clearTimeout(timer)
    clearImmediate(lastLook)
  }
}

/** @throws ApiError `no-gateway` when the body is longer than `limit` bytes */
export async function readBody({ body, status }: HttpAnswer, limit: number): Promise<Buffer> {
  const tooLong = () => new ApiError('no-gateway', `the answer is longer than ${limit} bytes`, { status })
  return readAll(body, limit, tooLong)
}

/** Maximum time for name lookup, TCP, proxy and TLS together. The system repeats a SYN after 1, 3 and 7 s. */
const CONNECT_MS = 10_000

const REASONS: Readonly<Partial<Record<string, string>>> = {
  ECONNREFUSED: 'nothing listens there (ECONNREFUSED)',
  ENOTFOUND: 'the name does not exist (ENOTFOUND)',
  EAI_AGAIN: 'the name cannot be resolved now (EAI_AGAIN)',
  ECONNRESET: 'the other end closed the connection (ECONNRESET)',
}

/**
 * Connects, through a proxy if one is configured. `signal` ends the attempt. @throws ApiError `unreachable`
 */
export async function openRestSocket({ rest, tls, proxyTo }: Account, signal: AbortSignal): Promise<Socket> {
  const address = `${rest.host.includes(':') ? `[${rest.host}]` : rest.host}:${rest.port}`
  const proxy = tls === undefined ? undefined : proxyTo(address)
  const attempt = patience(CONNECT_MS, signal)
  const socket = connect({ host: hostOf(proxy?.address ?? address), port: portOf(proxy?.address ?? address) })
  const opened = connected(socket)
  using _ = onAbort(attempt, () => socket.destroy(new Error(signal.aborted ? 'aborted' : 'timeout')))
  try {
    await opened
    if (proxy !== undefined) await tunnel(socket, address, proxy)
    const led =
      tls === undefined ? socket : await secure(socket, address, tls, secureContext(tls), 'http/1.1')
    led.on('error', () => undefined)
    return led
  } catch (error) {
    socket.destroy()
    throw unreachable(
      rest.url,
      reasonOf(error as NodeJS.ErrnoException, { attempt, address, tls, via: proxy?.address }),
    )
  }
}

function connected(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('connect', resolve)
    // This listener is never removed: a socket's error without a listener would end the process.
    socket.on('error', reject)
  })
}

interface Attempt {
  readonly attempt: AbortSignal
  readonly address: string
  readonly tls: TlsOptions | undefined
  readonly via: string | undefined
}

function reasonOf(error: NodeJS.ErrnoException, { attempt, address, tls, via }: Attempt): string {
  if (attempt.aborted) return `no connection within ${CONNECT_MS / 1000} s`
  if (error instanceof TunnelError) return error.message
  const where = via === undefined ? '' : `the proxy ${via}: `
  const known = REASONS[networkErrorCode(error)]
  return (
    (tls && explainTls(error, address, tls)) ??
    `${where}${known ?? (error.message || networkErrorCode(error))}`
  )
}

function unreachable(url: string, reason: string): ApiError {
  return new ApiError('unreachable', `the gateway ${url} cannot be reached: ${reason}`)
}
