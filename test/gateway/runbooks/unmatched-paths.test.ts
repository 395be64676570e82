import { describe, expect, test } from 'vitest'
import type { RunbookRepository } from '../../../src/gateway/runbooks/repository.ts'
import { tellUnmatchedPaths } from '../../../src/gateway/runbooks/start-check.ts'
import {
  hasPaths,
  missingRunbooks,
  unmatchedPaths,
  type PathSettings,
} from '../../../src/gateway/runbooks/unmatched-paths.ts'
import type { ScheduleSettings } from '../../../src/gateway/settings/schedules.ts'
import type { ConnectionSettings } from '../../../src/gateway/settings/settings.ts'
import { PathPattern } from '../../../src/gateway/settings/words.ts'

const FILES = ['ops/clean.runbook.sh', 'sql/danger-drop.runbook.sql', 'sql/free.sql']
const KNOWN = new Map([['rb', FILES]])

const patternsOf = (texts: readonly string[]) => texts.flatMap((text) => PathPattern.from(text) ?? [])

function connection(
  name: string,
  { review = [] as string[], confirm = [] as string[], folder = '', repository = 'rb' } = {},
): ConnectionSettings {
  const reviews = patternsOf(review).map((path) => ({ path, review: undefined }))
  const runbooks = { repository, path: folder, reviews, confirm: patternsOf(confirm) }
  return { name, runbooks } as unknown as ConnectionSettings
}

const unmatched = (settings: Partial<PathSettings>, known = KNOWN) =>
  unmatchedPaths({ connections: [], locks: [], ...settings }, known)

describe('a path of the settings', () => {
  test('that a file matches is not reported', () => {
    const connections = [connection('pg', { review: ['sql/danger-*'], confirm: ['ops/clean.runbook.sh'] })]
    const locks = [{ name: 'one', runbooks: patternsOf(['**', 'sql/*.sql']) }]
    expect(unmatched({ connections, locks })).toEqual([])
    const all = [{ name: 'one', runbooks: patternsOf(['**']) }]
    expect(unmatched({ connections: [connection('pg')], locks: all }, new Map([['rb', []]]))).toEqual([])
  })

  test.each([
    ['sql/dnager-*', ': did you mean sql/danger-*?'],
    ['sqll/**', ': did you mean sql/**?'],
    ['ops/claen.runbook.sh', ': did you mean ops/clean.runbook.sh?'],
    ['ops/*.sql', ''],
    ['elsewhere/and/far/**', ''],
  ])('that no file matches is reported with the nearest path: %s', (path, hint) => {
    expect(unmatched({ connections: [connection('pg', { confirm: [path] })] })).toEqual([
      `connection pg: runbooks.confirm: no runbook matches ${path}${hint}`,
    ])
  })

  test('of a connection counts only files below its own path', () => {
    const connections = [connection('pg', { review: ['sql/danger-*'], folder: 'ops/' })]
    expect(unmatched({ connections })).toEqual([
      'connection pg: runbooks.review: no runbook matches sql/danger-*',
    ])
  })

  test('of a lock counts the files of all connections of the lock', () => {
    const connections = [
      connection('pg', { folder: 'ops/' }),
      connection('far', { repository: 'far' }),
      { name: 'bare' } as unknown as ConnectionSettings,
    ]
    const lock = { name: 'one', runbooks: patternsOf(['sql/**']) }
    const told = (one: object, known?: Map<string, string[]>) =>
      unmatched({ connections, locks: [{ ...lock, ...one }] }, known)
    expect(told({ connections: ['pg', 'bare'] })).toEqual(['lock one: runbooks: no runbook matches sql/**'])
    expect(told({})).toEqual([])
    expect(told({}, new Map([...KNOWN, ['far', ['sql/x.sql']]]))).toEqual([])
  })

  test('is not reported while its repository is unknown', () => {
    expect(unmatched({ connections: [connection('pg', { confirm: ['nowhere'] })] }, new Map())).toEqual([])
  })

  test('is looked for only if a setting names one', () => {
    const all = { name: 'one', runbooks: patternsOf(['**']) }
    expect(hasPaths({ connections: [connection('pg')], locks: [all] })).toBe(false)
    expect(hasPaths({ connections: [connection('pg', { review: ['a'] })], locks: [] })).toBe(true)
    expect(hasPaths({ connections: [], locks: [{ ...all, runbooks: patternsOf(['a']) }] })).toBe(true)
  })
})

describe('the runbook of a schedule', () => {
  const told = (runbook: string, more: Partial<ScheduleSettings> = {}) => {
    const schedule = { name: 'nightly', connection: 'pg', runbook, ...more } as ScheduleSettings
    const connections = [
      connection('pg', { folder: 'ops/' }),
      { name: 'bare' } as unknown as ConnectionSettings,
      connection('far', { repository: 'far' }),
    ]
    return missingRunbooks({ schedules: [schedule], connections }, KNOWN)
  }

  test('is reported if it does not exist on its connection', () => {
    expect(told('ops/clean.runbook.sh')).toEqual([])
    expect(told('ops/clena.runbook.sh')).toEqual([
      'schedule nightly: runbook ops/clena.runbook.sh does not exist in ops/ of rb, so the schedule cannot run: did you mean ops/clean.runbook.sh?',
    ])
    expect(told('sql/free.sql')).toHaveLength(1)
    expect(told('x', { connection: 'bare' })).toEqual([
      'schedule nightly: runbook x: connection bare has no runbooks',
    ])
    expect(told('x', { connection: 'far' })).toEqual([])
    expect(told('x', { connection: 'unknown' })).toEqual([])
  })
})

test('a bug in the check of paths, for which nobody waits, is logged and ends nothing', async () => {
  const paths = () => Promise.reject(new RangeError('a bug'))
  const repositories = [{ name: 'rb', repository: { paths } as unknown as RunbookRepository }]
  const told: string[] = []
  const nothing = () => undefined
  const log = {
    ...{ debug: nothing, info: nothing, warn: nothing },
    error: (_: object, text: string) => void told.push(text),
  }
  const connections = [connection('pg', { confirm: ['ops/**'] })]
  await tellUnmatchedPaths(repositories, { connections, locks: [] }, log)
  expect(told).toEqual(['cannot check the paths of review, confirm and locks'])
})
