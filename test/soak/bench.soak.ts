import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { outer } from '../support/machine/own-folders.ts'
import { missingProgram, without } from '../support/machine/servers.ts'

// The whole benchmark, small. It has limits on time of its own, so it is no test for a busy machine.

const folder = fileURLToPath(new URL('../../bench', import.meta.url))
const missing = missingProgram('go')

/** With Go's caches of whoever runs the tests. */
function node(...args: string[]) {
  const env = { ...outer, TMPDIR: process.env['TMPDIR'] }
  return spawnSync(process.execPath, args, { cwd: folder, env, encoding: 'utf8' })
}

it.skipIf(missing !== undefined)(
  `every goal's figure is measured, and every byte of it right${without(missing)}`,
  () => {
    const goals = node('--input-type=module', '-e', goalsAsJson)
    const run = node('run.mjs', '--rounds', '1', '--scale', '0.01', '--json')
    expect(run.status, run.stderr).toBe(0)
    const { figures } = JSON.parse(run.stdout) as { figures: Record<string, { ours?: number[] }> }
    const wanted = (JSON.parse(goals.stdout) as { figure: string }[]).map(({ figure }) => figure)
    expect(wanted.filter((figure) => figures[figure]?.ours?.length !== 1)).toEqual([])
  },
)

const goalsAsJson = "console.log(JSON.stringify((await import('./report/goals.mjs')).GOALS))"
