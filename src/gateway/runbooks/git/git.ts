import { onAbort, within } from '../../../basics/abort.ts'
import type { ChildProcess } from 'node:child_process'
import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { signalGroup } from '../../../basics/signals.ts'
import type { GitEnvironment } from './environment.ts'
import { gitUnavailable, spawnGit } from './spawn.ts'

/** Only the end of each output is kept: there git prints `fatal:`. */
const KEPT_CHARACTERS = 4096
/** Time for git to remove its lock files after SIGTERM, before SIGKILL. */
const TERM_GRACE_MS = 1_000
/** Longest wait after SIGKILL, which may not end git either (a dead NFS mount). */
const GIVE_UP_MS = 5_000
/**
 * Longest wait for the group after SIGKILL: where process 1 does not reap, as without init, dead processes
 * stay in it for ever.
 */
const GROUP_END_MS = 500
const GROUP_LOOK_MS = 5
/** Longest wait after git's exit: an ssh connection that ControlPersist keeps open also keeps stderr open. */
const DRAIN_MS = 250

export interface GitRun {
  readonly args: readonly string[]
  readonly env: GitEnvironment
  readonly timeoutMs: number
  readonly timeoutError: () => Error
  /** Ends the command early; the signal's reason is thrown. */
  readonly signal: AbortSignal
}

export interface GitResult {
  /** git's exit code; 128 when a signal that was not ours ended it. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs one git command in a process group of its own, without stdin. Any exit code is a result. When the time
 * is over or `signal` aborts, the whole group is ended (ssh, index-pack, upload-pack) before the error is
 * thrown.
 */
export async function runGit(run: GitRun): Promise<GitResult> {
  run.signal.throwIfAborted()
  const child = spawnGit(run.args, run.env, 'ignore')
  // Must come first, because a failed start is an 'error' event, which ends the process when it has no
  // listener.
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

/** Returns the error to throw when the time is over or the signal aborts, whichever comes first. */
function interruptionOf(run: GitRun): Disposable & { readonly reason: Promise<Error> } {
  const { signal, timeoutMs, timeoutError } = run
  let interrupt: (reason: Error) => void = () => undefined
  const reason = new Promise<Error>((resolve) => (interrupt = resolve))
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
 * Settles when git has ended and its output is read, or a short time after its end if other processes hold
 * the pipes.
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
  // git may be gone while one of its children has ignored SIGTERM.
  signalGroup(pgid, 'SIGKILL')
  await groupGone(pgid)
}

/**
 * Waits for the group's processes, which are not our children: no event reports their end. Their files are
 * removed next, so they have to be gone.
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
