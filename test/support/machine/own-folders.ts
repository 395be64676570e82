import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { afterAll, expect } from 'vitest'
import { temporaryFolder } from './temporary-folder.ts'

// Every test file has a home and a temporary folder of its own, and nothing of the settings of whoever runs it. So has
// every program that it starts with its environment. What it leaves there fails it.

/** The environment of whoever runs the tests. */
export const outer: Readonly<NodeJS.ProcessEnv> = { ...process.env }

/** Settings of the programs that tests start, and of ours; those of git may stem from a hook that runs the tests. */
const SETTINGS = /^(HOOP_|RUNBOOK_AGENT_|XDG_|GIT_|PG|MYSQL|REDISCLI_|TMUX|NOTIFY_SOCKET$|STATE_DIRECTORY$)/

// A short name: sockets lie deep below, and a socket's path may have 107 bytes.
const folder = mkdtempSync(path.join(temporaryFolder(), 'runbook-'))
const home = path.join(folder, 'home')

chmodSync(folder, 0o711) // some tests start programs as another user, who has to come through
mkdirSync(home)
for (const name of Object.keys(process.env).filter((name) => SETTINGS.test(name)))
  Reflect.deleteProperty(process.env, name)
Object.assign(process.env, {
  HOME: home,
  TMPDIR: folder,
  // Instead of shared memory and of /var/lib.
  RUNTIME_DIRECTORY: path.join(folder, 'runtime'),
  STATE_DIRECTORY: path.join(folder, 'state'),
})

afterAll(() => {
  const left = [...readdirSync(folder), ...readdirSync(home)].filter((name) => name !== 'home')
  rmSync(folder, { recursive: true })
  // The next file finds what this one has found.
  for (const name of Object.keys(process.env)) Reflect.deleteProperty(process.env, name)
  Object.assign(process.env, outer)
  expect(left, 'what the tests of this file left in their folders').toEqual([])
})
