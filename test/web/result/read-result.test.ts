import { describe, expect, it } from 'vitest'
import { finished, readTables } from '../../../web/src/result/read-result.ts'
import { TableBuilder } from '../../../web/src/result/table.ts'

function tablesIn(text: string, isCut = false) {
  return finished(readTables(text, isCut)).map(({ columns, rows }) => ({
    names: columns.map(({ name }) => name),
    rows,
  }))
}

const PSQL = ` id | name  |  total
----+-------+---------
  1 | Ada   |   12.50
  2 | Bob   |
  3 | a|b   | -1000.00
(3 rows)

`

const MYSQL = `+----+------+
| id | name |
+----+------+
|  1 | Ada  |
|  2 | NULL |
+----+------+
`

describe('what a database program draws', () => {
  it('reads a table of psql, with bars in its values', () => {
    expect(tablesIn(`BEGIN\n${PSQL}COMMIT\n`)).toEqual([
      {
        names: ['id', 'name', 'total'],
        rows: [
          ['1', 'Ada', '12.50'],
          ['2', 'Bob', ''],
          ['3', 'a|b', '-1000.00'],
        ],
      },
    ])
  })

  it('reads values of several lines, and keeps the blanks before a text', () => {
    const text =
      ' a  |    plan\n----+-------------\n x +| Sort       +\n y  |   ->  Scan\n z  | end\n(2 rows)\n'
    expect(tablesIn(text)).toEqual([
      {
        names: ['a', 'plan'],
        rows: [
          ['x\ny', 'Sort\n  ->  Scan'],
          ['z', 'end'],
        ],
      },
    ])
  })

  it('reads one column of psql only with the number of its rows', () => {
    expect(tablesIn(' count\n-------\n     5\n(1 row)\n')).toEqual([{ names: ['count'], rows: [['5']] }])
    expect(tablesIn(' Report\n-------\nall is well\n')).toEqual([])
    expect(tablesIn(' count\n-------\n     5\n(2 rows)\n')).toEqual([])
  })

  it('reads several result sets as several tables', () => {
    expect(tablesIn(PSQL + PSQL).map(({ rows }) => rows.length)).toEqual([3, 3])
    expect(tablesIn(MYSQL + MYSQL.replaceAll('name', 'town')).map(({ names }) => names[1])).toEqual([
      'name',
      'town',
    ])
  })

  it('reads a frame, and NULL in it', () => {
    expect(tablesIn(MYSQL)).toEqual([
      {
        names: ['id', 'name'],
        rows: [
          ['1', 'Ada'],
          ['2', null],
        ],
      },
    ])
    const box = '┌────┬──────┐\n│ id │ name │\n├────┼──────┤\n│ 1  │ Ada  │\n└────┴──────┘\n'
    expect(tablesIn(box)).toEqual([{ names: ['id', 'name'], rows: [['1', 'Ada']] }])
  })

  it('takes no frame for a table whose rows are not clear', () => {
    expect(tablesIn(MYSQL.replace('| Ada  |', '| Ada\nLovelace |'))).toEqual([])
    const grid = '+---+---+\n| a | b |\n+===+===+\n| 1 | x |\n|   | y |\n+---+---+\n| 2 | z |\n+---+---+\n'
    expect(tablesIn(grid)).toEqual([])
  })

  it('reads values whose masks have moved the columns, and nothing when a bar is in doubt', () => {
    const masked = PSQL.replace('Ada  ', '[NAME-OF-A-PERSON]')
    expect(tablesIn(masked)[0]?.rows[0]).toEqual(['1', '[NAME-OF-A-PERSON]', '12.50'])
    expect(tablesIn(PSQL.replace('a|b   |', 'a|b [PERSON] |'))).toEqual([])
  })

  it('reads expanded records of psql and mysql', () => {
    const expanded =
      '-[ RECORD 1 ]\nid   | 1\nname | Ada\n-[ RECORD 2 ]\nid   | 2\nname | Bob+\n     | Ross\n\n'
    const rows = [
      ['1', 'Ada'],
      ['2', 'Bob\nRoss'],
    ]
    expect(tablesIn(expanded)).toEqual([{ names: ['id', 'name'], rows }])
    const stars = '*'.repeat(27)
    const vertical = `${stars} 1. row ${stars}\n  id: 1\nname: a: b\n${stars} 2. row ${stars}\n  id: 2\nname: NULL\n`
    expect(tablesIn(vertical)).toEqual([
      {
        names: ['id', 'name'],
        rows: [
          ['1', 'a: b'],
          ['2', null],
        ],
      },
    ])
    expect(tablesIn(vertical.replace('name: NULL', 'town: NULL'))).toEqual([])
  })
})

