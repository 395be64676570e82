import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { GO_MS } from '../support/machine/go.ts'
import { outer } from '../support/machine/own-folders.ts'
import { missingProgram, without } from '../support/machine/servers.ts'

// Nobody runs benchmarks every day: without these, one that does not start any more is noticed when it is needed.

const folder = fileURLToPath(new URL('../../bench', import.meta.url))
const missing = missingProgram('go')

/** With Go's caches of whoever runs the tests. */
function node(...args: string[]) {
  const env = { ...outer, TMPDIR: process.env['TMPDIR'] }
  return spawnSync(process.execPath, args, { cwd: folder, env, encoding: 'utf8', timeout: GO_MS })
}

it('benchmarks import what there is', () => {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.mjs'),
  )
  const imports = files.flatMap((file) =>
    [...readFileSync(path.join(folder, file), 'utf8').matchAll(/ from '(\.[^']+)'/g)].map(([, to = '']) =>
      path.resolve(folder, path.dirname(file), to),
    ),
  )
  expect(imports.length).toBeGreaterThan(20)
  expect(imports.filter((file) => !existsSync(file))).toEqual([])
})

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
  GO_MS,
)

const goalsAsJson = "console.log(JSON.stringify((await import('./report/goals.mjs')).GOALS))"
