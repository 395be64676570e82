import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Statement } from '../../../web/src/api/types.ts'
import { arrangedStatements, sqlOf, type Order } from '../../../web/src/views/sessions/statement-list.ts'

const statement = (query: string, more: Partial<Statement> = {}): Statement => ({
  ...{ connection: '1', query, time: '2026-11-29T08:00:00.000Z', state: 'done' },
  ...{ duration_ms: 1.5, rows: 3, error: null, error_text: null },
  ...more,
})
const SLOW = statement('select 1 -- why', { duration_ms: 900, time: '2026-11-29T08:00:01.000Z' })
const FEW = statement('select 3', { rows: 0, time: '2026-11-29T08:00:02.000Z' })
const WRONG = statement('drop table t;', {
  ...{ state: 'failed', rows: null, error: '42501', error_text: 'must be owner of table t' },
})
const OPEN = statement('select 2', { state: 'running', duration_ms: null, rows: null })

describe('the list of statements of a native client', () => {
  const all = [OPEN, WRONG, SLOW, FEW]
  const arranged = (order: Order, choice = '', fits: (text: string) => boolean = () => true) =>
    arrangedStatements(all, { fits, choice, order })

  it('is sorted by each column both ways, with missing values last', () => {
    expect(arranged('')).toEqual(all)
    expect(arranged('newest')).toEqual([FEW, SLOW, OPEN, WRONG])
    expect(arranged('slowest')).toEqual([SLOW, WRONG, FEW, OPEN])
    expect(arranged('fastest')).toEqual([WRONG, FEW, SLOW, OPEN])
    expect(arranged('rows')).toEqual([SLOW, FEW, OPEN, WRONG])
    expect(arranged('fewest')).toEqual([FEW, SLOW, OPEN, WRONG])
    expect(arranged('errors')).toEqual([WRONG, OPEN, SLOW, FEW])
  })

  it('is searched by text, state, and the code and text of an error, and has choices', () => {
    expect(arranged('', '', (text) => text.includes('error 42501: must be owner'))).toEqual([WRONG])
    expect(arranged('', '', (text) => text.includes('running'))).toEqual([OPEN])
    expect(arranged('', 'errors')).toEqual([WRONG])
    expect(arranged('', 'slow')).toEqual([SLOW])
    expect(arranged('', 'no such choice')).toEqual(all)
  })
})

describe('the SQL of a native client', () => {
  it('has the time, the user and the end above each statement, and ends it also behind a comment', () => {
    expect(sqlOf([SLOW, statement('select 4;', { rows: null })], 'bea')).toBe(
      [
        '-- 2026-11-29T08:00:01.000Z bea, connection 1, done, 900 ms, 3 rows\nselect 1 -- why\n;\n',
        '-- 2026-11-29T08:00:00.000Z bea, connection 1, done, 1.5 ms\nselect 4;\n',
      ].join('\n'),
    )
    expect(sqlOf([statement('select 1 -- why;')], 'bea')).toContain('\nselect 1 -- why;\n;\n')
  })

  it('has as a comment what the server has not understood, what is no SQL, and what was cut or is open', () => {
    for (const one of [
      WRONG,
      OPEN,
      statement('select 1 \\! touch x\nsystem touch y', { state: 'failed', error: '1064' }),
      statement('select 1', { state: 'skipped' }),
      statement('(execute S_1)'),
      statement("insert into t values ('a\nb... (20000 bytes)"),
      statement('select 1 /* and the rest'),
    ])
      for (const line of sqlOf([one], 'bea').split('\n')) expect(line).toMatch(/^(?:-- |$)/)
  })

  it('lets nothing break out of a comment', () => {
    const any = fc.string({
      unit: fc.constantFrom('\n', '\r', '\u2028', '\u0085', '\0', '\v', '*/', '/*', '--', ';', 'x'),
    })
    fc.assert(
      fc.property(any, any, any, (query, user, said) => {
        const failed = statement(query, {
          state: 'failed',
          error: '42601',
          error_text: said,
          connection: said,
        })
        const lines = sqlOf([failed], user).split(/[\n\r\u2028\u2029]/)
        for (const line of lines) expect(line).toMatch(/^(?:--|$)/)
      }),
    )
  })
})
