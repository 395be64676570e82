import { readdirSync, readFileSync } from 'node:fs'

/** Whether the process runs; one that waits to be reaped by its parent has ended. */
export function isAlive(pid: number): boolean {
  return !['', 'Z', 'X'].includes(statOf(pid).state)
}

/** Direct children that run. */
export function childrenOf(pid: number): number[] {
  return allPids().filter((one) => statOf(one).parent === pid && isAlive(one))
}

export function descendantsOf(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)])
}

/** How many descriptors a process has open. */
export function descriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}

/** The largest amount of memory the process ever had, in MB (10^6 bytes). */
export function peakMemoryOf(pid: number): number {
  return megabytes(pid, 'VmHWM')
}

/** The memory it has now, in MB. */
export function memoryOf(pid: number): number {
  return megabytes(pid, 'VmRSS')
}

function megabytes(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const [, kib] = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status) ?? []
  return (Number(kib) * 1024) / 1e6
}

/** The arguments of a process as anybody can see them, each with a space behind it. */
export function commandLineOf(pid: number): string {
  return read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')
}

/** Those of every process of this machine. */
export function commandLines(): string {
  return allPids().map(commandLineOf).join('\n')
}

/** What the process was started with; its own user can read it, and so can the commands that it runs. */
export function environmentOf(pid: number): string {
  return readFileSync(`/proc/${pid}/environ`, 'utf8')
}

function allPids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

/** Behind the program's name, which may itself hold brackets and spaces: state, then the parent's pid. */
function statOf(pid: number): { readonly state: string; readonly parent: number } {
  const line = read(`/proc/${pid}/stat`)
  const [state = '', parent] = line.slice(line.lastIndexOf(')') + 2).split(' ')
  return { state, parent: Number(parent) }
}

/** Empty for a process that is gone. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
