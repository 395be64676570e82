import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'

// What /proc tells, each byte a character. A process that is gone has nothing to tell, and that is no error.

export function pids(): string[] {
  return list('/proc').filter((name) => /^\d+$/.test(name))
}

/** The arguments, each with a NUL behind it. */
export function commandLine(pid: string): string {
  return textOf(`/proc/${pid}/cmdline`)
}

/** The variables it was started with, likewise. */
export function environment(pid: string): string {
  return textOf(`/proc/${pid}/environ`)
}

export function workingFolder(pid: string): string {
  return target(`/proc/${pid}/cwd`)
}

export interface ProcessStat {
  /** In brackets, behind the pid. */
  readonly name: string
  readonly state: string
  readonly parent: number
}

/** Of a process that is gone, an empty name and state. */
export function statOf(pid: string): ProcessStat {
  const line = textOf(`/proc/${pid}/stat`)
  // The program's name may itself hold brackets and spaces.
  const end = line.lastIndexOf(')') + 1
  const [state = '', parent] = line.slice(end + 1).split(' ')
  return { name: line.slice(0, end), state, parent: Number(parent) }
}

/** Its children, zombies too. Where the kernel keeps no list of them, all processes are looked at: 4 ms for 100. */
export function childrenOf(pid: string): string[] {
  const threads = list(`/proc/${pid}/task`).map((thread) => `/proc/${pid}/task/${thread}/children`)
  if (!threads.some((file) => existsSync(file)))
    return pids().filter((one) => statOf(one).parent === Number(pid))
  return threads.flatMap((file) => textOf(file).split(' ').filter(Boolean))
}

/** What each descriptor leads to, as `pipe:[123]` or `/tmp/file`. */
export function openFiles(pid: string): string[] {
  return list(`/proc/${pid}/fd`).map((fd) => target(`/proc/${pid}/fd/${fd}`))
}

/** By their kind: pipes, sockets, memory files, terminals, files by name. */
export type Descriptors = ReadonlyMap<string, number>

export function descriptors(pid: number): Descriptors {
  const counts = new Map<string, number>()
  for (const file of openFiles(String(pid))) {
    const found = file.replace(/:\[\d+\]$/, '')
    // libuv's spare one for a moment without any: on /dev/null at first, on the root once it was needed.
    const kind = found === '/' ? '/dev/null' : found
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
  }
  counts.delete('')
  return counts
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** Each byte a character; empty for what is gone, or is a folder. */
export function textOf(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}

function target(link: string): string {
  try {
    return readlinkSync(link)
  } catch {
    return ''
  }
}
