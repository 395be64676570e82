import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { without } from '../support/machine/servers.ts'

// What an execution costs, in numbers that do not depend on what else the machine does. Where one grew on purpose, or
// shrank: `node bench/cost/run.mjs calls --write`, and the same with `memory`.

const program = fileURLToPath(new URL('../../bench/cost/run.mjs', import.meta.url))
/** Under strace an agent is several times slower, and CI does much at once. */
const LONGEST_MS = 300_000

function cost(...args: string[]) {
  return spawnSync(process.execPath, [program, ...args], { encoding: 'utf8', timeout: LONGEST_MS })
}

for (const [what, kind] of [
  ['system calls', 'calls'],
  ['memory, packets and bytes', 'memory'],
] as const) {
  const missing = cost(kind, '--missing').stdout || undefined
  it.skipIf(missing !== undefined)(
    `${what} of an execution grow by less than 5 %${without(missing)}`,
    () => {
      const { status, stdout, stderr } = cost(kind)
      expect(`${stdout}${stderr}exit code ${status}`).toMatch(/exit code 0$/)
    },
    LONGEST_MS,
  )
}
