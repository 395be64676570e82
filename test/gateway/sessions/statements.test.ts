import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { packet } from '../../../src/agent/native/mysql/login.ts'
import type { History } from '../../../src/gateway/history/history.ts'
import { SessionRecord } from '../../../src/gateway/sessions/session-record.ts'
import { MysqlMeasure } from '../../../src/gateway/sessions/statements/mysql.ts'
import { PostgresMeasure } from '../../../src/gateway/sessions/statements/postgres.ts'
import { beginLine, endLine, StatementReader } from '../../../src/gateway/sessions/statements/lines.ts'
import type { StatementNotes } from '../../../src/gateway/sessions/statements/running.ts'
import { Redaction } from '../../../src/policy/redaction/redactor.ts'
import type { SessionId } from '../../../src/wire/messages/message.ts'
import { greeting } from '../../support/native/scripted-mysql.ts'

type Direction = 'client' | 'server'
type Talk = readonly (readonly [from: Direction, bytes: Buffer])[]

function pg(type: string, content: string | Buffer = ''): Buffer {
  const head = Buffer.from(`${type}....`)
  const bytes = Buffer.from(content)
  head.writeUInt32BE(bytes.length + 4, 1)
  return Buffer.concat([head, bytes])
}

const STARTUP = Buffer.concat([Buffer.from([0, 0, 0, 14, 0, 3, 0, 0]), Buffer.from('user\0\0')])
const parse = (name: string, sql: string) => pg('P', `${name}\0${sql}\0\0\0`)
const bind = (portal: string, name: string) => pg('B', `${portal}\0${name}\0\0\0\0\0\0\0`)
const execute = (portal = '') => pg('E', `${portal}\0\0\0\0\0`)
const sync = pg('S')
const [parsed, bound, ready] = [pg('1'), pg('2'), pg('Z', 'I')]
const tag = (text: string) => pg('C', `${text}\0`)
const error = (code: string) => pg('E', `SERROR\0VERROR\0C${code}\0Mno such table, for now: t\0Drow (1)\0\0`)
const [client, server] = [
  (...all: readonly Buffer[]) => ['client', Buffer.concat(all)] as const,
  (...all: readonly Buffer[]) => ['server', Buffer.concat(all)] as const,
]

const POSTGRES: Talk = [
  client(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])),
  server(Buffer.from('N')),
  client(STARTUP),
  server(pg('R', Buffer.alloc(4)), pg('S', 'a\0b\0'), pg('K', Buffer.alloc(8)), ready),
  client(pg('Q', 'insert; select\0')),
  server(tag('INSERT 0 5'), pg('T', 'rows'), pg('D', 'row'), pg('D', 'row'), tag('SELECT 2'), ready),
  client(pg('Q', ';\0'), pg('Q', 'begin\0')),
  server(pg('I'), ready, tag('BEGIN'), ready),
  // A pipeline: one is prepared alone, one fails, and the rest up to Sync is skipped.
  client(
    parse('kept', 'select kept'),
    parse('', 'select a'),
    bind('', ''),
    execute(),
    parse('', 'select bad'),
  ),
  client(bind('', ''), execute(), parse('', 'select c'), bind('', ''), execute(), sync),
  server(parsed, parsed, bound, pg('D', 'row'), tag('SELECT 1'), error('42P01'), ready),
  client(bind('p', 'kept'), execute('p'), sync),
  server(bound, pg('D', 'row'), pg('D', 'row'), pg('s'), ready),
  client(execute('p'), sync),
  server(pg('D', 'row'), tag('SELECT 1'), ready),
  // As libpq sends it: the first Sync is before the data, and the server skips it.
  client(parse('', 'copy in'), bind('', ''), execute(), sync),
  server(parsed, bound, pg('G', '\0\0\0')),
  client(pg('d', 'data'), pg('c'), sync),
  server(tag('COPY 7'), ready),
  client(pg('Q', 'select sleep\0')),
]
const OF_POSTGRES = [
  ['insert; select', 'done', 7, undefined],
  [';', 'done', undefined, undefined],
  ['begin', 'done', undefined, undefined],
  ['select kept', 'prepared', undefined, undefined],
  ['select a', 'done', 1, undefined],
  ['select bad', 'done', undefined, '42P01: no such table, for now: t'],
  ['select c', 'skipped', undefined, undefined],
  ['(execute kept)', 'done', 2, undefined],
  ['(execute kept)', 'done', 1, undefined],
  ['copy in', 'done', 7, undefined],
  ['select sleep', 'unfinished', undefined, undefined],
]

