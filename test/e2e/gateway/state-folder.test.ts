import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { expect, it } from 'vitest'
import { Program } from '../../support/sites/program.ts'
import { Workplace } from '../../support/sites/workplace.ts'

const isRoot = process.geteuid?.() === 0

/** What the built gateway says on its way out. */
async function refusal(place: Workplace, command: readonly string[]): Promise<string> {
  await using program = new Program(place, command)
  expect(await program.ended()).toEqual({ code: 78, signal: null })
  return program.stderr
}

function withSettings(): Workplace {
  const place = new Workplace()
  place.write('gateway.yaml', 'listen: { http: 127.0.0.1:0, grpc: 127.0.0.1:0 }\nstate: ./state\n')
  return place
}

const GATEWAY = ['gateway', '--config', 'gateway.yaml']

it('a gateway refuses a state folder that others can write to, and writes nothing there', async () => {
  using place = withSettings()
  mkdirSync(place.at('state'))
  chmodSync(place.at('state'), 0o777)
  expect(await refusal(place, GATEWAY)).toMatch(
    /state folder is not safe: .*can be written to by other users/,
  )
  expect(await refusal(place, ['dev', '--state', 'state'])).toMatch(/can be written to by other users/)
  expect(readdirSync(place.at('state'))).toEqual([])
})

it.skipIf(!isRoot)("a gateway refuses another user's state folder (needs root)", async () => {
  using place = withSettings()
  mkdirSync(place.at('state'))
  chownSync(place.at('state'), 12345, 12345)
  expect(await refusal(place, GATEWAY)).toMatch(/state folder is not safe: .*belongs to uid 12345/)
  expect(readdirSync(place.at('state'))).toEqual([])
})

it.each([
  ['its history', 'history.sqlite'],
  ['the log of it', 'history.sqlite-wal'],
])('a gateway writes nothing through a link that stands in place of %s', async (_, name) => {
  using place = withSettings()
  mkdirSync(place.at('state'), { mode: 0o700 })
  place.write('precious', 'mine', 0o644)
  place.write('state/history.sqlite', '', 0o600)
  rmSync(place.at('state', name), { force: true })
  symlinkSync(place.at('precious'), place.at('state', name))
  expect(await refusal(place, GATEWAY)).toContain(`${name} is a symbolic link`)
  expect(readFileSync(place.at('precious'), 'utf8')).toBe('mine')
  expect(statSync(place.at('precious')).mode & 0o777).toBe(0o644)
})

it('dev takes no token from a link', async () => {
  using place = new Workplace()
  mkdirSync(place.at('state'), { mode: 0o700 })
  symlinkSync(place.write('planted', 'a-token-that-somebody-else-knows\n'), place.at('state', 'admin.token'))
  expect(await refusal(place, ['dev', '--state', 'state'])).toMatch(/admin\.token is a symbolic link/)
})
