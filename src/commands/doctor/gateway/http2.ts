import { connect, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2'
import type { Socket } from 'node:net'
import { explainTls, secure, secureContext } from '../../../dial/tls.ts'
import { patience } from '../../../basics/abort.ts'
import { type Finding, broken, ok } from '../../examination/examination.ts'
import { openWay, type Way } from './way.ts'

const ANSWER_MS = 5000

/** What the gateway answered, and when, by this machine's clock in milliseconds. */
export interface Http2Answer {
  readonly way: Way
  readonly date: string | undefined
  readonly receivedAt: number
}

/** Whether a gRPC server answers: grpc-js takes anything that speaks HTTP/2. Its HealthCheck needs no credential. */
export async function checkHttp2(way: Way, signal: AbortSignal): Promise<Finding<Http2Answer>> {
  const wait = patience(ANSWER_MS, signal)
  let socket: Socket | undefined
  try {
    socket = await openWay(way, wait)
    return judge(await ask(await secured(way, socket), way), way)
  } catch (error) {
    return failure(error as NodeJS.ErrnoException, way, wait.aborted)
  } finally {
    socket?.destroy()
  }
}

async function secured({ identity }: Way, socket: Socket): Promise<Socket> {
  if (identity.tls === undefined) return socket
  return secure(socket, identity.address, identity.tls, secureContext(identity.tls))
}

async function ask(socket: Socket, { identity }: Way): Promise<IncomingHttpHeaders> {
  const scheme = identity.tls === undefined ? 'http' : 'https'
  const session = connect(`${scheme}://${identity.address}`, { createConnection: () => socket })
  try {
    return await firstHeaders(session, socket)
  } finally {
    session.destroy()
  }
}

function firstHeaders(session: ClientHttp2Session, socket: Socket): Promise<IncomingHttpHeaders> {
  return new Promise((resolve, reject) => {
    const request = session.request({
      ':method': 'POST',
      ':path': '/protobuf.Transport/HealthCheck',
      'content-type': 'application/grpc',
      te: 'trailers',
    })
    request.once('response', resolve)
    // The socket's own error comes first, and tells most.
    for (const source of [socket, session, request]) source.on('error', reject)
    session.once('close', () => reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' })))
    // A message without bytes: not compressed, length 0.
    request.end(Buffer.alloc(5))
  })
}

function judge(headers: IncomingHttpHeaders, way: Way): Finding<Http2Answer> {
  const type = headers['content-type'] ?? 'none'
  const status = Number(headers[':status'])
  if (status === 200 && type.startsWith('application/grpc'))
    return ok(`${way.identity.address} answers as a gRPC server`, {
      way,
      date: headers.date,
      receivedAt: Date.now(),
    })
  return broken(
    `${way.identity.address} answers HTTP ${status} with content type ${type}: this is no gRPC server`,
    "Is it the gateway's gRPC port, and does a proxy before it pass gRPC on?",
  )
}

function failure(error: NodeJS.ErrnoException, { identity }: Way, waited: boolean): Finding<never> {
  const { address, tls } = identity
  if (waited)
    return broken(
      `${address} accepts the connection, and does not answer within ${ANSWER_MS / 1000} s`,
      "Is it the gateway's gRPC port? A gateway with TLS needs grpcs:// in the key",
    )
  const meaning = tls === undefined ? undefined : explainTls(error, address, tls)
  return broken(
    `${address} does not answer in HTTP/2: ${error.code ?? error.message}`,
    meaning ?? "Is it the gateway's gRPC port? A gateway with TLS needs grpcs:// in the key",
  )
}