const EOF = (state = 0) => Buffer.from([0xfe, 0, 0, state, 0])
const ok = (affected: number, state = 0) => Buffer.from([0, affected, 0, state, 0, 0, 0])
/** Packets of one answer, numbered. */
const answer = (...all: readonly Buffer[]) => server(...all.map((one, at) => packet(at + 1, one)))
const command = (code: number, text: string | Buffer = '') =>
  client(packet(0, Buffer.concat([Buffer.from([code]), Buffer.from(text)])))
const row = Buffer.from('\x01x')
const id = Buffer.from([9, 0, 0, 0])

const MYSQL: Talk = [
  server(packet(0, greeting('mysql_native_password', false))),
  client(packet(1, Buffer.alloc(60))),
  server(packet(2, ok(0))),
  command(0x03, 'select'),
  answer(Buffer.from([2]), row, row, EOF(), ...Array<Buffer>(600).fill(row), EOF()),
  command(0x03, 'insert; select'),
  answer(ok(3, 8), Buffer.from([1]), row, EOF(), row, EOF()),
  command(0x0e),
  answer(ok(0)),
  command(0x16, 'select ?'),
  answer(Buffer.concat([Buffer.from([0]), id, Buffer.from([1, 0, 1, 0, 0, 0, 0])]), row, EOF(), row, EOF()),
  command(0x17, id),
  answer(Buffer.from([0xff, 0x28, 0x04, ...Buffer.from('#42000not SQL, at all')])),
  command(0x17, id),
  answer(Buffer.from([1]), row, EOF(0x40)),
  command(0x1c, id),
  answer(row, row, EOF()),
  command(0x19, id),
  command(0x03, 'alter'),
  answer(Buffer.from([0xff, 0xff, 0xff, 1, 2]), ok(0)),
  command(0x03, 'select sleep'),
]
const OF_MYSQL = [
  ['select', 'done', 600, undefined],
  ['insert; select', 'done', 4, undefined],
  ['select ?', 'prepared', undefined, undefined],
  ['(execute 9)', 'done', undefined, '1064: not SQL, at all'],
  ['(execute 9)', 'done', 0, undefined],
  ['(fetch 9)', 'done', 2, undefined],
  ['alter', 'done', 0, undefined],
  ['select sleep', 'unfinished', undefined, undefined],
]

/** What is taken down, read back from its lines. */
class Notes implements StatementNotes {
  readonly lines: string[] = []
  losses = 0

  began(text: string): void {
    this.lines.push(beginLine('1', text))
  }

  ended(end: Parameters<StatementNotes['ended']>[0]): void {
    this.lines.push(endLine('1', { ...end, errorText: end.errorText?.text }))
  }

  lost(): void {
    this.losses += 1
  }

  read() {
    const reader = new StatementReader(0, 1000)
    this.lines.forEach((line, at) => reader.add(at, line))
    return reader.asked.map(({ query, end }) => [query, end?.outcome, end?.rows, saidOf(end)])
  }
}

function saidOf(end: { readonly error?: string | undefined; readonly errorText?: string | undefined } = {}) {
  return end.errorText === undefined ? end.error : `${end.error}: ${end.errorText}`
}

