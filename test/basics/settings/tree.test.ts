import { describe, expect, test } from 'vitest'
import { SettingsError } from '../../../src/basics/settings/problems.ts'
import { readTree } from '../../../src/basics/settings/tree.ts'

function read(text: string): unknown {
  const { tree, problems } = readTree(text, 'f')
  problems.throwIfAny()
  return tree
}

const refusal = (text: string): string => {
  try {
    read(text)
  } catch (error) {
    if (error instanceof SettingsError) return error.message
    throw error
  }
  return 'accepted'
}

test('every scalar is the text that was written; one left empty is null', () => {
  const text =
    'a: 0x10\nb: yes\nc: 1.0\nd: ~\ne: null\nf:\ng: ""\nh:\n  - 1\n  -\n  - x\ni: |\n  two\n  lines\n'
  expect(read(text)).toEqual({
    a: '0x10',
    b: 'yes',
    c: '1.0',
    d: '~',
    e: 'null',
    f: null,
    g: '',
    h: ['1', null, 'x'],
    i: 'two\nlines\n',
  })
})

describe('aliases', () => {
  test('stand for the anchor before them, also after it was used again', () => {
    expect(read('a: &x 1\nb: *x\nc: &x 2\nd: *x')).toEqual({ a: '1', b: '1', c: '2', d: '2' })
    expect(read('a: &x [&y 1]\nb: &y 2\nc: *x\nd: *y')).toEqual({ a: ['1'], b: '2', c: ['1'], d: '2' })
  })

  test('without an anchor before them are refused', () => {
    expect(refusal('a: *x\nb: &x 1')).toBe('f:1:4 a: unknown alias: no anchor before it has this name')
  })

  test('cannot stand for something they are part of', () => {
    expect(refusal('a: &x [*x]')).toBe('f:1:1: an alias contains itself')
  })

  test('cannot multiply: a billion laughs is refused', () => {
    const levels = Array.from(
      { length: 10 },
      (_, i) => `l${i + 1}: &l${i + 1} [${`*l${i}, `.repeat(9)}*l${i}]`,
    )
    expect(refusal(['l0: &l0 lol', ...levels].join('\n'))).toBe('f:1:1: aliases are used more than 100 times')
  })
})

describe('a file made to hurt is refused', () => {
  test.each([
    ['very many brackets', '['.repeat(100_000)],
    ['very many braces', '{'.repeat(100_000)],
    ['lists in one line, which exhaust the stack of the YAML library', '- '.repeat(100_000)],
    ['keys in one line', '? '.repeat(100_000)],
    ['lists and keys', '- ? '.repeat(50_000)],
    ['a staircase', Array.from({ length: 1000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')],
  ])('for its depth: %s', (_title, text) => {
    expect(refusal(text)).toBe('f:1:1: settings are nested more than 20 deep')
  })

  test('for its number of settings', () => {
    expect(refusal(`a: [${'x, '.repeat(50_000)}]`)).toBe('f:1:1: there are more than 50000 settings')
  })

  test('for the first of 40,000 equal names that comes again', () => {
    expect(refusal('a:\n'.repeat(40_000))).toMatch(/f:2:1: this name is used twice/)
  })
})
