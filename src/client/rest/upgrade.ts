import type { Socket } from 'node:net'
import { onAbort } from '../../basics/abort.ts'
import type { Account } from '../account/account.ts'
import { answerLost } from './api-error.ts'
import { ANSWER_MS, authorization, hostHeader, openRestSocket, USER_AGENT } from './http.ts'

const EMPTY_LINE = '\r\n\r\n'
/** Bytes. */
const MAX_HEAD_BYTES = 64 * 1024

interface Question {
  readonly path: string
  /** The value of the `Upgrade` header. */
  readonly protocol: string
  readonly headers: Readonly<Record<string, string>>
  /** Maximum time from the open connection to the answer. */
  readonly answerMs?: number
}

/**
 * Asks the gateway to change to another protocol. Does not use Node's HTTP client, because loading it takes a
 * large part of a short command's start.
 * @param signal ends the attempt, but not the connection after it
 * @returns undefined for any other answer, because then the gateway lacks the protocol on this path
 * @throws ApiError `unreachable`
 */
export async function upgrade(
  account: Account,
  { path, protocol, headers, answerMs = ANSWER_MS }: Question,
  signal: AbortSignal,
): Promise<Socket | undefined> {
  const { rest } = account
  const socket = await openRestSocket(account, signal)
  const late = setTimeout(() => socket.destroy(new Error(`no answer within ${answerMs / 1000} s`)), answerMs)
  using _ = onAbort(signal, () => socket.destroy(new Error('aborted')))
  const lines = Object.entries({
    Host: hostHeader(rest),
    Authorization: authorization(account),
    'User-Agent': USER_AGENT,
    Connection: 'Upgrade',
    Upgrade: protocol,
    ...headers,
  }).map(([name, value]) => `${name}: ${value}`)
  socket.write(`${[`GET ${rest.base}${path} HTTP/1.1`, ...lines].join('\r\n')}${EMPTY_LINE}`)
  try {
    const head = await readHead(socket)
    if (isUpgrade(head, protocol)) return socket
    socket.destroy()
    return undefined
  } catch (error) {
    socket.destroy()
    throw answerLost(rest.url, `the connection ended before the answer (${(error as Error).message})`)
  } finally {
    clearTimeout(late)
  }
}

/** Reads the head of the answer, and leaves the bytes after the head in the socket. */
async function readHead(socket: Socket): Promise<string> {
  let read = ''
  const pieces = socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>
  for await (const piece of pieces) {
    // One character per byte, so that an index is an offset.
    read += piece.toString('latin1')
    const end = read.indexOf(EMPTY_LINE)
    if (end < 0 && read.length <= MAX_HEAD_BYTES) continue
    const rest = Buffer.from(end < 0 ? '' : read.slice(end + EMPTY_LINE.length), 'latin1')
    if (rest.length > 0) socket.unshift(rest)
    return read.slice(0, end)
  }
  throw new Error('the connection was closed')
}

function isUpgrade(head: string, protocol: string): boolean {
  const [status = '', ...headers] = head.split('\r\n')
  if (!status.startsWith('HTTP/1.1 101')) return false
  return headers.some((header) => header.toLowerCase() === `upgrade: ${protocol}`)
}
