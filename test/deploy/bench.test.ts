import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

// Nobody runs benchmarks every day: without this, one that does not start any more is noticed when it is needed.

const folder = fileURLToPath(new URL('../../bench', import.meta.url))
it('a benchmark imports only what there is', () => {
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
  const args = ['--input-type=module', '-e', siteAsJson]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
  expect(status, stderr).toBe(0)
  const { target, env } = JSON.parse(stdout) as { target: string[]; env: { HOOP_TOKEN: string } }
  expect(env.HOOP_TOKEN).toHaveLength(64)
  expect(target.filter((argument) => argument.includes(env.HOOP_TOKEN))).toEqual([])
})

/** Its agent has served once, so that both programs end in good order. */
const siteAsJson = `
  const { runFolder } = await import('./run-folder.mjs')
  const { openSite } = await import('./measure/site.mjs')
  const folder = runFolder()
  const site = await openSite(folder + '/site', folder)
  const { HOOP_APIURL, HOOP_TOKEN } = site.env
  await fetch(HOOP_APIURL + '/api/sessions', {
    method: 'POST',
    headers: { authorization: 'Bearer ' + HOOP_TOKEN, 'content-type': 'application/json' },
    body: JSON.stringify({ connection: 'sh', script: 'true' }),
  })
  await site.close()
  console.log(JSON.stringify(site))`
