import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmod, rename, rm, stat } from 'node:fs/promises'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { readAll } from '../basics/files/small-file.ts'
import type { Logger } from '../basics/logger.ts'
import { formatStatus, type StatusSource } from './status.ts'

/** Limit for a socket's path in bytes: 108 on Linux and 104 elsewhere, minus the zero byte at the end. */
const LONGEST_PATH = process.platform === 'linux' ? 107 : 103

const tooLongPath = `the path is longer than ${LONGEST_PATH} bytes, so no agent can listen there: set a shorter runtime-dir`
const LONGEST_ANSWER = 256 * 1024

/** Why there was no answer, as the end of a text "PATH: ...". */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
  /** Nobody listens there: the agent has ended, or not begun. */
  readonly isGone: boolean

  constructor(message: string, isGone: boolean) {
    super(message)
    this.isGone = isGone
  }
}

/** Asks the agent behind a status socket. @returns its line of JSON. @throws NoAnswer */
export async function askStatus(path: string, withinMs: number): Promise<string> {
  if (isTooLong(path)) throw new NoAnswer(tooLongPath, false)
  try {
    const socket = createConnection({ path, signal: AbortSignal.timeout(withinMs) })
    const tooLong = () => new NoAnswer('the answer is too long for a status', false)
    const answer = await readAll(socket as AsyncIterable<Buffer>, LONGEST_ANSWER, tooLong)
    return answer.toString().trim()
  } catch (error) {
    throw noAnswer(error)
  }
}

function noAnswer(error: unknown): NoAnswer {
  if (error instanceof NoAnswer) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new NoAnswer('there is no such socket', true)
    case 'ECONNREFUSED':
      return new NoAnswer('the agent that made it is gone', true)
    case 'EACCES':
      return new NoAnswer('it belongs to another user', false)
    case 'ABORT_ERR':
      return new NoAnswer('the agent does not answer, it hangs or is stopped', false)
    default:
      return new NoAnswer(`no answer (${code})`, false)
  }
}

/** Node silently cuts a longer path. */
function isTooLong(path: string): boolean {
  return Buffer.byteLength(path) > LONGEST_PATH
}

export const SOCKET_NAME = 'status.sock'
const MAX_CONNECTIONS = 16
const CONNECTION_MS = 2000
const LIVING_MS = 500

interface StatusSocketOptions {
  /** 0700, of this user. */
  readonly folder: string
  readonly status: StatusSource
  readonly log: Logger
}

export interface StatusSocket extends AsyncDisposable {
  /** Undefined when there is none; the log says why. */
  readonly path: string | undefined
}

/** `status.sock`, 0600: one line of JSON for each connection. Never throws: an agent works without it. */
export async function openStatusSocket({ folder, status, log }: StatusSocketOptions): Promise<StatusSocket> {
  const path = join(folder, SOCKET_NAME)
  const none = { path: undefined, [Symbol.asyncDispose]: () => Promise.resolve() }
  try {
    if (isTooLong(path)) throw new Error(`its path is longer than ${LONGEST_PATH} bytes`)
    if (await isLiving(path)) throw new Error('another agent answers there')
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

/** A connection to a dead agent's socket is refused at once. */
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
  // Happens, for example, when no descriptor is left.
  const note = (error: Error) =>
    log.warn({ error: error.message }, 'the status socket cannot take a connection')
  server.once('listening', () => server.on('error', note))
  return server.unref()
}

function answer(socket: Socket, status: StatusSource, log: Logger): void {
  socket.unref()
  // The caller may be gone before the answer.
  socket.on('error', () => undefined)
  const end = setTimeout(() => socket.destroy(), CONNECTION_MS).unref()
  socket.once('close', () => clearTimeout(end))
  try {
    socket.end(`${formatStatus(status())}\n`, () => socket.destroy())
  } catch (error) {
    log.error({ err: error }, 'the status socket could not answer')
    socket.destroy()
  }
}

/** Under a passing name until its mode is right; replaces what a dead agent left. @returns the socket's inode */
async function listenOn(server: Server, folder: string, path: string): Promise<number> {
  // Not longer than the real name, whose length was checked.
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
  // By now the socket may be another agent's.
  const found = await stat(path).catch(() => undefined)
  if (found?.ino === inode) await rm(path, { force: true })
  await closed
}
