import { readFileSync } from 'node:fs'
import { endGroup } from './kill-ladder.ts'
import { becomeSubreaper } from './posix.ts'
import { reapOrphan, runningPids } from './reaper.ts'

/**
 * What a command starts and leaves behind in a session of its own (`setsid`, a double fork) no signal to its group
 * reaches. With the agent as their subreaper the kernel gives such processes to the agent when their parent ends,
 * so they are found by looking at its children: one small file, instead of the whole of /proc after each execution.
 */
let adopting = false

/** A process that forks while it is being ended shows up in a later look; a storm has an end after so many. */
const MAX_PASSES = 20

/** To be called by a process whose children are all started by this runtime: it will collect every one of them. */
export function adoptOrphans(): void {
  readChildren()
  becomeSubreaper()
  adopting = true
  process.on('SIGCHLD', collect)
}

/**
 * Ends what an execution left behind, known by its environment, and what nobody can own since nothing else runs.
 * @param marker an entry of the execution's environment that no other has, `NAME=value`
 * @returns how many processes were ended
 */
export async function endOrphans(marker: string, graceMs: number): Promise<number> {
  const ended = new Set<number>()
  for (let pass = 0; adopting && pass < MAX_PASSES; pass++) {
    const orphans = adopted().filter((pid) => runningPids().length === 0 || isMarked(pid, marker))
    if (orphans.length === 0) break
    for (const pid of orphans) ended.add(pid)
    // Grace is for the first: what appears later was started by something that has been told to end.
    await Promise.all(
      [...new Set(orphans.map(groupOf))].map((pgid) => endGroup(pgid, pass === 0 ? graceMs : 0)),
    )
    collect()
  }
  return ended.size
}

/** Zombies among the adopted: nobody else waits for them. */
function collect(): void {
  for (const pid of adopted()) reapOrphan(pid)
}

function adopted(): number[] {
  const running = new Set(runningPids())
  return children().filter((pid) => !running.has(pid))
}

/** None while the file cannot be read (EMFILE): this runs on a signal and at every end, and must cost neither. */
function children(): number[] {
  try {
    return readChildren()
  } catch {
    return []
  }
}

/** @throws where the kernel does not have this file (CONFIG_PROC_CHILDREN) */
function readChildren(): number[] {
  const text = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8')
  return text.trim() === '' ? [] : text.trim().split(' ').map(Number)
}

function isMarked(pid: number, marker: string): boolean {
  const environment = read(pid, 'environ')
  return `\0${environment}`.includes(`\0${marker}\0`)
}

/** Its process group, which after a `setsid` is its own; a process that is gone meanwhile is its own number. */
function groupOf(pid: number): number {
  const stat = read(pid, 'stat')
  const pgid = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2])
  return Number.isInteger(pgid) && pgid > 1 ? pgid : pid
}

function read(pid: number, file: 'environ' | 'stat'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1')
  } catch {
    return ''
  }
}
