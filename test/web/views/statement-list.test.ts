import { describe, expect, it } from 'vitest'
import type { Statement } from '../../../web/src/api/types.ts'
import { arrangedStatements, sqlOf } from '../../../web/src/views/sessions/statement-list.ts'

const statement = (query: string, more: Partial<Statement> = {}): Statement => ({
  ...{ connection: '1', query, time: '2026-11-29T08:00:00.000Z', state: 'done' },
  ...{ duration_ms: 1.5, rows: 3, error: null, error_text: null },
  ...more,
})
const SLOW = statement('select 1 -- why', { duration_ms: 900 })
const WRONG = statement('drop table t;', { state: 'failed', rows: null, error: '42501' })
const OPEN = statement('select 2', { state: 'running', duration_ms: null, rows: null })

describe('the list of statements of a native client', () => {
  it('is searched by text and error, and sorted with missing values last', () => {
    const all = [OPEN, WRONG, SLOW]
    const arranged = (order: string) => arrangedStatements(all, () => true, order)
    expect(arranged('slowest')).toEqual([SLOW, WRONG, OPEN])
    expect(arranged('rows')).toEqual([SLOW, OPEN, WRONG])
    expect(arranged('errors')).toEqual([WRONG, OPEN, SLOW])
    expect(arranged('no such order')).toEqual(all)
    expect(arrangedStatements(all, (text) => text.includes('error 42501'), '')).toEqual([WRONG])
  })

  it('becomes SQL in which every statement ends, also behind a comment', () => {
    expect(sqlOf([SLOW, WRONG, OPEN])).toBe(
      [
        '-- 2026-11-29T08:00:00.000Z connection 1, done, 900 ms, 3 rows\nselect 1 -- why\n;\n',
        '-- 2026-11-29T08:00:00.000Z connection 1, error 42501, 1.5 ms\ndrop table t;\n',
        '-- 2026-11-29T08:00:00.000Z connection 1, running\nselect 2;\n',
      ].join('\n'),
    )
  })

  it('becomes SQL in which a statement that was cut is a comment', () => {
    expect(sqlOf([statement("insert into t values ('a\nb... (20000 bytes)")])).toContain(
      "\n-- insert into t values ('a\n-- b... (20000 bytes)\n",
    )
  })
})
