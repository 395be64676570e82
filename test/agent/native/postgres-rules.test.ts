import { execFile } from 'node:child_process'
import { connect } from 'node:net'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { messageOf, encodeCString } from '../../../src/agent/native/postgres/messages.ts'
import { missingPostgres, postgresDatabase, type PostgresDatabase } from '../../support/machine/databases.ts'
import { without } from '../../support/machine/servers.ts'
import { cutPostgres, HoopPort } from '../../support/native/hoop-port.ts'
import { guardrails, masking } from '../../support/native/rules.ts'
import { base64, openSpec } from '../../support/scripted/open.ts'
import { agentForEachTest, gateway, running } from '../../support/sites/each-agent.ts'
import { found } from '../../support/wait.ts'
import type { ConnectionParams } from '../../../src/wire/params.ts'

agentForEachTest()

const missing = await missingPostgres()
const exec = promisify(execFile)

async function opened(database: PostgresDatabase, asked: Partial<ConnectionParams>): Promise<HoopPort> {
  const { host, port, name, password } = database
  const values = { HOST: host, PORT: port, USER: name, PASS: password, DB: name }
  const envVars = new Map(Object.entries(values).map(([key, value]) => [`envvar:${key}`, base64(value)]))
  const params = { connectionType: 'postgres', clientVerb: 'connect', clientOrigin: 'client', envVars }
  gateway.send('AgentSessionOpen', openSpec('s', { ...params, ...asked }))
  const opened = await HoopPort.open(gateway, { word: 'PG', sid: 's', greets: false, cut: cutPostgres })
  await opened.opened()
  return opened
}

/** What psql prints, both outputs in turn. */
async function psql(port: HoopPort, ...args: string[]): Promise<string> {
  const env = { PGHOST: '127.0.0.1', PGPORT: String(port.port), PGUSER: 'noop', PGDATABASE: 'noop' }
  const options = { env: { PATH: process.env['PATH'], ...env } }
  const both = ({ stdout, stderr }: { readonly stdout: string; readonly stderr: string }) => stdout + stderr
  return exec('psql', ['-X', '-w', '-A', '-t', '-q', ...args], options).then(both, both as never)
}

/** Each of them in a message of its own, one after the other. */
const statements = (...all: string[]) => all.flatMap((statement) => ['-c', statement])

