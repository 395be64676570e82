import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Workplace } from '../support/sites/workplace.ts'
import { served } from './served.ts'

const script = fileURLToPath(new URL('../../scripts/bundle.mjs', import.meta.url))

const place = new Workplace()
beforeAll(() => void execFileSync(process.execPath, [script, place.at('bundle')], { stdio: 'pipe' }))
afterAll(() => place[Symbol.dispose]())

test('the bundle is a folder that runs gateway, agent and executions anywhere, with nothing installed', async () => {
  const packages = readdirSync(place.at('bundle', 'node_modules'))
  expect(packages).toEqual(expect.arrayContaining(['koffi', 'libsql', 'node-pty']))
  expect(packages).not.toEqual(expect.arrayContaining(['fastify']))
  expect(readdirSync(place.at('bundle/dist/web'))).toEqual(expect.arrayContaining(['index.html', 'assets']))
  const { answer, code } = await served(
    place.at('bundle/dist/main.js'),
    place,
    'echo from the bundle; exit 3',
  )
  expect(answer).toMatchObject({ output: 'from the bundle\n', exit_code: 3 })
  expect(code).toBe(0)
})

test('the bundle tells the version of the package, and brings the licence of everything in it', () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  const told = execFileSync(place.at('bundle/dist/main.js'), ['version'], {
    cwd: '/',
    env: place.env,
    encoding: 'utf8',
  })
  expect(told.trim()).toBe(version)
  const licenses = readFileSync(place.at('bundle/dist/compiled/program/LICENSES'), 'utf8')
  for (const name of ['@grpc/grpc-js', 'fastify', 'pino', 'runbook-agent', 'yaml'])
    expect(licenses).toMatch(new RegExp(`^${name} \\d`, 'm'))
})
