import { describe, expect, it } from 'vitest'
import { canExplain, explainScript } from '../../../web/src/views/script/explain.ts'

describe('Explain', () => {
  it.each([
    ['select 1', 'EXPLAIN select 1;'],
    [
      "-- why; slow\nselect * from a where b = 'x;y' ; \n",
      "EXPLAIN -- why; slow\nselect * from a where b = 'x;y' ;",
    ],
    ['WITH a AS (SELECT $$b$$) DELETE FROM "c"', 'EXPLAIN WITH a AS (SELECT $$b$$) DELETE FROM "c";'],
    ['select ";" /* why; slow */', 'EXPLAIN select ";";'],
    ['/* why */\n/**/ select 1', 'EXPLAIN /* why */\n/**/ select 1;'],
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
    ['select 1 \\gexec', 'a backslash'],
    ['select 1 /*! into outfile */', 'a backslash'],
    ["select 'a\\'; delete from b where c = ''", 'a backslash'],
  ])('does not ask what would run something: %j', (text, reason) => {
    const found = explainScript(text, 'postgres')
    expect('why' in found && found.why).toContain(reason)
  })

  it.each([
    ['a comment within a comment', "select 1 /* /* */ ' */; drop table t; --'"],
    ['a comment within a comment, before the statement', "/* /* */ select ' */ analyze delete from t --'"],
    ['another statement after its own end of a comment', '/* /* */ select 1 */ analyze delete from t'],
    ['a text between dollars with a digit', "select $a1$ ' $a1$; drop table t; --'"],
    ['a name that ends in dollars', 'select 1 as \u00e9$$; drop table t; select 1 as \u00e9$$'],
    ['a backtick, which is an operator', 'select 1 ` ; drop table t; select 1 `'],
    ['a comment that ends with a carriage return', 'select 1 -- \r; drop table t; select 2\n+ 1'],
    ['a NUL, after which the client reads no more of the line', "select 'a\0'\n'; drop table t; '"],
  ])('sends PostgreSQL nothing that would run because of %s', (_, text) => {
    expect(explainScript(text, 'postgres')).toHaveProperty('why')
  })

  it.each([
    ['a name of dollars', 'select 1 $$; drop table t; select 1 $$'],
    ['a command of the client', 'select 1 DELIMITER x\ndrop table t x'],
    ['a comment that needs another blank', 'select 1 --\u00a0; drop table t; select 2\n+ 1'],
    ['a comment that only MariaDB runs', '/*M!100100 format=json */ select 1'],
  ])('sends MySQL nothing that would run because of %s', (_, text) => {
    expect(explainScript(text, 'mysql')).toHaveProperty('why')
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