describe.skipIf(missing !== undefined)(`statements of psql that rules refuse${without(missing)}`, () => {
  it('never reach the server, name the rule, and leave the connection as an error does', async () => {
    await using database = await postgresDatabase()
    await using port = await opened(database, guardrails({ input: ['DROP TABLE'] }))
    await database.sql('create table kept (a int)')
    const refused = await psql(port, ...statements('DROP TABLE kept', 'select 41 + 1'))
    expect(refused).toMatch(/^42\n/)
    expect(refused).toContain('ERROR:  Blocked by the following Hoop Guardrails Rules: no DROP TABLE')
    const packets = gateway.of('s').filter(({ spec }) => 'client.guardrails_info' in spec)
    expect(packets.map(({ payload }) => String.fromCharCode(payload[0] ?? 0))).toEqual(['E'])
    expect(String(packets[0]?.spec['client.guardrails_info'])).toContain('"matched_words":["DROP TABLE"]')
    // In a transaction all that follows fails, and it is rolled back.
    const inside = await psql(
      port,
      ...statements('begin', 'insert into kept values (1)', 'DROP TABLE kept', 'select 7', 'commit'),
    )
    expect(inside).toContain('current transaction is aborted')
    expect(inside).not.toContain('7')
    expect(await database.sql('select count(*) from kept')).toBe('0')
  })

  it('can be traced by log, journal and close: whose session broke which rule', async () => {
    await using database = await postgresDatabase()
    await using port = await opened(database, guardrails({ input: ['DROP TABLE', 'TRUNCATE'] }))
    await psql(port, ...statements('DROP TABLE one', 'TRUNCATE two', 'DROP TABLE three'))
    const whose = '"sid":"s","connection":"test","user":"u1@example.test"'
    const [rule, other] = [
      'input_rules[0].rules[0] deny_words_list',
      'input_rules[0].rules[1] deny_words_list',
    ]
    const refusal = `a statement of a native client was refused {${whose},"connectionId":"1","rule":`
    expect(running.log.filter((line) => line.includes('was refused'))).toEqual(
      [rule, other, rule].map((broken) => `${refusal}"${broken}"}`),
    )
    running.agent.stop()
    const close = await gateway.closeOf('s')
    const infos = JSON.parse(String(close.spec['client.guardrails_info'])) as object[]
    expect(infos).toMatchObject([
      { rule: { words: ['DROP TABLE'] }, direction: 'input' },
      { rule: { words: ['TRUNCATE'] }, direction: 'input' },
    ])
    const ended = await found(() => running.entries.find(({ event }) => event === 'ended'))
    expect(ended).toMatchObject({ sid: 's', guardrail: rule, guardrailMessage: 'no DROP TABLE' })
    expect(running.log.find((line) => line.startsWith('session of native clients closed'))).toContain(whose)
  })

  it('are refused as a whole, wherever in the text the words are', async () => {
    await using database = await postgresDatabase()
    await using port = await opened(database, guardrails({ input: ['DROP TABLE'] }))
    await database.sql('create table kept (a int)')
    for (const text of [
      'insert into kept values (1); DROP TABLE kept',
      '/* DROP TABLE */ select 1',
      `prepare p as select 1; do $$ begin execute 'DROP TABLE kept'; end $$`,
    ])
      expect(await psql(port, '-c', text)).toContain('Blocked by')
    expect(await database.sql('select count(*) from kept')).toBe('0')
  })
})

/** Sends messages in one piece behind a login, and reads up to as many ReadyForQuery. @returns the types of all messages */
async function piped(port: HoopPort, messages: readonly Buffer[], ready: number): Promise<string> {
  const socket = connect(port.port, '127.0.0.1')
  const startup = Buffer.from('\0\0\0\0\0\x03\0\0user\0noop\0database\0noop\0\0', 'latin1')
  startup.writeUInt32BE(startup.length, 0)
  socket.write(Buffer.concat([startup, ...messages]))
  let [bytes, types, left] = [Buffer.alloc(0), '', ready + 1]
  for await (const more of socket) {
    bytes = Buffer.concat([bytes, more as Buffer])
    // The login is answered by one byte less: its first message has a type, too.
    for (; bytes.length > 4 && bytes.length > bytes.readUInt32BE(1);) {
      const end = 1 + bytes.readUInt32BE(1)
      const type = String.fromCharCode(bytes[0] ?? 0)
      types += type === 'D' ? bytes.toString('latin1', 11, end) : type
      left -= type === 'Z' ? 1 : 0
      bytes = bytes.subarray(end)
    }
    if (left === 0) break
  }
  socket.destroy()
  return types.slice(types.indexOf('Z') + 1)
}

const extended = (statement: string) => [
  messageOf(0x50, encodeCString(''), encodeCString(statement), Buffer.alloc(2)),
  messageOf(0x42, Buffer.alloc(8)),
  messageOf(0x45, Buffer.alloc(5)),
]
const SYNC = messageOf(0x53)

describe.skipIf(missing !== undefined)(`pipelined messages${without(missing)}`, () => {
  it('behind a refused one are skipped up to Sync, and those before it are rolled back', async () => {
    await using database = await postgresDatabase()
    await using port = await opened(database, guardrails({ input: ['DROP TABLE'] }))
    await database.sql('create table kept (a int)')
    const messages = [
      ...extended('insert into kept values (1)'),
      ...extended('DROP TABLE kept'),
      ...extended('insert into kept values (2)'),
      SYNC,
      ...extended('insert into kept values (3)'),
      SYNC,
      messageOf(0x51, encodeCString('select sum(a) from kept')),
    ]
    expect(await piped(port, messages, 3)).toBe('12CEZ12CZT3CZ')
  })
})

