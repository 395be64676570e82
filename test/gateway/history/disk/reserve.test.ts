import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Reserve } from '../../../../src/gateway/history/disk/reserve.ts'

let folder: string

beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'reserve-'))))
afterEach(() => rmSync(folder, { recursive: true }))

test('the reserve keeps an end with who has ended it and what was masked, and without it when that is too long', () => {
  const endedAt = new Date(1_790_000_000_000)
  const beganAt = new Date(1_789_999_999_000)
  const numbers = { exitCode: 3, truncatedBytes: 2 ** 40, redactedBytes: 2 ** 40, endedAt }
  const masking = (types: number) =>
    JSON.stringify({ info_types: Object.fromEntries(Array.from({ length: types }, (_, i) => [`T${i}`, 1])) })
  const id = (letter: string, length: number) => letter.repeat(length)
  const path = join(folder, 'ends')
  const reserve = new Reserve(path)
  const cause = { code: 'session-killed', by: 'ann' }
  expect(reserve.put('none', numbers)).toBe(true)
  expect(reserve.put('cause', { ...numbers, beganAt, cause, masking: masking(60) })).toBe(true)
  expect(reserve.put(id('a', 36), { ...numbers, masking: masking(9) })).toBe(true)
  expect(reserve.put(id('b', 36), { ...numbers, masking: masking(60) })).toBe(true)
  expect(reserve.put(id('"', 200), { ...numbers, beganAt, masking: masking(1) })).toBe(true)
  reserve.close()
  const again = new Reserve(path)
  expect([...again.ends]).toStrictEqual([
    ['none', numbers],
    ['cause', { ...numbers, cause, beganAt }],
    [id('a', 36), { ...numbers, masking: masking(9) }],
    [id('b', 36), numbers],
    [id('"', 200), numbers],
  ])
  again.close()
})
