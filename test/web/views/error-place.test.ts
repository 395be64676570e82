import { describe, expect, it } from 'vitest'
import { lineInText, sqlErrorIn } from '../../../web/src/views/script/error-place.ts'

const SCRIPT = 'select 1;\nselect 2;\n\nselect a\nfrom nowhere_table\nwhere x = 1;\nselect 3;\n'
// As psql 15 and the client of MariaDB print them for this script.
const PSQL = `ERROR:  relation "nowhere_table" does not exist\nLINE 2: from nowhere_table\n             ^\n`
const MARIADB = `ERROR 1064 (42000) at line 4: You have an error in your SQL syntax; check the manual that corresponds to your MariaDB server version for the right syntax to use near 'x\nwhere y' at line 2\n`

describe('the place of an SQL error', () => {
  it('is the line of the script whose text psql quotes', () => {
    expect(sqlErrorIn(PSQL, SCRIPT)).toEqual({
      message: 'relation "nowhere_table" does not exist',
      line: 5,
      place: 'line 5',
    })
    expect(sqlErrorIn(`NOTICE:  hello\n${PSQL}`, SCRIPT)?.line).toBe(5)
  })

  it('is a line of the statement if the script has the quoted text twice, or not at all', () => {
    const twice = `${SCRIPT}select b\nfrom nowhere_table;\n`
    expect(sqlErrorIn(PSQL, twice)).toMatchObject({ line: undefined, place: 'line 2 of its statement' })
    expect(sqlErrorIn(PSQL, 'select 1')?.line).toBeUndefined()
  })

  it('is found by the part of a long line that psql shows between dots', () => {
    const long = `select 1;\nselect ${'a, '.repeat(80)}nope from t;\n`
    const printed = `ERROR:  column "nope" does not exist\nLINE 1: ...nope from t;\n           ^\n`
    expect(sqlErrorIn(printed, long)?.line).toBe(2)
  })

  it('is the line where the text begins that MySQL quotes', () => {
    const script = 'select 1;\n\n-- c\nselect a\nfro x\nwhere y;\n'
    expect(sqlErrorIn(MARIADB, script)).toMatchObject({ line: 5, place: 'line 5' })
    expect(sqlErrorIn(MARIADB, `${script}${script}`)).toMatchObject({
      line: undefined,
      place: 'line 2 of the statement that begins at line 4',
    })
  })

  it('is the beginning of the statement if MySQL quotes nothing', () => {
    const printed = `ERROR 1146 (42S02) at line 4: Table 'a.b' doesn't exist\n`
    expect(sqlErrorIn(printed, SCRIPT)).toEqual({
      message: `Table 'a.b' doesn't exist`,
      line: undefined,
      place: 'the statement that begins at line 4',
    })
  })

  it('is that of the first error, and of nothing without a place', () => {
    expect(sqlErrorIn(`${PSQL}${PSQL.replaceAll('nowhere_table', 'other')}`, SCRIPT)?.line).toBe(5)
    expect(sqlErrorIn('ERROR:  division by zero\n', SCRIPT)).toBeUndefined()
    expect(sqlErrorIn('bash: nope: command not found\n', SCRIPT)).toBeUndefined()
  })

  it('is moved to the lines of the editor, if its text still has the script once', () => {
    expect(lineInText(SCRIPT, SCRIPT, 5)).toBe(5)
    expect(lineInText(`-- first\n${SCRIPT}`, SCRIPT, 5)).toBe(6)
    expect(lineInText(SCRIPT.replace('1', '7'), SCRIPT, 5)).toBeUndefined()
    expect(lineInText(`${SCRIPT}${SCRIPT}`, SCRIPT, 5)).toBeUndefined()
  })
})
