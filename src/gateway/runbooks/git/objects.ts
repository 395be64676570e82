import { signalChild } from '../../../basics/signal-child.ts'
import type { ChildProcess } from 'node:child_process'
import type { GitEnvironment } from './environment.ts'
import { MirrorDamagedError, RepositoryError } from '../errors.ts'
import { ReplyReader, type ObjectReply } from './reply.ts'
import { gitUnavailable, spawnGit } from './spawn.ts'

/** The only ref of the mirror, and its commit. */
export const HEAD_REF = 'refs/runbooks/head'
export const HEAD_COMMIT = `${HEAD_REF}^{commit}`

/** Requests waiting for the child. Each belongs to a REST request, and these have much lower limits. */
const MAX_WAITING = 1_000
const REQUEST_TIMEOUT_MS = 10_000
const KEPT_STDERR_CHARACTERS = 2_048
/** Enough for commit messages, and for folders with tens of thousands of entries. */
export const MAX_STRUCTURE_BYTES = 8 * 1024 * 1024

export interface ObjectReaderOptions {
  readonly gitDir: string
  readonly env: GitEnvironment
  /** Requests that may wait; 1,000 unless given. */
  readonly maxWaiting?: number | undefined
  /** Milliseconds one request may take; 10,000 unless given. */
  readonly timeoutMs?: number | undefined
}

interface Request {
  readonly name: string
  readonly reader: ReplyReader
  readonly resolve: (reply: ObjectReply) => void
  readonly reject: (error: Error) => void
}

interface Child {
  /** Has no streams when there was no descriptor left to start it. */
  readonly git: ChildProcess
  readonly gone: Promise<void>
  stderr: string
  /** Finishes what it was asked, and gets no further request. */
  retired: boolean
}

/**
 * Reads objects of one mirror through one lasting `git cat-file --batch` child: 0.1 ms per object, where a process for
 * each would take 5 ms. The child starts with the first request, and again after it ended. It has one request at a
 * time, so its death costs that request only.
 */
export class ObjectReader {
  readonly #options: ObjectReaderOptions
  readonly #waiting: Request[] = []
  readonly #living = new Set<Child>()
  #child: Child | undefined
  #current: { readonly request: Request; readonly timer: NodeJS.Timeout } | undefined
  #closed = false

  constructor(options: ObjectReaderOptions) {
    this.#options = options
  }

  /**
   * Looks up an object id (7 to 64 hex digits, `^{commit}` allowed behind it) or the mirror's ref. Content
   * above `maxBytes` is not read. Rejects with a MirrorDamagedError when git cannot read the object.
   */
  read(name: string, maxBytes: number): Promise<ObjectReply> {
    // The name becomes a line on the child's stdin, so nothing else may get there.
    if (name !== HEAD_COMMIT && !/^[0-9a-f]{7,64}(\^\{commit\})?$/.test(name)) {
      return Promise.reject(new TypeError('not an object id'))
    }
    if (this.#closed) return Promise.reject(closedError())
    if (this.#waiting.length >= (this.#options.maxWaiting ?? MAX_WAITING)) return Promise.reject(busyError())
    return new Promise((resolve, reject) => {
      this.#waiting.push({ name, reader: new ReplyReader(maxBytes), resolve, reject })
      this.#next()
    })
  }

  /** Later requests go to a new child: the old one does not know of new packs. */
  renew(): void {
    if (this.#child === undefined) return
    this.#child.retired = true
    this.#child.git.stdin?.end()
  }

  /** Rejects what is waiting and settles once every child has ended. */
  async close(): Promise<void> {
    this.#closed = true
    for (const request of this.#waiting.splice(0)) request.reject(closedError())
    this.#settle()?.reject(closedError())
    this.#child = undefined
    for (const child of this.#living) kill(child)
    await Promise.all([...this.#living].map((child) => child.gone))
  }

  #next(): void {
    if (this.#current !== undefined) return
    const request = this.#waiting.shift()
    if (request === undefined) return
    if (this.#child?.retired === true) this.#child = undefined
    try {
      this.#ask((this.#child ??= this.#start()), request)
    } catch (error) {
      request.reject(error as Error)
      this.#next()
    }
  }

  #ask(child: Child, request: Request): void {
    const timer = setTimeout(() => this.#expire(child), this.#options.timeoutMs ?? REQUEST_TIMEOUT_MS)
    this.#current = { request, timer }
    child.git.stdin?.write(`${request.name}\n`)
  }

  #start(): Child {
    const args = ['--git-dir', this.#options.gitDir, 'cat-file', '--batch']
    // In a group of its own: Ctrl-C in the gateway's terminal must not end it while the gateway drains.
    const git = spawnGit(args, this.#options.env, 'pipe')
    let gone = (): void => undefined
    const child: Child = { git, gone: new Promise((resolve) => (gone = resolve)), stderr: '', retired: false }
    this.#living.add(child)
    this.#listen(child, () => {
      this.#living.delete(child)
      gone()
    })
    return child
  }

  #listen(child: Child, forget: () => void): void {
    const { git } = child
    // Has to come first: an 'error' event without a listener ends the process.
    git.once('error', (cause) => {
      forget()
      this.#lose(child, gitUnavailable(cause))
    })
    git.stdout?.on('data', (piece: Buffer) => this.#receive(child, piece))
    git.stderr?.setEncoding('utf8').on('data', (text: string) => {
      child.stderr = (child.stderr + text).slice(-KEPT_STDERR_CHARACTERS)
    })
    // EPIPE when the child died while we wrote. 'close' reports its end.
    git.stdin?.on('error', () => undefined)
    git.once('close', () => {
      forget()
      this.#lose(
        child,
        new MirrorDamagedError(`git cat-file ended: ${child.stderr.trim() || 'no reason given'}`),
      )
    })
  }

  #receive(child: Child, piece: Buffer): void {
    if (child !== this.#child || this.#current === undefined) return
    try {
      const reply = this.#current.request.reader.push(piece)
      if (reply === undefined) return
      // The content would still come. Only ending the child stops it.
      if (reply.kind === 'too-large') this.#kill(child)
      this.#settle()?.resolve(reply)
    } catch (error) {
      this.#kill(child)
      this.#settle()?.reject(error as Error)
    }
    this.#next()
  }

  #expire(child: Child): void {
    this.#kill(child)
    const request = this.#settle()
    request?.reject(new RepositoryError(`git cat-file did not answer in time for ${request.name}`))
    this.#next()
  }

  #lose(child: Child, reason: Error): void {
    if (child !== this.#child) return
    this.#child = undefined
    this.#settle()?.reject(reason)
    this.#next()
  }

  #kill(child: Child): void {
    kill(child)
    if (child === this.#child) this.#child = undefined
  }

  #settle(): Request | undefined {
    if (this.#current === undefined) return undefined
    clearTimeout(this.#current.timer)
    const { request } = this.#current
    this.#current = undefined
    return request
  }
}

/** A child that was never started has no pid, and Node would send the signal to pid 0, which is our own group. */
function kill({ git }: Child): void {
  signalChild(git, 'SIGKILL')
}

function closedError(): RepositoryError {
  return new RepositoryError('the runbook repository is closed')
}

function busyError(): RepositoryError {
  return new RepositoryError('too many runbook reads are waiting: try again in a moment')
}
