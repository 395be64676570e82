import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const text = readFileSync(path.join(root, 'SECURITY.md'), 'utf8')
/** Cells of each row of the tables of promises, without their heads. */
const promises = text
  .split('\n\n')
  .flatMap((block) => block.split('\n| what holds | where it stops | shown by |\n').slice(1))
  .flatMap((rows) => rows.trim().split('\n').slice(1))
  .map((row) => row.split('|').map((cell) => cell.trim()))

/** Tests of the last cell, which may be `folder/{one,other}` and leave out `test/` and `.test.ts`. */
function testsIn(cell: string): readonly string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].flatMap(([, name = '']) => {
    const [, before = '', choice, after = ''] = /^(.*)\{(.*)\}(.*)$/.exec(name) ?? ['', name]
    return (choice?.split(',') ?? ['']).map((one) => {
      const file = before + one + after
      return file.endsWith('.ts') ? `test/${file}` : `test/${file}.test.ts`
    })
  })
}

test('every test that a promise of SECURITY.md names is there', () => {
  const named = promises.flatMap(([, , , tests = '']) => (tests.startsWith('no test') ? [] : testsIn(tests)))
  expect(named.length).toBeGreaterThan(150)
  expect(named.filter((file) => !existsSync(path.join(root, file)))).toEqual([])
})

test('every promise in SECURITY.md has three cells, and names a test or says that it has none', () => {
  expect(promises.length).toBeGreaterThan(80)
  const bare = promises.filter(
    ([, promise, limit, tests = '', ...rest]) =>
      promise === '' ||
      limit === undefined ||
      rest.length !== 1 ||
      !/^(`[^`]+`(, |$))+$|^no test: /.test(tests),
  )
  expect(bare).toEqual([])
})
