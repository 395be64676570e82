import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { openHistory } from '../../../src/gateway/rooms.ts'
import { runProgram } from '../../support/sites/program.ts'
import { Site } from '../../support/sites/site.ts'
import type { Workplace } from '../../support/sites/workplace.ts'

const PAGE = 4096

it('a damaged history is refused at the start and by --check, and served again after its repair', async () => {
  await using site = await Site.start()
  const { place } = site
  const state = place.at('damaged')
  const file = path.join(state, 'history.sqlite')
  mkdirSync(state, { mode: 0o700 })
  record(file)
  otherSettings(place, 'other.yaml', state)
  const run = (...words: string[]) => runProgram(place, [...words, '--config', place.at('other.yaml')])
  const damaged = damage(file)

  const start = await run('gateway')
  expect([start.code, start.stderr]).toEqual([
    78,
    expect.stringMatching(/history\.sqlite is damaged \(.*runbook-agent history repair --config/),
  ])
  const check = await run('gateway', '--check')
  expect([check.code, check.stdout]).toEqual([78, expect.stringMatching(/broken: {2}history: .* is damaged/)])
  expect(readFileSync(file).equals(damaged)).toBe(true)

  const repair = await run('history', 'repair')
  expect([repair.code, repair.stderr]).toEqual([0, ''])
  expect(repair.stdout).toMatch(/^kept: .*sessions \d+/m)
  expect(repair.stdout).toMatch(/^lost:\n {2}events: \d+ rows: /m)
  expect(repair.stdout).toMatch(/^sessions that have lost output: session-/m)
  expect(repair.stdout).toMatch(/^audit log: the chain of its \d+ entries is whole$/m)
  const [, oldFile = ''] = /^the damaged file is now (\S+):/m.exec(repair.stdout) ?? []
  expect(readFileSync(oldFile).equals(damaged)).toBe(true)
  expect((await run('gateway', '--check')).stdout).not.toContain('history:')
  expect((await run('history', 'repair')).stdout).toContain('is not damaged: nothing was changed')

  const reset = await run('history', 'reset-clock')
  expect([reset.code, reset.stdout]).toEqual([
    0,
    expect.stringMatching(/^the clock by which tokens expire is now at \S+; it was at /),
  ])
  openHistory(file).close()
})

it('a repair is refused while a gateway serves, and where there is no history', async () => {
  await using site = await Site.start()
  const { place } = site
  const refused = await runProgram(place, ['history', 'repair', '--config', place.at('gateway.yaml')])
  expect([refused.code, refused.stderr]).toEqual([78, expect.stringContaining('another gateway is using it')])
  otherSettings(place, 'none.yaml', place.at('none'))
  const missing = await runProgram(place, ['history', 'repair', '--config', place.at('none.yaml')])
  expect([missing.code, missing.stderr]).toEqual([
    78,
    expect.stringContaining('does not exist: check the setting'),
  ])
})

/** Those of the gateway that serves, for one with another state. */
function otherSettings(place: Workplace, name: string, state: string): void {
  const settings = JSON.parse(readFileSync(place.at('gateway.yaml'), 'utf8')) as object
  const listen = { http: '127.0.0.1:0', grpc: '127.0.0.1:0' }
  place.write(name, JSON.stringify({ ...settings, listen, state }))
}

/** One session after the other, with output on pages of its own. */
function record(file: string): void {
  const history = openHistory(file)
  for (let number = 0; number < 20; number++) {
    const id = `session-${number}`
    history.begin({
      ...{ id, origin: 'client-api', verb: 'exec', connection: 'bash', connectionType: 'command-line' },
      ...{ user: 'ann', script: Buffer.from('x'), labels: {}, metadata: {}, startedAt: new Date() },
    })
    for (let piece = 0; piece < 20; piece++)
      history.append(id, 'o', Buffer.alloc(700, 'mark-of-output '), piece)
    history.finish(id, { exitCode: 0, truncatedBytes: 0, endedAt: new Date() })
  }
  history.close()
}

/** One page full of output is zero. @returns the whole file */
function damage(file: string): Buffer {
  const bytes = readFileSync(file)
  const page = Math.floor(bytes.lastIndexOf('mark-of-output') / PAGE)
  bytes.fill(0, page * PAGE, (page + 1) * PAGE)
  writeFileSync(file, bytes)
  return bytes
}
