import { type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http'
import { connect, isIP, type Socket } from 'node:net'
import type { SecureContext } from 'node:tls'
import { readAll } from '../files/small-file.ts'
import { type Address, formatAddress, parseAddress } from './address.ts'
import { type Proxy, tunnel } from './proxy.ts'

/** Waits for the head of the answer. Rejects with the request's error if no answer arrives. */
export function answered(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve)
    request.on('error', reject)
    // After the answer "101 Switching Protocols", Node emits only `close`. It emits no `response` and no
    // `error`. This was observed.
    request.once('close', () =>
      reject(new Error('the server closed the connection without an answer, or asked for an upgrade')),
    )
  })
}

/**
 * Returns the error's code, e.g. `ECONNREFUSED`. If a name has several addresses, Node tries all of them and
 * collects their errors. Then this is the code of the first error.
 */
export function networkErrorCode(error: unknown): string {
  const { code, errors } = error as NodeJS.ErrnoException & {
    readonly errors?: readonly NodeJS.ErrnoException[]
  }
  return code ?? errors?.[0]?.code ?? ''
}

export interface HttpQuestion {
  readonly method: 'GET' | 'POST'
  readonly isSecure: boolean
  readonly host: string
  readonly port: number
  /** The path with the query, as it is sent. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | undefined
  /** How to check the server's certificate. Required with `isSecure`, otherwise not used. */
  readonly tls?: { readonly context: SecureContext; readonly skipVerify: boolean } | undefined
  /** Used only with `isSecure`, because the proxy could read plain HTTP. */
  readonly proxy?: Proxy | undefined
  /** Maximum size of the body. */
  readonly limit: number
  readonly signal: AbortSignal
}

interface Head {
  readonly status: number
  /** The `Content-Length`, or -1. */
  readonly length: number
  readonly location: string | undefined
  /** Empty when the answer has no `Content-Type`. */
  readonly contentType: string
  readonly retryAfter: string | undefined
}

export interface Reply extends Head {
  readonly body: Buffer
}

/** An answer that began but was cut off, too long, or too slow. */
export class BrokenReply extends Error {
  override readonly name = 'BrokenReply'
  readonly head: Head

  constructor(head: Head, message: string, options?: ErrorOptions) {
    super(message, options)
    this.head = head
  }
}

/**
 * Sends one request on its own connection and reads the whole answer. Follows no redirect.
 * @throws BrokenReply, TunnelError, the signal's reason if it aborts before the answer, or Node's error
 */
export async function exchange(question: HttpQuestion): Promise<Reply> {
  const { signal } = question
  signal.throwIfAborted()
  let socket: Socket | undefined
  try {
    socket = await socketFor(question)
    const response = await send(question, socket)
    return await read(response, question)
  } catch (error) {
    if (!(error instanceof BrokenReply)) signal.throwIfAborted()
    throw error
  } finally {
    // If a header cannot be sent, the request never uses the socket, and nobody would close it.
    socket?.destroy()
  }
}

/** Returns undefined without TLS, because Node then opens the connection itself. */
async function socketFor(question: HttpQuestion): Promise<Socket | undefined> {
  const { isSecure, host, port, proxy, signal } = question
  if (!isSecure) return undefined
  const { connect: connectTls } = process.getBuiltinModule('node:tls')
  const { context: secureContext, skipVerify } = question.tls ?? missingTls()
  const names = { host, ...(isIP(host) === 0 && { servername: host }) }
  const options = { ...names, secureContext, rejectUnauthorized: !skipVerify, ALPNProtocols: ['http/1.1'] }
  if (proxy === undefined) return connectTls({ ...options, port })
  return connectTls({ ...options, socket: await through(proxy, { host, port }, signal) })
}

function missingTls(): never {
  throw new Error('a request over TLS has no settings to check the certificate')
}

async function through(proxy: Proxy, target: Address, signal: AbortSignal): Promise<Socket> {
  const socket = connect({ ...addressOf(proxy), signal })
  // The caller learns of the end by `close`. An `error` without a listener would end the process.
  socket.on('error', () => undefined)
  try {
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    await tunnel(socket, formatAddress(target), proxy)
    return socket
  } catch (error) {
    socket.destroy()
    throw error
  }
}

function addressOf({ address }: Proxy): Address {
  return parseAddress(address) ?? { host: address, port: 0 }
}

function send(question: HttpQuestion, socket: Socket | undefined): Promise<IncomingMessage> {
  const { method, isSecure, host, port, path, headers, body, signal } = question
  const request = httpRequest({
    method,
    host,
    port,
    // This port only affects the `Host` header: `socketFor` has already opened the TLS connection.
    defaultPort: isSecure ? 443 : 80,
    path,
    headers: {
      ...headers,
      Connection: 'close',
      ...(body !== undefined && { 'Content-Length': String(Buffer.byteLength(body)) }),
    },
    signal,
    ...(socket === undefined ? { agent: false } : { createConnection: () => socket }),
  })
  const answer = answered(request)
  request.end(body)
  return answer
}

async function read(response: IncomingMessage, { limit, signal }: HttpQuestion): Promise<Reply> {
  const { statusCode: status = 0, headers } = response
  const length = Number(headers['content-length'] ?? -1)
  const head: Head = {
    status,
    length,
    location: headers.location,
    contentType: headers['content-type'] ?? '',
    retryAfter: headers['retry-after'],
  }
  try {
    const tooLong = () => new BrokenReply(head, `the answer is longer than ${limit} bytes`)
    const body = await readAll(response, limit, tooLong)
    // An answer without a length ends when the connection closes. If the signal has closed the connection,
    // the answer may be incomplete.
    signal.throwIfAborted()
    return { ...head, body }
  } catch (error) {
    if (error instanceof BrokenReply) throw error
    const reason = signal.aborted ? (signal.reason as Error).message : 'unexpected EOF'
    throw new BrokenReply(head, reason, { cause: signal.aborted ? signal.reason : error })
  } finally {
    response.destroy()
  }
}
