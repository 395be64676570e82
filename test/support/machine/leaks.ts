import Database from 'libsql'
import { afterEach, beforeEach, expect } from 'vitest'
import { collectHeap } from '../../../src/commands/start/idle-memory.ts'
import { giveBack } from '../owned.ts'
import { waitFor } from '../wait.ts'
import { childrenOf, openFiles, statOf } from './proc.ts'

// Every test is also a leak test: afterwards this process has no child and no descriptor more than before.

// libsql opens a pair of sockets at its first use and keeps it for the life of the process.
new Database(':memory:').close()

/** libsql closes a file when the statements of its database are collected, and a test that waits collects nothing. */
const SOON_MS = 2000
/** Below the limit of a hook, so that what is left is named. */
const LONGEST_MS = 38_000

let before = new Set<string>()

beforeEach(() => {
  before = new Set([...descriptors(), ...children()].map(keyOf))
})

// The hook is here and not in owned.ts: several files of a group import that, and it is loaded once.
afterEach(async () => {
  await giveBack()
  const isClean = () => added().length === 0
  await waitFor(isClean, SOON_MS).catch(collectHeap)
  await waitFor(isClean, LONGEST_MS).catch(() => expect(added()).toEqual([]))
})

function added(): string[] {
  return [...descriptors(), ...children()].filter((left) => !before.has(keyOf(left)))
}

/** Of a child its pid alone: its name changes while it starts (`node`, then `MainThread` on Node 24). */
function keyOf(held: string): string {
  return held.replace(/^(\d+) \(.*/, '$1')
}

/** Pipes, sockets, files below /tmp and /dev/shm that this process holds; what vitest loads as it goes is left out. */
function descriptors(): string[] {
  return openFiles('self').filter((file) =>
    /^(pipe:|socket:|\/memfd:|\/tmp\/|\/dev\/shm\/|\/dev\/ptmx)/.test(file),
  )
}

/** Direct children, zombies included, by name; esbuild belongs to vitest. */
function children(): string[] {
  return childrenOf(String(process.pid))
    .map((pid) => statOf(pid).name)
    .filter((name) => name !== '' && !name.includes('(esbuild)'))
}
