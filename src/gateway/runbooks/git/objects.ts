import { signalChild } from '../../../basics/signals.ts'
import type { ChildProcess } from 'node:child_process'
import type { GitEnvironment } from './environment.ts'
import { RunbookError } from '../../refusals/runbook-errors.ts'
import { ReplyReader, type ObjectReply } from './reply.ts'
import { gitUnavailable, spawnGit } from './spawn.ts'
import { deferred } from '../../../basics/deferred.ts'

/** The fetched branch, and its newest commit. */
export const HEAD_REF = 'refs/runbooks/head'
export const HEAD_COMMIT = `${HEAD_REF}^{commit}`

/**
 * Most requests that are sent to the child and not answered yet. The child reads the next object while it
 * sends the previous one.
 */
const MAX_ASKED = 32
/**
 * Most requests that wait. Each of them belongs to a REST request, and REST requests have much lower limits.
 */
const MAX_WAITING = 1_000
const REQUEST_TIMEOUT_MS = 10_000
const KEPT_STDERR_CHARACTERS = 2_048
/** Enough for commit messages, and for folders with tens of thousands of entries. */
export const MAX_STRUCTURE_BYTES = 8 * 1024 * 1024

export interface ObjectReaderOptions {
  readonly gitDir: string
  readonly env: GitEnvironment
  /** Default: 1,000. */
  readonly maxWaiting?: number | undefined
  /** Time in ms for one request. Default: 10,000. */
  readonly timeoutMs?: number | undefined
}

interface Request {
  readonly name: string
  readonly maxBytes: number
  readonly resolve: (reply: ObjectReply) => void
  readonly reject: (error: Error) => void
}

interface Child {
  /** The process has no streams if no descriptor was free when git was started. */
  readonly git: ChildProcess
  readonly gone: Promise<void>
  stderr: string
  /** True if the child finishes its requests and gets no new ones. */
  retired: boolean
}

/**
 * Reads objects through one lasting `git cat-file --batch` child, because a process for each object would
 * take 5 ms. The child answers requests in their order. If it dies, only the request that it was answering
 * fails. The other requests are sent again.
 */
export class ObjectReader {
  readonly #options: ObjectReaderOptions
  readonly #waiting: Request[] = []
  readonly #living = new Set<Child>()
  #child: Child | undefined
  /** Requests that the child has not answered, in order. */
  #asked: Request[] = []
  /** The reader and the timer of the first request. */
  #current: { readonly reader: ReplyReader; readonly timer: NodeJS.Timeout } | undefined
  #closed = false

  constructor(options: ObjectReaderOptions) {
    this.#options = options
  }

