import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hidePasswords, type SqlDialect } from '../../src/wire/messages/hidden-passwords.ts'
import { MysqlStatements } from '../../src/wire/messages/mysql-statements.ts'

// `SECRET` in a text is in a literal and must be replaced together with the rest of the literal; `DROP` stands for
// SQL that may be executed, and has to stay. `|` begins and ends what is replaced.

const HIDDEN = '[REDACTED]'
const raw = String.raw

const expected = (marked: string) => marked.replaceAll(/\|[^|]*\|/g, HIDDEN)
const text = (marked: string) => marked.replaceAll('|', '')
const both: readonly SqlDialect[] = ['postgres', 'mysql']

describe('passwords in SQL are replaced', () => {
  it.each([
    "create role x password '|SECRET|'",
    "CREATE ROLE x WITH LOGIN ENCRYPTED PASSWORD '|SECRET|' VALID UNTIL 'DROP'",
    "alter user x password E'|a\\'SECRET|' nologin",
    "alter role x password U&'|\\0061SECRET|' uescape '!'",
    'alter group x password $$|SECRET|$$; select 1',
    "alter role x password $a$|it's $$ SECRET|$a$",
    "alter role x password '|a''SECRET|'; drop table t; create role y password '|SECRET|'",
    "alter role x password '|SEC|'\n -- in two lines\n '|RET|'",
    "create /* the */ role x -- new\r password /* is /* nested */ ' */ '|SECRET|'",
    "create user mapping for u server s options (user 'u', password '|SECRET|')",
    `alter server s options (set "password" '|SECRET|')`,
    "create foreign data wrapper f options (password '|SECRET|')",
    "do $$ begin if a then alter role x password '|SECRET|'; end if; end $$",
    "create or replace function f() returns void as $f$ create role x password '|SECRET|' $f$ language sql",
    "select 'it''s', \"a'b\", B'1', $x$ ' $x$; alter role x password '|SECRET|'",
  ])('of PostgreSQL: %s', (marked) => {
    expect(hidePasswords(text(marked), 'postgres', false)).toBe(expected(marked))
  })

  it.each([
    "create user 'u'@'%' identified by '|SECRET|'",
    'CREATE OR REPLACE USER u IDENTIFIED BY "|SECRET|" password expire',
    "alter user u identified by password '|*SECRET|'",
    "alter user u identified with 'plugin' by '|SECRET|' replace '|SECRET|' retain current password",
    "create user u identified with plugin as '|$A$SECRET|', v identified by '|SECRET|'",
    "create user u identified via plugin using password('|SECRET|')",
    "grant all on *.* to u identified by '|SECRET|' with grant option",
    "set password = '|SECRET|'",
    "set password for 'u'@'h' = password('|SECRET|')",
    'set password for u = old_password("|SECRET|") , @a = \'DROP\'',
    "set password = '|SECRET|' replace '|SECRET|'",
    "create server s foreign data wrapper mysql options (user 'u', password '|SECRET|')",
    "change master to master_user = 'u', master_password='|SECRET|'",
    "create # ' \n user -- '\n u /* ' */ identified/**/by'|SECRET|'",
    "select 1--'DROP'; create user u identified by '|SECRET|'",
    "/*!50001 create user u identified by '|SECRET|' */; alter user u identified by '|SECRET|'",
    "create procedure p() begin alter user u identified by '|SECRET|'; end",
  ])('of MySQL and MariaDB: %s', (marked) => {
    expect(hidePasswords(text(marked), 'mysql', false)).toBe(expected(marked))
  })

  it('where the end of the record cuts the literal', () => {
    expect(hidePasswords("create role x password 'SECR", 'postgres', true)).toBe(
      `create role x password '${HIDDEN}`,
    )
    const body = "do language plpgsql $$ begin create role x password 'SECR"
    expect(hidePasswords(body, 'postgres', true)).toBe(body.replace('SECR', HIDDEN))
    expect(hidePasswords('alter user u identified by "SECR', 'mysql', true)).toBe(
      `alter user u identified by "${HIDDEN}`,
    )
    const query = Buffer.from(`\u0003create user u identified by '${'x'.repeat(20_000)}'`)
    const head = Buffer.alloc(4)
    head.writeUIntLE(query.length, 0, 3)
    const [found] = new MysqlStatements().push(Buffer.concat([head, query]))
    expect(found).toMatchObject({ text: `create user u identified by '${HIDDEN}... (20031 bytes)` })
  })
})

