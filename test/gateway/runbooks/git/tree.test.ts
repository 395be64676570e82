import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RunbookError } from '../../../../src/gateway/refusals/runbook-errors.ts'
import { splitPath } from '../../../../src/gateway/runbooks/git/tree.ts'

test('a path is taken apart into plain names or refused, whatever it is', () => {
  const piece = fc.oneof(
    fc.string(),
    fc.constantFrom('/', '..', '.', '//', '\0', '\n', '\\', '.git', '~', '-'),
  )
  const path = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''))
  const checked = fc.property(path, (text) => {
    let components: string[]
    try {
      components = splitPath(text)
    } catch (error) {
      expect(error).toBeInstanceOf(RunbookError)
      return
    }
    expect(components.join('/')).toBe(text)
    for (const component of components) expect(['', '.', '..']).not.toContain(component)
  })
  fc.assert(checked)
})

test('a refused path is quoted, so that no control character reaches a log or a terminal', () => {
  expect(() => splitPath('a\u001b[31m\nb')).toThrow(
    /^runbook file "a\\u001b\[31m\\nb" contains a control character$/,
  )
})

test('a name that starts with a dash, a dot or a drive is an ordinary name', () => {
  expect(splitPath('-rf/.hidden/C:\\x/..a')).toEqual(['-rf', '.hidden', 'C:\\x', '..a'])
})
