import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmod, rename, rm, stat } from 'node:fs/promises'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Logger } from '../basics/logger.ts'
import { type StatusSource, formatStatus } from './status.ts'
import { isTooLong, LONGEST_PATH } from './status-socket-client.ts'

export const SOCKET_NAME = 'status.sock'
const MAX_CONNECTIONS = 16
const CONNECTION_MS = 2000
const LIVING_MS = 500

export interface StatusSocketOptions {
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