describe('SQL that may be executed is never replaced', () => {
  it.each([
    // Not in a statement that sets passwords: a cast to a type, a language, a column.
    "select query_to_xml(password 'DROP', true, true, '')",
    'do language password $$DROP$$',
    "select alter role, f(password 'DROP') from t",
    "update t set password = 'DROP'; prepare s as select password 'DROP'",
    // In a text, a comment or a name.
    `select ' create role x password ''DROP'' ', "; create role x password 'DROP'"`,
    "/* create role x password ' */ DROP -- '\n; DROP",
    "-- create role x password '\n DROP /* ' */",
    // The body may be of another language, or be data.
    "do language plpython3u $$ #;create role x password '\nDROP()# ' $$",
    "do $$ begin; create role x password 'DROP' $$ language plpython3u",
    "create function f(a text default $$create role x password 'DROP'$$) language sql as 'select 1'",
    "create function f() as $$; create role x password 'DROP'; $$",
  ])('by PostgreSQL: %s', (sql) => {
    expect(hidePasswords(sql, 'postgres', false)).toBe(sql)
  })

  it.each([
    "/*!99999 set password = ' */ DROP -- '",
    "/*!99999 set password = ' */ DROP /* ' */",
    "prepare s from /*!99999 1; create user u identified by */ 'DROP'",
    "/*!99999 '/*' */ create user u identified by ' */ DROP '",
    "/*!99999 # */\n create user u identified by 'DROP'",
    "set @password = 'DROP'; update t set password = 'DROP'",
    "select password('DROP'), db.password('DROP')",
    "create user u comment 'DROP' attribute 'DROP'",
    "select 1 --\u007f; create user u identified by '\n DROP; '",
    "select \ufffd` , ' `; create user u identified by ' , DROP , '",
    raw`select '\ufffd\\'; create user u identified by ' , DROP , '`.replace(raw`\ufffd`, '\ufffd'),
  ])('by MySQL and MariaDB: %s', (sql) => {
    expect(hidePasswords(sql, 'mysql', false)).toBe(sql)
  })

  it.each(both)('by the shorter reading of a backslash, and nothing behind it (%s)', (dialect) => {
    const opening = dialect === 'mysql' ? 'alter user u identified by' : 'alter role u password'
    const sql = raw`${opening} 'a\'; DROP; ${opening} ' DROP; --'`
    expect(hidePasswords(sql, dialect, false)).toBe(sql.replace(raw`a\'`, `${HIDDEN}'`))
    const earlier = raw`select 'a\'; ${opening} ' DROP; --'`
    expect(hidePasswords(earlier, dialect, false)).toBe(earlier)
  })

  it('by a client whose encoding has a backslash in a character', () => {
    const sql = "alter role x password E'\ufffd\\'; DROP; --'"
    expect(hidePasswords(sql, 'postgres', false)).toBe(sql.replace('\ufffd\\', HIDDEN))
  })
})

const gaps = [' ', '\n', '\t', '/* , */', " /* ' */ "]
const gap = fc.array(fc.constantFrom(...gaps), { minLength: 1, maxLength: 3 }).map((all) => all.join(''))
const password = fc.string({
  minLength: 4,
  maxLength: 20,
  unit: fc.constantFrom('a', 'X', '0', ' ', ';', '-', '#', '*', '/', '"', '.', ',', '('),
})
const quoted =
  (open: string, close = open) =>
  (secret: string) =>
    [open, secret, close] as const

interface Form {
  readonly dialect: SqlDialect
  readonly words: readonly string[]
  readonly literal: (secret: string) => readonly [open: string, secret: string, close: string]
}
const FORMS: readonly Form[] = [
  ...["'", "E'", "U&'", '$$', '$t$'].map((open) => ({
    ...{ dialect: 'postgres' as const, words: ['create', 'ROLE', 'r', 'encrypted', 'Password'] },
    literal: quoted(open, open.startsWith('$') ? open : "'"),
  })),
  ...[
    ['create', 'user', 'u', 'identified', 'by'],
    ['grant', 'usage', 'on', '*.*', 'to', 'u', 'identified', 'BY', 'password'],
    ['set', 'password', '='],
  ].map((words) => ({ dialect: 'mysql' as const, words, literal: quoted("'") })),
]

it('a password in any form is replaced, and everything else is as it was', () => {
  const noise = fc.constantFrom(
    '',
    'select 1;',
    'select \'create role x\', "y" ;',
    '/* password */',
    '-- x\n',
  )
  fc.assert(
    fc.property(
      ...[fc.constantFrom(...FORMS), password, noise, noise, fc.array(gap, { minLength: 10, maxLength: 10 })],
      ({ dialect, words, literal }, secret, before, after, between) => {
        const [open, inside, close] = literal(secret)
        const head = before + words.map((word, at) => word + String(between[at])).join('') + open
        const tail = `${close};${after}`
        expect(hidePasswords(head + inside + tail, dialect, false)).toBe(head + HIDDEN + tail)
      },
    ),
    { numRuns: 1000 },
  )
})

it('whatever the text is, only literals are replaced, and what is replaced has no quote outside', () => {
  const tokens = fc.constantFrom(
    ...[
      'create ',
      'role ',
      'user ',
      'password ',
      'identified ',
      'by ',
      'set ',
      '= ',
      "'",
      '"',
      '`',
      '\\',
      '$$',
    ],
    ...['/*', '/*!', '*/', '--', '#', '\n', ';', 'do ', 'a', '\u00e9', 'E', '$t$', '(', 'begin '],
  )
  fc.assert(
    fc.property(fc.constantFrom(...both), fc.array(tokens, { maxLength: 60 }), (dialect, parts) => {
      const sql = `create user u password${parts.join('')}`
      const shown = hidePasswords(sql, dialect, false).split(HIDDEN)
      let at = 0
      for (const piece of shown) {
        const found = sql.indexOf(piece, at)
        expect(found).toBeGreaterThanOrEqual(at)
        at = found + piece.length
      }
      expect(sql.startsWith(shown[0] ?? '')).toBe(true)
      expect(sql.endsWith(shown.at(-1) ?? '')).toBe(true)
      for (const piece of shown.slice(0, -1)) expect(piece).toMatch(/['"$]$/)
    }),
    { numRuns: 1000 },
  )
})

it('large texts with many beginnings are read to their end', () => {
  const parts = [
    "'a'",
    '/*!1*/',
    '/*',
    '$a$',
    'language x ',
    "create role x password 'a';",
    "E'\\",
    '--\n',
    '$',
  ]
  for (const dialect of both)
    for (const part of parts) {
      const sql = `create role x password ${part.repeat(16_384 / part.length)}`
      expect(hidePasswords(sql, dialect, true).length).toBeGreaterThan(0)
    }
})