describe.skipIf(missing !== undefined)(`results for psql${without(missing)}`, () => {
  it('are masked value by value, in rows, COPY, notices and errors', async () => {
    await using database = await postgresDatabase()
    await using port = await opened(database, masking({ types: ['EMAIL_ADDRESS', 'CREDIT_CARD'] }))
    await database.sql(
      "create table people (id int, mail text unique, card text); insert into people values (1, 'ann@example.com', '4111 1111 1111 1111'), (2, null, 'none'), (3, 'bob@example.org', '')",
    )
    expect(await psql(port, '-c', 'select id, mail, card from people order by id')).toBe(
      '1|<EMAIL_ADDRESS>|<CREDIT_CARD>\n2||none\n3|<EMAIL_ADDRESS>|\n',
    )
    expect(await psql(port, '-c', 'copy (select mail, id from people order by id) to stdout')).toBe(
      '<EMAIL_ADDRESS>\t1\n\\N\t2\n<EMAIL_ADDRESS>\t3\n',
    )
    const said = await psql(
      port,
      ...statements(
        "do $$ begin raise notice 'to %', (select mail from people limit 1); end $$",
        "insert into people values (4, 'ann@example.com')",
        "select set_config('application_name', mail, false) from people where id = 1",
      ),
    )
    expect(said).toContain('NOTICE:  to <EMAIL_ADDRESS>')
    // Other ways out: another session, names, other encodings of the client, prepared statements, cursors.
    const ways = [
      "listen c; select pg_notify('c', mail) from people where id = 1",
      "do $$ begin raise exception 'x' using detail = (select mail from people limit 1), constraint = 'bob@example.org'; end $$",
      "do $$ begin execute format('create temp table t as select 1 as %I', (select mail from people limit 1)); end $$; select * from t",
      "set client_encoding = 'SJIS'; select mail from people; set client_encoding = 'GB18030'; table people",
      'prepare p as select mail from people; execute p; begin; declare c cursor for table people; fetch all c',
      'copy people to stdout (format csv, header)',
    ]
    for (const way of ways) await psql(port, '-c', way)
    expect(said).toContain('(<EMAIL_ADDRESS>) already exists')
    const toClient = gateway.of('s').map(({ payload }) => payload.toString('latin1'))
    expect(toClient.join('')).not.toMatch(/ann@example|bob@example|4111/)
  })

  it('end the connection where they break a rule for output, before the value is sent', async () => {
    await using database = await postgresDatabase()
    await using port = await opened(database, guardrails({ output: ['s3cret', 'one\ttwo'] }))
    const ended = await psql(port, '-c', "select 'a ' || 's3' || 'cret'")
    expect(ended).toContain('FATAL:  Blocked by the following Hoop Guardrails Rules: no s3cret')
    expect(await psql(port, '-c', "select 'on' || 'e', 'two'")).toContain('no one')
    expect(await psql(port, '-c', "select 'on' || 'e', 'three'")).toBe('one|three\n')
    const sent = gateway.of('s').map(({ payload }) => payload.toString('latin1'))
    expect(sent.join('')).not.toContain('a s3cret')
  })

  it.each(['strict', 'best-effort'])('in binary formats, in mode %s', async (dlpMode) => {
    await using database = await postgresDatabase()
    await using port = await opened(database, { ...masking({ types: ['EMAIL_ADDRESS'] }), dlpMode })
    const cursor = "begin; declare c binary cursor for select 'ann@example.com'::text, 1; fetch c"
    const copy = "copy (select 'ann@example.com') to stdout binary"
    for (const text of [cursor, copy]) {
      const said = await psql(port, '-c', text)
      if (dlpMode === 'strict') expect(said).toContain('masking failed')
      else expect(said).not.toContain('FATAL')
    }
  })
})