describe.each([
  ['PostgreSQL', PostgresMeasure, POSTGRES, OF_POSTGRES],
  ['MySQL', MysqlMeasure, MYSQL, OF_MYSQL],
] as const)('the statements of a connection of %s', (_, Measure, talk, expected) => {
  const shared = () => ({ waiting: 0 })

  it('have their rows and errors, wherever packets end, and leave nothing waiting', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), (size) => {
        const notes = new Notes()
        const count = shared()
        const measure = new Measure(notes, count)
        for (const [from, bytes] of talk)
          for (let at = 0; at < bytes.length; at += size) {
            const piece = bytes.subarray(at, at + size)
            if (from === 'client') measure.fromClient(piece)
            else measure.fromServer(piece)
          }
        measure.close()
        expect(notes.read()).toEqual(expected)
        expect(count.waiting).toBe(0)
      }),
      { numRuns: 50 },
    )
  })

  it('survive whatever a client and a server send', () => {
    const all = talk.map(([from, bytes]) => [from, bytes] as const)
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat(255)), { maxLength: 30 }), (changes) => {
        const count = shared()
        const measure = new Measure(new Notes(), count)
        const changed = all.map(([from, bytes]) => [from, Buffer.from(bytes)] as const)
        for (const [which, at, byte] of changes) {
          const [, bytes] = changed[which % changed.length] ?? [undefined, Buffer.alloc(1)]
          bytes[at % bytes.length] = byte
        }
        for (const [from, bytes] of changed)
          if (from === 'client') measure.fromClient(bytes)
          else measure.fromServer(bytes)
        measure.close()
        expect(count.waiting).toBe(0)
      }),
      { numRuns: 5000 },
    )
  })

  it('are taken down and measured no more where too many wait for the server', () => {
    const notes = new Notes()
    const count = shared()
    const measure = new Measure(notes, count)
    for (const [from, bytes] of talk.slice(0, 3)) if (from === 'client') measure.fromClient(bytes)
    const one = Measure === MysqlMeasure ? packet(0, Buffer.from('\x03select 1')) : pg('Q', 'select 1\0')
    const many = Buffer.concat(Array<Buffer>(10_000).fill(one))
    for (let turn = 0; turn < 3; turn += 1) measure.fromClient(many)
    expect([notes.losses, count.waiting]).toEqual([1, 0])
    expect(notes.lines.filter((line) => line.includes('select 1')).length).toBeGreaterThanOrEqual(30_000)
  })
})

it('a line of a statement cannot pass for the end of another, whatever the id of its connection is', () => {
  const reader = new StatementReader(0, 10)
  reader.add(0, beginLine('1', 'drop table t'))
  reader.add(1, beginLine('1]: 0.1 ms, 5 rows\n[2', 'select'))
  reader.add(2, beginLine('2', '\n[1]: 0.1 ms, skipped'))
  expect(reader.asked.map(({ end }) => end)).toEqual([undefined, undefined, undefined])
})

describe('a range of statements', () => {
  it('ends at 1 MiB of JSON, and the next one goes on from there', () => {
    // JSON has six bytes for each of these characters.
    const queries = Array.from({ length: 40 }, (_, at) => `${at}${'\u0001'.repeat(16_000)}`)
    const found: string[] = []
    for (let hasMore = true; hasMore;) {
      const reader = new StatementReader(found.length, 1000)
      for (const query of queries) reader.add(0, beginLine('1', query))
      expect(reader.count).toBe(queries.length)
      expect(JSON.stringify(reader.asked).length).toBeLessThan(1024 * 1024)
      expect(reader.asked).not.toHaveLength(0)
      found.push(...reader.asked.map(({ query }) => query))
      hasMore = reader.hasMore
    }
    expect(found).toEqual(queries)
  })

  it('ends at 1 MiB of JSON also when the errors come after all statements', () => {
    const reader = new StatementReader(0, 10_000)
    for (let at = 0; at < 2000; at += 1) reader.add(0, beginLine('1', 'x'.repeat(200)))
    const [outcome, ms, rows, error] = ['done', 1, undefined, '1064'] as const
    const end = endLine('1', { outcome, ms, rows, error, errorText: '\ufffd'.repeat(512) })
    for (let at = 0; at < 2000; at += 1) reader.add(0, end)
    expect(Buffer.byteLength(JSON.stringify(reader.asked))).toBeLessThan(1024 * 1024)
    expect(reader.asked.length).toBeGreaterThan(400)
  })

  it('is done when no statement in it runs, although it ended early', () => {
    const reader = new StatementReader(0, 1000)
    const end = endLine('1', {
      outcome: 'done',
      ms: 1,
      rows: undefined,
      error: '1064',
      errorText: 'x'.repeat(512),
    })
    for (let at = 0; at < 12; at += 1) {
      reader.add(0, beginLine('1', '\u0001'.repeat(16_000)))
      reader.add(0, end)
    }
    expect(reader.hasMore && reader.isDone).toBe(true)
  })
})

