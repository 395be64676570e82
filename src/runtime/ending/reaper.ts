import { constants } from 'node:os'
import type { ExitStatus } from '../exit-status.ts'
import { endedChild, reap } from '../linux/posix.ts'

/**
 * The children that posix.ts started. This file waits only for their pids, never for -1. libuv does the same
 * for the children of child_process. So neither collects the children of the other.
 */
const waiting = new Map<number, (status: ExitStatus) => void>()

/**
 * Milliseconds between checks. They are needed because SIGCHLD can be missed. The timer also keeps the event
 * loop alive. Otherwise Node would exit silently if its last socket closes before the signal arrives.
 */
const LOOK_MS = 500
let timer: NodeJS.Timeout | undefined

let lookForOthers: () => void = () => undefined

/**
 * Calls `lookForThem` when another child may have ended: after a SIGCHLD, or a check, that ended none of these children.
 * After the end of one of them the execution looks for its orphans itself.
 */
export function onOtherEnds(lookForThem: () => void): void {
  lookForOthers = lookForThem
  listen()
}

/** Collects ended orphans. Until then they count as processes of their groups. */
export function collectOthers(): void {
  lookForOthers()
}

/**
 * Settles in a later tick than this call. Call in the tick in which the pid becomes known, because the child
 * may have ended before this code listened for SIGCHLD.
 */
export function waitForExit(pid: number): Promise<ExitStatus> {
  timer ??= setInterval(look, LOOK_MS)
  listen()
  setImmediate(() => collect(pid))
  return new Promise((resolve) => waiting.set(pid, resolve))
}

export function runningPids(): number[] {
  return [...waiting.keys()]
}

/** Collects a child whose status is not needed. Returns false while the child still runs. */
export function reapOrphan(pid: number): boolean {
  return !waiting.has(pid) && reap(pid).state !== 'running'
}

/** Called only with children of posix.ts, or with adopted ones. Without either, libc may be missing. */
function listen(): void {
  if (!process.listeners('SIGCHLD').includes(look)) process.on('SIGCHLD', look)
}

/**
 * The kernel returns only the first ended child of its list, until this child is collected. If this child
 * does not belong here, it hides the others. So the kernel is then asked about each child.
 */
function look(): void {
  const before = waiting.size
  let ended = endedChild()
  while (ended !== undefined && collect(ended)) ended = waiting.size > 0 ? endedChild() : undefined
  if (ended !== undefined) for (const pid of waiting.keys()) collect(pid)
  if (ended !== undefined || waiting.size === before) lookForOthers()
}

/** Returns whether the process was one of these children and has ended. */
function collect(pid: number): boolean {
  const resolve = waiting.get(pid)
  if (resolve === undefined) return false
  const wait = reap(pid)
  if (wait.state === 'running') return false
  waiting.delete(pid)
  if (waiting.size === 0) stopLooking()
  resolve(wait.state === 'ended' ? exitStatus(wait.status) : lost(pid))
  return true
}

function stopLooking(): void {
  clearInterval(timer)
  timer = undefined
}

/** Decodes wait(2)'s status word in Linux's layout. */
function exitStatus(status: number): ExitStatus {
  const signal = status & 0x7f
  if (signal === 0) return { kind: 'exited', code: (status >> 8) & 0xff }
  const name = Object.entries(constants.signals).find(([, value]) => value === signal)?.[0]
  if (name === undefined)
    return { kind: 'failed', cause: new Error(`the command was ended by the unknown signal ${signal}`) }
  return { kind: 'signaled', signal: name as NodeJS.Signals }
}

function lost(pid: number): ExitStatus {
  return {
    kind: 'failed',
    cause: new Error(
      `the exit status of process ${pid} is unknown, because other code of the agent has reaped the process`,
    ),
  }
}