  /**
   * Reads an object by its id (7 to 64 hex digits, optionally followed by `^{commit}`) or the mirror's ref.
   * Content larger than `maxBytes` is not read. Rejects with a RunbookError.
   */
  read(name: string, maxBytes: number): Promise<ObjectReply> {
    // The name becomes a line on the child's stdin, so only these forms are allowed.
    if (name !== HEAD_COMMIT && !/^[0-9a-f]{7,64}(\^\{commit\})?$/.test(name)) {
      return Promise.reject(new TypeError('not an object id'))
    }
    if (this.#closed) return Promise.reject(closedError())
    if (this.#waiting.length >= (this.#options.maxWaiting ?? MAX_WAITING)) return Promise.reject(busyError())
    return new Promise((resolve, reject) => {
      this.#waiting.push({ name, maxBytes, resolve, reject })
      this.#ask()
    })
  }

  /** Sends later requests to a new child, because the old child does not know of new packs. */
  renew(): void {
    if (this.#child === undefined) return
    this.#child.retired = true
    this.#child.git.stdin?.end()
  }

  /** Rejects waiting requests. Settles after every child has ended. */
  async close(): Promise<void> {
    this.#closed = true
    this.#askAgain()
    for (const request of this.#waiting.splice(0)) request.reject(closedError())
    this.#child = undefined
    for (const child of this.#living) kill(child)
    await Promise.all([...this.#living].map((child) => child.gone))
  }

  #ask(): void {
    if (this.#child?.retired === true) {
      if (this.#asked.length > 0) return
      this.#child = undefined
    }
    const next = this.#waiting.splice(0, MAX_ASKED - this.#asked.length)
    if (next.length > 0) this.#askChild(next)
  }

  #askChild(requests: readonly Request[]): void {
    try {
      this.#child ??= this.#start()
    } catch (error) {
      for (const { reject } of requests) reject(error as Error)
      // Without this call, the requests that still wait would never be sent.
      return this.#ask()
    }
    this.#asked.push(...requests)
    this.#child.git.stdin?.write(requests.map(({ name }) => `${name}\n`).join(''))
    this.#expect(this.#child)
  }

  #expect(child: Child): void {
    const [request] = this.#asked
    if (request === undefined || this.#current !== undefined) return
    const timer = setTimeout(
      () => this.#expire(child, request),
      this.#options.timeoutMs ?? REQUEST_TIMEOUT_MS,
    )
    this.#current = { reader: new ReplyReader(request.maxBytes), timer }
  }

  #start(): Child {
    const args = ['--git-dir', this.#options.gitDir, 'cat-file', '--batch']
    // The child has its own process group, because Ctrl-C in the terminal must not end it while the gateway
    // drains.
    const git = spawnGit(args, this.#options.env, 'pipe')
    const gone = deferred()
    const child: Child = { git, gone: gone.promise, stderr: '', retired: false }
    this.#living.add(child)
    this.#listen(child, () => {
      this.#living.delete(child)
      gone.resolve()
    })
    return child
  }

  #listen(child: Child, forget: () => void): void {
    const { git } = child
    // This listener must be the first, because an 'error' event without a listener ends this process.
    git.once('error', (cause) => {
      forget()
      this.#lose(child, gitUnavailable(cause))
    })
    git.stdout?.on('data', (piece: Buffer) => this.#receive(child, piece))
    git.stderr?.setEncoding('utf8').on('data', (text: string) => {
      child.stderr = (child.stderr + text).slice(-KEPT_STDERR_CHARACTERS)
    })
    // This is EPIPE if the child died during our write. The error is ignored, because 'close' reports the
    // child's end.
    git.stdin?.on('error', () => undefined)
    git.once('close', () => {
      forget()
      this.#lose(
        child,
        new RunbookError('damaged', `git cat-file ended: ${child.stderr.trim() || 'no reason given'}`),
      )
    })
  }

  #receive(child: Child, piece: Buffer): void {
    let rest = piece
    try {
      while (child === this.#child && this.#current !== undefined) {
        const { reader } = this.#current
        const reply = reader.push(rest)
        if (reply === undefined) return
        if (!mayAnswer(this.#asked[0]?.name, reply))
          throw new RunbookError('damaged', 'git cat-file sent an answer that was not requested')
        this.#settle()?.resolve(reply)
        // If an object is too large, git would still send its content. Only the end of the child stops this.
        if (reply.kind === 'too-large') this.#kill(child)
        else this.#expect(child)
        rest = reader.rest
      }
    } catch (error) {
      this.#settle()?.reject(error as Error)
      this.#kill(child)
    }
    this.#ask()
  }

  #expire(child: Child, { name }: Request): void {
    this.#settle()?.reject(new RunbookError('repository', `git cat-file did not answer in time for ${name}`))
    this.#kill(child)
    this.#ask()
  }

  #lose(child: Child, reason: Error): void {
    if (child !== this.#child) return
    this.#settle()?.reject(reason)
    this.#child = undefined
    this.#askAgain()
    this.#ask()
  }

  #kill(child: Child): void {
    kill(child)
    if (child !== this.#child) return
    this.#child = undefined
    this.#askAgain()
  }

  /** Puts unanswered requests back into the queue. */
  #askAgain(): void {
    clearTimeout(this.#current?.timer)
    this.#current = undefined
    this.#waiting.unshift(...this.#asked.splice(0))
  }

  #settle(): Request | undefined {
    clearTimeout(this.#current?.timer)
    this.#current = undefined
    return this.#asked.shift()
  }
}

/**
 * Tells whether the reply can be for the request with this name. Replies carry no name. After one surplus
 * reply, each request would get another request's file.
 */
function mayAnswer(name: string | undefined, reply: ObjectReply): boolean {
  const isPeeled = name === undefined || name.endsWith('^{commit}')
  return isPeeled || !('oid' in reply) || reply.oid.startsWith(name)
}

/**
 * Kills a child that was started. A child that was never started has no pid, and Node would send the signal
 * to pid 0, our own group.
 */
function kill({ git }: Child): void {
  signalChild(git, 'SIGKILL')
}

function closedError(): RunbookError {
  return new RunbookError('repository', 'the runbook repository is closed')
}

function busyError(): RunbookError {
  return new RunbookError('repository', 'too many runbook reads are waiting; try again later')
}
