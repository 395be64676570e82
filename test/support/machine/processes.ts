import { readdirSync, readFileSync } from 'node:fs'
import { commandLine, pids, statOf } from './proc.ts'

/** Whether the process runs; one that waits to be reaped by its parent has ended. */
export function isAlive(pid: number): boolean {
  return !['', 'Z', 'X'].includes(statOf(String(pid)).state)
}

/** Direct children that run. */
export function childrenOf(pid: number): number[] {
  return pids()
    .filter((one) => statOf(one).parent === pid)
    .map(Number)
    .filter(isAlive)
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
  return commandLine(String(pid)).replaceAll('\0', ' ')
}

/** Those of every process of this machine. */
export function commandLines(): string {
  return pids().map(Number).map(commandLineOf).join('\n')
}

/** What the process was started with; its own user can read it, and so can the commands that it runs. */
export function environmentOf(pid: number): string {
  return readFileSync(`/proc/${pid}/environ`, 'utf8')
}
