import { totalmem } from 'node:os'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { executionsWithin, sessionsOn, thisMachine } from '../../src/config/session-limit.ts'
import { shell } from '../support/terminals/shell.ts'
import { Workplace } from '../support/sites/workplace.ts'

const MiB = 1024 * 1024

it.each([
  ['a small container', 100, 20_000, 10],
  ['512 MiB', 512, 20_000, 16],
  ['2 GiB', 2048, 20_000, 112],
  ['8 GiB', 8192, 1_048_576, 496],
  ['a large machine', 262_144, Infinity, 1000],
  ['a large machine with few descriptors', 262_144, 1024, 319],
  ['a machine with hardly any', 8192, 64, 1],
])('the default of limits.sessions follows memory and descriptors: %s', (_, mib, openFiles, sessions) => {
  expect(sessionsOn({ openFiles, memoryBytes: mib * MiB })).toBe(sessions)
})

describe('the session limit', () => {
  it('follows memory alone where the system tells no limit of open files', () => {
    expect(sessionsOn({ openFiles: undefined, memoryBytes: 2048 * MiB })).toBe(112)
  })

  it('never exceeds what open files allow', () => {
    fc.assert(
      fc.property(fc.nat(2_000_000), fc.nat(1_000_000), (openFiles, mib) => {
        const sessions = sessionsOn({ openFiles, memoryBytes: mib * MiB })
        expect(sessions).toBeGreaterThanOrEqual(1)
        expect(sessions).toBeLessThanOrEqual(Math.min(1000, executionsWithin(openFiles)))
      }),
    )
  })
})

it('a process finds the memory that is there', () => {
  const { memoryBytes } = thisMachine()
  expect(memoryBytes).toBeGreaterThan(64 * MiB)
  expect(memoryBytes).toBeLessThanOrEqual(totalmem())
})

it('config print shows limits.sessions by the descriptors that the process really has', async () => {
  using place = new Workplace()
  const { stdout } = await shell(place, 'ulimit -n 300; runbook-agent config print --json')
  const { settings } = JSON.parse(stdout) as { settings: { name: string }[] }
  expect(settings.find(({ name }) => name === 'limits.sessions')).toEqual({
    name: 'limits.sessions',
    value: String(sessionsOn({ ...thisMachine(), openFiles: 300 })),
    from: 'default',
    place: null,
  })
  expect(sessionsOn({ ...thisMachine(), openFiles: 300 })).toBeLessThanOrEqual(77)
})
