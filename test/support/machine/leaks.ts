import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import Database from 'libsql'
import { afterEach, beforeEach, expect } from 'vitest'
import { waitFor } from '../wait.ts'

// Every test is also a leak test: afterwards this process has no child and no descriptor more than before.

// libsql opens a pair of sockets at its first use and keeps it for the life of the process.
new Database(':memory:').close()

let before = new Set<string>()

beforeEach(() => {
  before = new Set([...descriptors(), ...children()])
})

afterEach(async () => {
  await waitFor(() => added().length === 0).catch(() => undefined)
  expect(added()).toEqual([])
})

function added(): string[] {
  return [...descriptors(), ...children()].filter((left) => !before.has(left))
}

/** Pipes, sockets, files below /tmp and /dev/shm that this process holds; what vitest loads as it goes is left out. */
function descriptors(): string[] {
  return list('/proc/self/fd')
    .map((fd) => ({ fd, target: readlink(`/proc/self/fd/${fd}`) }))
    .filter(({ target }) => /^(pipe:|socket:|\/memfd:|\/tmp\/|\/dev\/shm\/|\/dev\/ptmx)/.test(target))
    .map(({ target }) => target)
}

/** Direct children, zombies included, by name; esbuild belongs to vitest. */
function children(): string[] {
  return list('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => read(`/proc/${pid}/stat`))
    .filter((stat) => stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] === String(process.pid))
    .map((stat) => stat.slice(0, stat.lastIndexOf(')') + 1))
    .filter((name) => !name.includes('(esbuild)'))
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function readlink(file: string): string {
  try {
    return readlinkSync(file)
  } catch {
    return ''
  }
}
