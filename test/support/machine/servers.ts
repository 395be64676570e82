import { signalChild } from '../../../src/basics/signals.ts'
import { spawn, type ChildProcess } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import path from 'node:path'
import { waitFor } from '../wait.ts'
import type { Workplace } from '../sites/workplace.ts'

/** The programs of these that are not in PATH, in words; undefined when all are there. */
export function missingProgram(...names: readonly string[]): string | undefined {
  const missing = names.filter(
    (name) => !(process.env['PATH'] ?? '').split(':').some((dir) => runs(dir, name)),
  )
  return missing.length === 0 ? undefined : missing.join(' and ')
}

/** Behind the title of a test that is skipped for what is missing: its reason. */
export function without(missing: string | undefined): string {
  return missing === undefined ? '' : ` (${missing} is missing)`
}

function runs(folder: string, name: string): boolean {
  try {
    accessSync(path.join(folder, name), constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** A Redis of the test's own, with a password, on a socket in the workplace: the machine's is not disturbed. */
export class RedisServer implements AsyncDisposable {
  readonly socket: string
  readonly #child: ChildProcess

  static async start(place: Workplace, password: string): Promise<RedisServer> {
    const server = new RedisServer(place, password)
    try {
      await server.#ready()
      return server
    } catch (error) {
      await server[Symbol.asyncDispose]()
      throw error
    }
  }

  private constructor(place: Workplace, password: string) {
    this.socket = place.at('redis.socket')
    const settings = {
      port: '0',
      unixsocket: this.socket,
      requirepass: password,
      dir: place.path,
      save: '""',
    }
    const lines = Object.entries(settings).map(([name, value]) => `${name} ${value}\n`)
    const file = place.write('redis.conf', lines.join(''))
    this.#child = spawn('redis-server', [file], { env: place.env, stdio: 'ignore' })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    signalChild(this.#child, 'SIGTERM')
    await waitFor(() => this.#child.exitCode !== null || this.#child.signalCode !== null)
  }

  async #ready(): Promise<void> {
    await waitFor(() => existsSync(this.socket) || this.#child.exitCode !== null)
  }
}