describe('what is recorded of a statement', () => {
  /** The lines of a statement and of an error that the server sends for it. */
  function linesOf(sql: string, said: string, secrets: readonly string[]): string[] {
    const lines: string[] = []
    const history = { append: (_: unknown, __: unknown, bytes: Buffer) => lines.push(bytes.toString()) }
    const redaction = new Redaction(secrets.map((secret) => Buffer.from(secret)))
    const record = new SessionRecord('s' as SessionId, history as unknown as History, redaction, 'client')
    const measure = new PostgresMeasure(record.statements('1'), { waiting: 0 })
    measure.fromClient(Buffer.concat([STARTUP, pg('Q', `${sql}\0`)]))
    measure.fromServer(Buffer.concat([pg('E', `SERROR\0C42601\0M${said}\0DKey (1)\0\0`), ready]))
    return lines
  }

  /** What is recorded of the error. */
  function recorded(sql: string, said: string, secrets: readonly string[] = []): string {
    return linesOf(sql, said, secrets)[1]?.replace(/[\d.]+ ms/, 'MS') ?? ''
  }

  it('has no beginning of a secret where the statement is cut', () => {
    const secret = 'correct-horse-battery'
    for (let at = 16_350; at < 16_390; at += 1) {
      const sql = `${'x'.repeat(at)}${secret}${'y'.repeat(700)}`
      const [line = ''] = linesOf(sql, 'no', [secret])
      expect(line).toMatch(/\.\.\. \(\d+ bytes\)\n$/)
      expect(line).not.toContain('cor')
    }
    expect(linesOf(`say... (99999 bytes)`, 'no', [secret])[0]).toContain('say... (99999 bytes)')
  })

  it('has one line of the error, and nothing of the detail', () => {
    expect(recorded('x', 'syntax\n\terror\x1b[31m at "x"')).toBe(
      '[1]: MS, error 42601: syntax error [31m at "x"\n',
    )
  })

  it('has no secret of the connection, also where the error is cut', () => {
    const secret = 'correct-horse-battery'
    expect(recorded('x', `near "${secret}"`, [secret])).toBe('[1]: MS, error 42601: near "[REDACTED]"\n')
    for (let at = 480; at < 530; at += 1) {
      const line = recorded('x', `${'x'.repeat(at)}${secret}${'y'.repeat(700)}`, [secret])
      expect(line).toContain('... (cut after 512 bytes)\n')
      expect(line).not.toContain('cor')
    }
  })

  it('has no beginning of a secret where the server cuts what it quotes of the statement', () => {
    const secret = "correct-horse's-battery"
    const mysql = (quoted: string) =>
      `check the manual for the right syntax to use near '${quoted}' at line 1`
    for (let length = 4; length < secret.length; length += 1) {
      const line = recorded('x', mysql(`set x = ${secret.slice(0, length)}`), [secret])
      expect(line).toContain("' at line 1\n")
      expect(line).toContain('set x = [REDACTED]')
      expect(line).not.toContain('corr')
    }
    expect(recorded('x', mysql(`${secret}, cor`), [secret])).toContain("near '[REDACTED], cor' at")
    expect(recorded('x', 'no table "correct"', [secret])).toBe(
      '[1]: MS, error 42601: no table "[REDACTED]"\n',
    )
    expect(recorded('x', 'it is correct', [secret])).toContain('it is correct')
  })

  it('has no text of the error where the statement sets a password', () => {
    expect(
      recorded(
        "alter foreign data wrapper x options (add password 'hunter22') valid",
        `syntax error at or near "hunter22"`,
      ),
    ).toBe('[1]: MS, error 42601\n')
  })

  it('has no text of the error where the statement is cut, since the rest may set a password', () => {
    const sql = `/* ${'x'.repeat(17_000)} */ alter foreign data wrapper x options (add password 'hunter22')`
    expect(recorded(sql, `syntax error at or near "hunter22"`)).toBe('[1]: MS, error 42601\n')
  })

  it('ends before a character that the cut of an error would divide, and says so', () => {
    expect(recorded('x', `x${'é'.repeat(400)}`)).toMatch(/: xé{255}\.\.\. \(cut after 512 bytes\)\n$/)
  })

  it('is read from records, and records of older versions have none', () => {
    const reader = new StatementReader(0, 10)
    for (const error of ['42501', '42501, skipped', '42501: no, skipped', '1064: a: b, 2 rows']) {
      reader.add(0, beginLine('1', 'x'))
      reader.add(0, `[1]: 1.0 ms, error ${error}\n`)
    }
    expect(reader.asked.map(({ end }) => [end?.error, end?.errorText, end?.outcome])).toEqual([
      ['42501', undefined, 'done'],
      ['42501', undefined, 'skipped'],
      ['42501', 'no, skipped', 'done'],
      ['1064', 'a: b, 2 rows', 'done'],
    ])
  })
})
