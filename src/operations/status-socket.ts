import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmod, rename, rm, stat } from 'node:fs/promises'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { readAll } from '../basics/files/small-file.ts'
import type { Logger } from '../basics/logger.ts'
import { formatStatus, type StatusSource } from './status.ts'

/** Maximum length of a socket's path: 108 bytes on Linux, 104 elsewhere, minus the zero byte at the end. */
const MAX_PATH_BYTES = process.platform === 'linux' ? 107 : 103

const tooLongPath = `the path is longer than ${MAX_PATH_BYTES} bytes, so no agent can listen there; set a shorter runtime-dir`
const MAX_ANSWER_BYTES = 256 * 1024

type StatusAnswer = { readonly line: string } | NoAnswer

interface NoAnswer {
  /** Text for a message that begins with the path and a colon. */
  readonly reason: string
  /** True if no process listens at the path. Then the agent has ended or has not started. */
  readonly isGone: boolean
}

export async function askStatus(path: string, withinMs: number): Promise<StatusAnswer> {
  if (isTooLong(path)) return { reason: tooLongPath, isGone: false }
  try {
    const socket = createConnection({ path, signal: AbortSignal.timeout(withinMs) })
    const tooLong = () => Object.assign(new Error(), { code: TOO_LONG })
    const answer = await readAll(socket as AsyncIterable<Buffer>, MAX_ANSWER_BYTES, tooLong)
    return { line: answer.toString().trim() }
  } catch (error) {
    return noAnswer(error)
  }
}

const TOO_LONG = 'TOO-LONG'

function noAnswer(error: unknown): NoAnswer {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return { reason: 'the socket does not exist', isGone: true }
    case 'ECONNREFUSED':
      return { reason: 'the agent that made the socket has ended', isGone: true }
    case 'EACCES':
      return { reason: 'the socket belongs to another user', isGone: false }
    case 'ABORT_ERR':
      return { reason: 'the agent does not answer because it hangs or is stopped', isGone: false }
    case TOO_LONG:
      return { reason: 'the answer is too long for a status', isGone: false }
    default:
      return { reason: `no answer (${code})`, isGone: false }
  }
}

/** Needed because Node reports no error for a path that is too long, but cuts it. */
function isTooLong(path: string): boolean {
  return Buffer.byteLength(path) > MAX_PATH_BYTES
}

export const SOCKET_NAME = 'status.sock'
const MAX_CONNECTIONS = 16
const CONNECTION_MS = 2000
const LIVING_MS = 500

interface StatusSocketOptions {
  /** A folder of this user with mode 0700. */
  readonly folder: string
  readonly status: StatusSource
  readonly log: Logger
}

export interface StatusSocket extends AsyncDisposable {
  /** Undefined when the socket could not be opened; the log has the reason. */
  readonly path: string | undefined
}

/** Opens `status.sock` (0600), which answers with a line of JSON. Never throws: an agent works without it. */
export async function openStatusSocket({ folder, status, log }: StatusSocketOptions): Promise<StatusSocket> {
  const path = join(folder, SOCKET_NAME)
  const none = { path: undefined, [Symbol.asyncDispose]: () => Promise.resolve() }
  try {
    if (isTooLong(path)) throw new Error(`the path is longer than ${MAX_PATH_BYTES} bytes`)
    if (await isLiving(path)) throw new Error('another agent answers at this path')
    const server = createBoundedServer(status, log)
    const inode = await listenOn(server, folder, path)
    return { path, [Symbol.asyncDispose]: () => close(server, path, inode) }
  } catch (error) {
    log.warn(
      { path, reason: reasonOf(error) },
      'no status socket: `runbook-agent status` will not find this agent',
    )
    return none
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Tests if an agent answers. If it is dead, the system refuses the connection immediately. */
async function isLiving(path: string): Promise<boolean> {
  const socket = createConnection({ path, signal: AbortSignal.timeout(LIVING_MS) })
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

function createBoundedServer(status: StatusSource, log: Logger): Server {
  const server = createServer((socket) => answer(socket, status, log))
  server.maxConnections = MAX_CONNECTIONS
  // An error occurs, for example, if no descriptor is left. The agent must continue.
  const note = (error: Error) =>
    log.warn({ error: error.message }, 'the status socket cannot accept a connection')
  server.once('listening', () => server.on('error', note))
  return server.unref()
}

function answer(socket: Socket, status: StatusSource, log: Logger): void {
  socket.unref()
  // The caller may close the connection before the answer.
  socket.on('error', () => undefined)
  const end = setTimeout(() => socket.destroy(), CONNECTION_MS).unref()
  socket.once('close', () => clearTimeout(end))
  try {
    socket.end(`${formatStatus(status())}\n`, () => socket.destroy())
  } catch (error) {
    log.error({ err: error }, 'the status socket cannot answer')
    socket.destroy()
  }
}

/** Listens under a temporary name until the mode is right, then replaces a dead socket. Returns the inode. */
async function listenOn(server: Server, folder: string, path: string): Promise<number> {
  // This name is not longer than `status.sock`, and the length of that path is already checked.
  const passing = join(folder, `.s${randomBytes(4).toString('hex')}`)
  server.listen(passing)
  await once(server, 'listening')
  try {
    await chmod(passing, 0o600)
    await rename(passing, path)
    return (await stat(path)).ino
  } catch (error) {
    await new Promise((resolve) => server.close(resolve))
    throw error
  }
}

async function close(server: Server, path: string, inode: number): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve))
  // The file is removed only if its inode is the same: the socket may now belong to another agent.
  const found = await stat(path).catch(() => undefined)
  if (found?.ino === inode) await rm(path, { force: true })
  await closed
}
