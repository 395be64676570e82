import { describe, expect, it } from 'vitest'
import { cutAt, fileToColour } from '../../../web/src/parts/marks.ts'

type Pieces = Parameters<typeof cutAt>[0]

const shown = (pieces: Pieces, marks: Parameters<typeof cutAt>[1]) =>
  cutAt(pieces, marks).map(({ mark, pieces: cut }) => [mark?.names[0], cut.map(({ text }) => text).join('')])

describe('marks in a script', () => {
  it('are where they say, also on both sides of the edge of a colour', () => {
    const pieces = [
      { kind: 'w', text: 'SELECT' },
      { kind: undefined, text: ' ' },
      { kind: 't', text: "'a b'" },
      { kind: undefined, text: ' ' },
      { kind: 'c', text: '-- c' },
    ] as const
    const marks = [
      { start: 8, end: 9, names: ['x'] },
      { start: 10, end: 15, names: ['y'] },
    ]
    expect(shown(pieces, marks)).toEqual([
      [undefined, "SELECT '"],
      ['x', 'a'],
      [undefined, ' '],
      ['y', "b' --"],
      [undefined, ' c'],
    ])
  })

  it('lose no text, whatever the marks are', () => {
    const marks = [
      { start: 2, end: 4, names: [] },
      { start: 3, end: 6, names: [] },
      { start: 5, end: 99, names: ['z'] },
    ]
    const stretches = shown([{ kind: undefined, text: '0123456789' }], marks)
    expect(stretches.map(([, text]) => text).join('')).toBe('0123456789')
    expect(stretches.at(-1)).toEqual(['z', '56789'])
  })
})

it.each([
  [{ runbook: undefined }, { type: 'database', connection_subtype: 'postgres' }, 'script.sql'],
  [{ runbook: undefined }, { type: 'custom', connection_subtype: '' }, ''],
  [{ runbook: { file: 'a.runbook.sh' } }, { type: 'database', connection_subtype: 'mysql' }, 'a.runbook.sh'],
  [{ runbook: { file: 'a.runbook' } }, { type: 'database', connection_subtype: 'mysql' }, 'script.sql'],
])('a script has the colours of its file, or of its connection: %o %o', (review, session, file) => {
  expect(fileToColour(review, session)).toBe(file)
})
