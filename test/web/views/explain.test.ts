import { describe, expect, it } from 'vitest'
import { canExplain, explainScript } from '../../../web/src/views/script/explain.ts'

describe('Explain', () => {
  it.each([
    ['select 1', 'EXPLAIN select 1;'],
    [
      "-- why; slow\nselect * from a where b = 'x;y' ; \n",
      "EXPLAIN -- why; slow\nselect * from a where b = 'x;y' ;",
    ],
    ['WITH a AS (SELECT $$;$$) DELETE FROM "b;c"', 'EXPLAIN WITH a AS (SELECT $$;$$) DELETE FROM "b;c";'],
  ])('asks the server to explain %j', (text, script) => {
    const found = explainScript(text, 'postgres')
    expect('script' in found && found.script.replace(/\s*;$/, ' ;')).toBe(script.replace(/\s*;$/, ' ;'))
  })

  it.each([
    ['', 'Select a statement'],
    ['-- only a comment', 'Select a statement'],
    ['select 1; delete from a', 'several'],
    ["select 'a'';' ; drop table b", 'several'],
    ['analyze delete from a', 'explains only'],
    ['(verbose, analyze) delete from a', 'explains only'],
    ['begin', 'explains only'],
    ['select 1 \\gexec', 'a backslash or'],
    ['select 1 /*! into outfile */', 'a backslash or'],
    ["select 'a\\'; delete from b where c = ''", 'a backslash or'],
  ])('does not ask what would run something: %j', (text, reason) => {
    const found = explainScript(text, 'postgres')
    expect('why' in found && found.why).toContain(reason)
  })

  it('takes no comment of MySQL for one that it is not', () => {
    expect(explainScript('select 1--;delete from a', 'mysql')).toHaveProperty('why')
    expect(explainScript('select 1 -- ;delete from a', 'mysql')).toEqual({ script: 'EXPLAIN select 1;' })
  })

  it('knows comments of MySQL, and which servers explain', () => {
    expect(explainScript('select 1 # ; delete', 'mysql')).toHaveProperty('script')
    expect(['postgres', 'mysql', 'shell', 'mssql'].map((one) => canExplain(one as 'mysql'))).toEqual([
      ...[true, true],
      ...[false, false],
    ])
  })
})
