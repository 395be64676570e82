import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const text = readFileSync(path.join(root, 'SECURITY.md'), 'utf8')
/** Rows of the tables of claims, without their heads. */
const claims = text
  .split('\n')
  .filter((line) => /^\|[^|]+\|[^|]+\|$/.test(line) && !/^\| (claim|-)/.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()))
const testsIn = (words: string) => [...words.matchAll(/`(test\/[^`]+)`/g)].map(([, file = '']) => file)

test('every test that SECURITY.md names is there', () => {
  const named = testsIn(text)
  expect(named.length).toBeGreaterThan(30)
  expect(named.filter((file) => !existsSync(path.join(root, file)))).toEqual([])
})

test('every claim in SECURITY.md names a test, or says that it has none', () => {
  expect(claims.length).toBeGreaterThan(30)
  const bare = claims.filter(
    ([, claim = '', tests = '']) => testsIn(tests).length === 0 && !claim.includes('no test'),
  )
  expect(bare).toEqual([])
})
