import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkBranch } from '../../../src/gateway/settings/repositories.ts'

function accepted(branch: string): boolean {
  try {
    checkBranch(branch)
    return true
  } catch {
    return false
  }
}

function acceptedByGit(branch: string): boolean {
  try {
    execFileSync('git', ['check-ref-format', `refs/heads/${branch}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

test.each(['main', 'release/1.x', 'feature/ünï-1', 'a.b', 'x@y', 'a-', 'refs/heads/x', '$(x)', "a'b"])(
  '%j is a branch',
  (branch) => {
    expect(accepted(branch)).toBe(true)
  },
)

test.each([
  ...['', '-x', '--upload-pack=x', '@', 'HEAD', 'a b', 'a..b', 'a.', '.a', 'x/.a', 'a.lock', 'a.lock/b'],
  ...[
    'a//b',
    '/a',
    'a/',
    'a~1',
    'a^',
    'a:b',
    'a?',
    'a*',
    'a[b',
    'a\\b',
    'a@{1}',
    'a\nb',
    'a\0',
    'a\x7f',
    'x'.repeat(245),
  ],
])('%j is refused', (branch) => {
  expect(accepted(branch)).toBe(false)
})

test('nothing is accepted that git refuses', () => {
  const piece = fc.constantFrom(
    'a',
    '/',
    '.',
    '..',
    '.lock',
    '@',
    '{',
    '-',
    '~',
    '^',
    ':',
    ' ',
    '\\',
    'ü',
    '*',
    '\t',
  )
  const branch = fc.array(piece, { minLength: 1, maxLength: 5 }).map((pieces) => pieces.join(''))
  const checked = fc.property(branch, (text) => !accepted(text) || acceptedByGit(text))
  fc.assert(checked, { numRuns: 300 })
})
