import { constants } from 'node:os'
import type { ExitStatus } from '../exit-status.ts'
import { reap } from '../linux/posix.ts'

/**
 * Collects the ends of the children that posix.ts started. Only our own pids are asked for, never -1: libuv waits
 * for the children of child_process in the same way, and neither takes the other's.
 */
const waiting = new Map<number, (status: ExitStatus) => void>()

/** SIGCHLD is a hint and can be missed; the timer also keeps the event loop alive while a child lives, since
 * Node exits silently when the last socket closes before the signal is delivered. */
const LOOK_MS = 500
let timer: NodeJS.Timeout | undefined

let lookForOthers: () => void = () => undefined

process.on('SIGCHLD', look)

/** Sets what is done when none of the children that were started here has ended: another one has, perhaps. */
export function onOtherEnds(look: () => void): void {
  lookForOthers = look
}

/** Looks for them now: an ended one belongs to its process group until it is collected. */
export function collectOthers(): void {
  lookForOthers()
}

/** Settles when the child `pid` has ended. Call it in the same tick in which the child was started. */
export function childEnd(pid: number): Promise<ExitStatus> {
  timer ??= setInterval(look, LOOK_MS)
  return new Promise((resolve) => waiting.set(pid, resolve))
}

/** The children that were started here and have not ended. */
export function runningPids(): number[] {
  return [...waiting.keys()]
}

/** Collects a child that came to us by its parent's end; its status is nobody's. False while it runs. */
export function reapOrphan(pid: number): boolean {
  return !waiting.has(pid) && reap(pid).state !== 'running'
}

function look(): void {
  const before = waiting.size
  for (const [pid, resolve] of waiting) {
    const wait = reap(pid)
    if (wait.state === 'running') continue
    waiting.delete(pid)
    resolve(wait.state === 'ended' ? exitStatus(wait.status) : lost(pid))
  }
  if (waiting.size === before) lookForOthers()
  if (waiting.size > 0) return
  clearInterval(timer)
  timer = undefined
}

/** The layout of wait(2)'s status word on Linux. */
function exitStatus(status: number): ExitStatus {
  const signal = status & 0x7f
  if (signal === 0) return { kind: 'exited', code: (status >> 8) & 0xff }
  const name = Object.entries(constants.signals).find(([, value]) => value === signal)?.[0]
  if (name === undefined)
    return { kind: 'failed', cause: new Error(`ended by signal ${signal}, which has no name here`) }
  return { kind: 'signaled', signal: name as NodeJS.Signals }
}

function lost(pid: number): ExitStatus {
  return { kind: 'failed', cause: new Error(`the end of process ${pid} was taken by somebody else`) }
}
