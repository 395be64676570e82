import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { Workplace } from '../support/sites/workplace.ts'

// Nobody runs benchmarks every day: without this, one that does not start any more is noticed when it is needed.

const folder = fileURLToPath(new URL('../../bench', import.meta.url))
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

it('the token of its gateway is in no argument of the driver, which every user of the machine can read', () => {
  using place = new Workplace()
  const script = `
    const { openSite } = await import('./measure/site.mjs')
    const site = await openSite('${place.at('site')}', '${place.path}')
    console.log(JSON.stringify(site))
    await site.close()`
  const args = ['--input-type=module', '-e', script]
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
  const { target, env } = JSON.parse(stdout || stderr) as { target: string[]; env: { HOOP_TOKEN: string } }
  expect(env.HOOP_TOKEN).toHaveLength(64)
  expect(target.filter((argument) => argument.includes(env.HOOP_TOKEN))).toEqual([])
})
