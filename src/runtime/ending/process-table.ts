import { readdirSync, readFileSync } from 'node:fs'

export interface ProcessEntry {
  readonly pid: number
  readonly parent: number
  readonly group: number
  readonly session: number
  /** Clock ticks since boot. A process number is used again, but never with the same start time. */
  readonly startTime: string
  /** Whether it is a zombie, which its parent has not collected yet. */
  readonly ended: boolean
}

/** All processes. Empty where there is no /proc, or while it cannot be read (EMFILE). */
export function allProcesses(): readonly ProcessEntry[] {
  return list('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => processEntry(Number(name)))
    .filter((entry) => entry !== undefined)
}

export function processEntry(pid: number): ProcessEntry | undefined {
  const stat = read(pid, 'stat')
  if (stat === '') return undefined
  // After the program's name, which may contain brackets and spaces: state is field 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [parent = 0, group = 0, session = 0] = fields.slice(1, 4).map(Number)
  const ended = fields[0] === 'Z' || fields[0] === 'X'
  return { pid, parent, group, session, startTime: fields[22 - 3] ?? '', ended }
}

/** Those of `roots` that are in the table, and their descendants; without `except` and its own. */
export function family(
  table: readonly ProcessEntry[],
  roots: ReadonlySet<number>,
  except: ReadonlySet<number> = new Set(),
): ProcessEntry[] {
  const found = table.filter(({ pid }) => roots.has(pid) && !except.has(pid))
  const children = childrenByParent(table)
  // The list grows during the walk: children follow their parents. Each has one, so that none comes twice.
  for (const { pid } of found)
    for (const child of children.get(pid) ?? [])
      if (!roots.has(child.pid) && !except.has(child.pid)) found.push(child)
  return found
}

/** With thousands of processes (a fork storm), a search for the children of each would block the event loop. */
function childrenByParent(table: readonly ProcessEntry[]): ReadonlyMap<number, ProcessEntry[]> {
  const children = new Map<number, ProcessEntry[]>()
  for (const entry of table) {
    const siblings = children.get(entry.parent)
    if (siblings === undefined) children.set(entry.parent, [entry])
    else siblings.push(entry)
  }
  return children
}

/**
 * Whether the process was started with the entry `NAME=value`; false when we may not look. Undefined in the middle of
 * an exec, when environment and arguments are empty for a moment.
 */
export function hasEntry(pid: number, entry: string): boolean | undefined {
  const isIn = (environment: string) => `\0${environment}`.includes(`\0${entry}\0`)
  const environment = read(pid, 'environ')
  if (environment !== '') return isIn(environment)
  return read(pid, 'cmdline') === '' ? undefined : isIn(read(pid, 'environ'))
}

/** The process's soft limit of file locks (RLIMIT_LOCKS); undefined when it is unlimited, or the process is gone. */
export function softLocksLimit(pid: number): bigint | undefined {
  const [, soft] = /^Max file locks +(\d+) /m.exec(read(pid, 'limits')) ?? []
  return soft === undefined ? undefined : BigInt(soft)
}

/** The pids of a process group that are running. */
export function groupMembers(group: number): number[] {
  return allProcesses()
    .filter((one) => one.group === group && !one.ended)
    .map(({ pid }) => pid)
}

/** Running ones. Reads a file per process, not all of /proc; empty without CONFIG_PROC_CHILDREN. */
export function descendants(pid: number): ProcessEntry[] {
  const found = new Set(childrenOf(pid))
  // The set grows during the walk: children follow their parents.
  for (const one of found) for (const child of childrenOf(one)) found.add(child)
  return [...found]
    .map(processEntry)
    .filter((entry) => entry !== undefined)
    .filter(({ ended }) => !ended)
}

/** Each thread lists the children that it started. */
function childrenOf(pid: number): number[] {
  const text = list(`/proc/${pid}/task`).map((thread) => read(pid, `task/${thread}/children`))
  return text.join('').split(' ').filter(Boolean).map(Number)
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** Empty when the process is gone meanwhile. */
function read(
  pid: number,
  file: 'cmdline' | 'environ' | 'limits' | 'stat' | `task/${string}/children`,
): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1')
  } catch {
    return ''
  }
}
