import { openSync, readSync } from 'node:fs'
import { endGroup, pollUntil } from './kill-ladder.ts'
import { EXEC_MS, orphansPatienceMs } from './ending-times.ts'
import { isTaken, ofOneAgent, releaseMark, whyUnmarked } from './mark.ts'
import { becomeSubreaper } from '../linux/posix.ts'
import { allProcesses, family, hasEntry, processEntry, softLocksLimit } from './process-table.ts'
import { onOtherEnds, reapOrphan, runningPids } from './reaper.ts'

/**
 * What a command starts and leaves behind in a session of its own (`setsid`, a double fork) no signal to its group
 * reaches. With the agent as their subreaper the kernel gives such processes to the agent when their parent ends,
 * so they are found by looking at its children: one small file, instead of the whole of /proc after each execution.
 * An adopted process keeps its number until it is collected here, so what is asked about it is about no other.
 */
let childrenFile: number | undefined
const page = Buffer.alloc(4096)

/** By what an execution's orphans are known. */
export interface Owner {
  /** Their soft limit of file locks, `mark.ts`; undefined where there are no marks. */
  readonly mark: bigint | undefined
  /** An entry of the execution's environment that no other has, `NAME=value`. */
  readonly marker: string
  /** The command's pid, which is its session's id; undefined when it was not started. */
  readonly session: number | undefined
}

/** Executions that are not over. */
const owners = new Set<Owner>()
/** Those of them that may leave processes behind on purpose. */
const undecided = new Set<Owner>()
/** One has, and something adopted is alive. */
let someLeft = false
/** Adopted ones that stay: they were there before any execution, or cannot be ended (another user's by now). */
const spared = new Set<number>()

/** A process that forks while it is being ended shows up in a later look; a storm has an end after so many. */
const MAX_PASSES = 20

/**
 * To be called by a process whose children are all started by this runtime: it will collect every one of them.
 * @throws where the kernel does not have the file (CONFIG_PROC_CHILDREN)
 */
export function adoptOrphans(): void {
  const file = openSync(`/proc/self/task/${process.pid}/children`, 'r')
  becomeSubreaper()
  childrenFile = file
  // A shell that started something and then became this process.
  for (const pid of children()) spared.add(pid)
  onOtherEnds(adopted)
}

/**
 * Said at the start of an execution. It ends with `endOrphans`, or, if it may leave something and is not terminated,
 * with `leaveOrphans`.
 */
export function beginOwner(owner: Owner, mayLeave: boolean): void {
  owners.add(owner)
  if (mayLeave) undecided.add(owner)
}

/** What the execution left behind may live on. It is still collected when it ends. */
export function leaveOrphans(owner: Owner): void {
  undecided.delete(owner)
  someLeft = true
  endOwner(owner)
  adopted()
}

/**
 * Ends what an execution left behind: its orphans, all that descends from them, and what is nobody's.
 * @returns the processes that were ended
 */
export async function endOrphans(owner: Owner, graceMs: number): Promise<ReadonlySet<number>> {
  undecided.delete(owner)
  try {
    const ended = await endAll(owner, graceMs)
    for (const pid of adopted()) if (ended.has(pid)) spared.add(pid)
    return ended
  } finally {
    endOwner(owner)
  }
}

function endOwner(owner: Owner): void {
  owners.delete(owner)
  releaseMark(owner.mark)
}

async function endAll(owner: Owner, graceMs: number): Promise<ReadonlySet<number>> {
  const ended = new Set<number>()
  const end = performance.now() + orphansPatienceMs(graceMs)
  for (let pass = 0; pass < MAX_PASSES && performance.now() < end; pass++) {
    const orphans = await orphansOf(owner)
    if (orphans.length === 0) break
    const processes = family(allProcesses(), new Set(orphans)).filter((one) => !one.ended)
    for (const { pid } of processes) ended.add(pid)
    // 0 and -1 stand for groups of another pid namespace and of a process that is just going: not to be signalled.
    const groups = new Set(processes.map(({ group }) => group).filter((group) => group > 1))
    // Grace is for the first: what appears later was started by something that has been told to end.
    await Promise.all([...groups].map((pgid) => endGroup(pgid, pass === 0 ? graceMs : 0)))
  }
  return ended
}

/** Waits for those of which it cannot be told yet: a command may end while what it started is just starting. */
async function orphansOf(owner: Owner): Promise<readonly number[]> {
  let orphans: number[] = []
  await pollUntil(EXEC_MS, () => {
    const found = adopted().map((pid) => ({ pid, own: isOwn(pid, owner) }))
    orphans = found.filter(({ own }) => own === true).map(({ pid }) => pid)
    return found.every(({ own }) => own !== undefined)
  })
  return orphans
}

/** undefined: it cannot be told yet. */
function isOwn(pid: number, owner: Owner): boolean | undefined {
  const mark = softLocksLimit(pid)
  if (mark === undefined || owner.mark === undefined || !ofOneAgent(mark, owner.mark))
    return isOwnUnmarked(pid, owner)
  return mark === owner.mark || (!isTaken(mark) && !someLeft)
}

/** It has shed its mark on purpose, or there are no marks on this system. */
function isOwnUnmarked(pid: number, owner: Owner): boolean | undefined {
  // A descendant of something that was left on purpose may have shed every sign of it.
  const mayBeLeft = someLeft || undecided.size > 0
  if (runningPids().length === 0 && !mayBeLeft) return true
  const sign = hasSign(pid, owner)
  if (sign !== false || whyUnmarked() !== undefined || mayBeLeft) return sign
  // It has no sign of any other either: nobody's. Whoever goes to such lengths means to stay.
  const signs = [...owners].map((other) => hasSign(pid, other))
  if (signs.includes(true)) return false
  return signs.includes(undefined) ? undefined : true
}

function hasSign(pid: number, owner: Owner): boolean | undefined {
  const session = processEntry(pid)?.session
  // The newest: an ended command's number may be another's by now.
  const leader = session === undefined ? undefined : [...owners].findLast((one) => one.session === session)
  return leader === owner || hasEntry(pid, owner.marker)
}

/** The orphans that came to us and live, without those spared. Those that have ended are collected: nobody else waits for them. */
function adopted(): number[] {
  const running = new Set(runningPids())
  const all = children().filter((pid) => !running.has(pid) && !reapOrphan(pid))
  for (const pid of spared) if (!all.includes(pid)) spared.delete(pid)
  const living = all.filter((pid) => !spared.has(pid))
  // All that was left on purpose is adopted or descends from something adopted.
  if (living.length === 0) someLeft = false
  return living
}

/** Read at every end, through a descriptor that is kept: when none is free any more this goes on. */
function children(): number[] {
  if (childrenFile === undefined) return []
  let text = ''
  for (let length = -1; length !== 0; text += page.toString('latin1', 0, length))
    length = readSync(childrenFile, page, 0, page.length, text.length)
  return text.trim() === '' ? [] : text.trim().split(' ').map(Number)
}
