import { onAbort, within } from '../../../basics/abort.ts'
import type { ChildProcess } from 'node:child_process'
import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { signalGroup } from '../../../basics/signals.ts'
import type { GitEnvironment } from './environment.ts'
import { gitUnavailable, spawnGit } from './spawn.ts'
import { deferred } from '../../../basics/deferred.ts'

/** Characters kept from the end of each output, where git prints `fatal:`. */
const KEPT_CHARACTERS = 4096
/** Time for git to remove its lock files after SIGTERM, before SIGKILL. */
const TERM_GRACE_MS = 1_000
/** Maximum time to wait after SIGKILL. Even SIGKILL may fail to end git, for example on a dead NFS mount. */
const GIVE_UP_MS = 5_000
/**
 * Maximum time to wait for the group after SIGKILL. In a container without init, nothing reaps dead
 * processes, and they stay in the group for ever.
 */
const GROUP_END_MS = 500
const GROUP_LOOK_MS = 5
/**
 * Time to read the output after git's exit. ssh's ControlPersist keeps a connection open after git's exit,
 * and the connection keeps stderr open.
 */
const DRAIN_MS = 250

export interface GitRun {
  readonly args: readonly string[]
  readonly env: GitEnvironment
  readonly timeoutMs: number
  readonly timeoutError: () => Error
  /** Ends the command early. Then the signal's reason is thrown. */
  readonly signal: AbortSignal
}

export interface GitResult {
  /** `code` is 128 if a signal ended git that we did not send. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs git in a process group of its own, without stdin. Any exit code is a result. After `timeoutMs`, or
 * when `signal` aborts, the whole group (ssh, index-pack, upload-pack) is ended before the error is thrown.
 */
export async function runGit(run: GitRun): Promise<GitResult> {
  run.signal.throwIfAborted()
  const child = spawnGit(run.args, run.env, 'ignore')
  // This listener must be the first, because an 'error' event without a listener (a failed start) ends this
  // process.
  const ended = exitCode(child)
  const stdout = keepTail(child.stdout)
  const stderr = keepTail(child.stderr)
  const code = await endOrStop(child, ended, run)
  return { code, stdout: stdout(), stderr: stderr() }
}

async function endOrStop(child: ChildProcess, ended: Promise<number>, run: GitRun): Promise<number> {
  using interruption = interruptionOf(run)
  const outcome = await Promise.race([ended, interruption.reason])
  if (typeof outcome === 'number') return outcome
  if (child.pid !== undefined) await endGroup(child.pid, ended)
  throw outcome
}

/** Returns the error to throw after the time limit, or when the signal aborts before. */
function interruptionOf(run: GitRun): Disposable & { readonly reason: Promise<Error> } {
  const { signal, timeoutMs, timeoutError } = run
  const { promise: reason, resolve: interrupt } = deferred<Error>()
  const timer = setTimeout(() => interrupt(timeoutError()), timeoutMs)
  const listening = onAbort(signal, () => interrupt(signal.reason as Error))
  return {
    reason,
    [Symbol.dispose]: () => {
      clearTimeout(timer)
      listening[Symbol.dispose]()
    },
  }
}

/**
 * Settles when git's output is read. If other processes keep the pipes open, settles `DRAIN_MS` after git's
 * end.
 */
function exitCode(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => reject(gitUnavailable(cause)))
    child.once('exit', (code) => {
      const drained = setTimeout(done, DRAIN_MS)
      child.once('close', done)
      function done(): void {
        clearTimeout(drained)
        child.stdout?.destroy()
        child.stderr?.destroy()
        resolve(code ?? 128)
      }
    })
  })
}

async function endGroup(pgid: number, ended: Promise<number>): Promise<void> {
  signalGroup(pgid, 'SIGTERM')
  if (!(await within(ended, TERM_GRACE_MS))) {
    signalGroup(pgid, 'SIGKILL')
    await within(ended, GIVE_UP_MS)
  }
  // The group gets SIGKILL, because git may have ended although one of its children has ignored SIGTERM.
  signalGroup(pgid, 'SIGKILL')
  await groupGone(pgid)
}

/**
 * Waits until the group is gone, because the caller removes the group's files next. Its processes are not our
 * children, so no event reports their end.
 */
async function groupGone(pgid: number): Promise<void> {
  const end = performance.now() + GROUP_END_MS
  while (signalGroup(pgid, 0) && performance.now() < end) await delay(GROUP_LOOK_MS)
}

function keepTail(stream: Readable | null): () => string {
  let tail = ''
  stream?.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-KEPT_CHARACTERS)
  })
  return () => tail
}