describe('CSV and TSV', () => {
  it('reads quotes, signs and lines within them', () => {
    expect(tablesIn('id,name,note\n1,"Lovelace, Ada","a ""quote""\nof two lines"\n2,Bob,\n')).toEqual([
      {
        names: ['id', 'name', 'note'],
        rows: [
          ['1', 'Lovelace, Ada', 'a "quote"\nof two lines'],
          ['2', 'Bob', ''],
        ],
      },
    ])
    expect(tablesIn('id;name\r\n1;Ada\r\n')).toEqual([{ names: ['id', 'name'], rows: [['1', 'Ada']] }])
    expect(tablesIn('id\tname\n1\tNULL\n')).toEqual([{ names: ['id', 'name'], rows: [['1', null]] }])
  })

  it('reads a table whose values are all texts', () => {
    expect(tablesIn('name,city\nAda,London\nBob,New York\n')).toHaveLength(1)
    expect(tablesIn('First,Last,Town\nada,lovelace,london\n')).toHaveLength(1)
  })

  it('reads result sets that follow one another without a line between them', () => {
    const sets = tablesIn('id\tname\n1\tAda\n2\tBob\nid\tname\n3\tCy\nday\tcount\tsum\n2026-11-28\t5\t7.5\n')
    expect(sets.map(({ names, rows }) => [names.join(), rows.length])).toEqual([
      ['id,name', 2],
      ['id,name', 1],
      ['day,count,sum', 1],
    ])
    const alike = tablesIn('id\tname\n1\tAda\n2\tBob\ntown_id\tpeople\n3\t70000\n')
    expect(alike.map(({ names }) => names.join())).toEqual(['id,name', 'town_id,people'])
  })

  it('reads rows of psql -A with the number of rows below them, and only then', () => {
    expect(tablesIn('id|name\n1|Ada\n2|Bob\n(2 rows)\n')).toHaveLength(1)
    expect(tablesIn('id|name\n1|Ada\n2|Bob\n')).toEqual([])
    expect(tablesIn('id|name\n1|Ada\n2|Bob\n(3 rows)\n')).toEqual([])
  })

  it('has a title and other lines around a table', () => {
    expect(tablesIn('Orders of today\n\nid,total\n1,2.50\n2,3\n\nDone.\n')).toHaveLength(1)
  })
})

describe('JSON', () => {
  it('reads an array of objects, and keeps numbers as they are written', () => {
    const text =
      '[{"id": 12345678901234567890, "sum": 1.50, "note": null, "tags": ["a", {"b": 1}]},\n {"id": 2, "new": "x\\ty"}]'
    expect(tablesIn(text)).toEqual([
      {
        names: ['id', 'sum', 'note', 'tags', 'new'],
        rows: [
          ['12345678901234567890', '1.50', null, '["a", {"b": 1}]'],
          ['2', '', '', '', 'x\ty'],
        ],
      },
    ])
  })

  it('reads JSON lines, and objects of several lines', () => {
    expect(tablesIn('{"a":1}\n{"a":2}\n')).toEqual([{ names: ['a'], rows: [['1'], ['2']] }])
    expect(tablesIn('{\n  "a": 1\n}\n{\n  "a": 2\n}\n')).toEqual([{ names: ['a'], rows: [['1'], ['2']] }])
  })

  it('reads several arrays as several tables', () => {
    expect(tablesIn('[{"a":1}]\n[{"b":2},{"b":3}]\n').map(({ rows }) => rows.length)).toEqual([1, 2])
  })

  it.each([
    ['one object', '{"ok":true}'],
    ['numbers', '[1,2,3]'],
    ['a mixture', '[{"a":1},2]'],
    ['nothing', '[]'],
    ['text after it', '[{"a":1}] done'],
    ['an error in it', '[{"a":1},{"a":}]'],
    ['a text in brackets', '[INFO] begun\n[INFO] done\n'],
  ])('takes %s for no table', (_, text) => {
    expect(tablesIn(text)).toEqual([])
  })
})

describe('readTables', () => {
  it.each([
    ['a sentence', 'Hello, world\nGoodbye, moon\n'],
    ['a log', '2026-11-28 17:00:00,123 INFO begun\n2026-11-28 17:00:01,456 INFO done\n'],
    ['a log with tabs', 'INFO\tmain\tbegun here\nWARN\tdb\tslow query\n'],
    ['sizes of files', '4.0K\tetc\n8.0K\tvar\n'],
    ['names and values', 'name\tAda\nage\t36\ncity\tLondon\n'],
    ['variables', 'PATH\t/usr/bin\nHOME\t/root\n'],
    ['a program', 'f(a,b)\ng(c,d)\n'],
    ['lists of different lengths', 'a,b,c\n1,2\n3,4,5\n'],
    ['a row that does not fit', 'id,name\n1,Ada\n2\n3,Bob,x\n'],
    ['columns of blanks', 'NAME   READY  STATUS\nweb-1  1/1    Running\n'],
    ['a heading', 'Title\n-----\n\ntext\n'],
    ['names without rows', 'id,name\n'],
    ['a quote that does not end', 'id,name\n1,"Ada\n2,Bob\n'],
    ['nothing', ''],
    ['a difference', '--- a\n+++ b\n@@ -1 +1 @@\n-old,1\n+new,2\n'],
  ])('takes %s for no table', (_, text) => {
    expect(tablesIn(text)).toEqual([])
  })

  it('reads colours as nothing', () => {
    expect(tablesIn('\u001b[1;39m[{"a"\u001b[0m:1}]')).toHaveLength(1)
  })

  it('leaves out rows beyond a limit, and says how many', () => {
    const builder = new TableBuilder(['a'], 2)
    for (const cell of ['1', '2', '3', '4']) builder.add([cell])
    const { rows, leftOut } = builder.table()
    expect([rows.length, leftOut]).toEqual([2, 2])
  })
})

describe('an output that was cut', () => {
  it.each([
    ['CSV', 'id,name\n1,Ada\n2,Bo', 1],
    ['TSV', 'id\tname\n1\tAda\n2', 1],
    ['psql', PSQL.slice(0, PSQL.indexOf(' Bob') + 3), 1],
    ['a frame', MYSQL.slice(0, MYSQL.indexOf('NULL') + 2), 1],
    ['JSON', '[{"a":1},{"a":2},{"a"', 2],
  ])('leaves out the last row of %s, which is not whole', (_, text, rows) => {
    expect(tablesIn(text, true).map((table) => table.rows.length)).toEqual([rows])
  })
})
