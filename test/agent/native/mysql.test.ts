import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { createConnection, type Connection } from 'mysql2/promise'
import { describe, expect, it, vi } from 'vitest'
import { Answers, Commands } from '../../../src/agent/native/mysql/packets.ts'
import { nativeProof, packet, sha2Proof } from '../../../src/agent/native/mysql/login.ts'
import { missingMysql, mysqlDatabase, type Account } from '../../support/machine/databases.ts'
import { without } from '../../support/machine/servers.ts'
import { pieces } from '../../support/native/pieces.ts'
import { HoopPort, type PortOptions } from '../../support/native/hoop-port.ts'
import {
  greeting,
  OK,
  ScriptedMysql,
  type ScriptedMysqlOptions,
  type Talk,
} from '../../support/native/scripted-mysql.ts'
import { Authority } from '../../support/network/certificates.ts'
import { base64, openSpec } from '../../support/scripted/open.ts'
import { agentForEachTest, gateway, running } from '../../support/sites/each-agent.ts'
import { waitFor } from '../../support/wait.ts'

agentForEachTest()

const PASSWORD = 'the password of the connection'
/** A client's bytes are cut into packets, as hoop's command line does. */
const cut: PortOptions['cut'] = (bytes) =>
  bytes.length < 4 || bytes.length < 4 + bytes.readUIntLE(0, 3) ? undefined : 4 + bytes.readUIntLE(0, 3)
const mysql = { word: 'MySQL', greets: true, cut }

let sessions = 0

async function opened(variables: Readonly<Record<string, string>>): Promise<HoopPort> {
  const sid = `s${(sessions += 1)}`
  const values = { HOST: '127.0.0.1', ...variables }
  const envVars = new Map(Object.entries(values).map(([name, value]) => [`envvar:${name}`, base64(value)]))
  const port = await HoopPort.open(gateway, { ...mysql, sid })
  gateway.send(
    'AgentSessionOpen',
    openSpec(sid, {
      ...{ connectionType: 'mysql', clientVerb: 'connect', clientOrigin: 'client', cmdList: [], envVars },
    }),
  )
  await port.opened()
  return port
}

const client = (port: HoopPort, more: object = {}): Promise<Connection> =>
  createConnection({ host: '127.0.0.1', port: port.port, user: 'noop', password: 'noop', ...more })

/** What the server on this machine says, as the client `mysql` prints it. */
async function mysqlSays(port: HoopPort, ...args: string[]): Promise<string> {
  const login = ['--no-defaults', '-h127.0.0.1', `-P${port.port}`, '-unoop', '-pnoop']
  const run = promisify(execFile)('mysql', [...login, '-N', '-B', ...args])
  return run.then(
    ({ stdout }) => stdout,
    (error: unknown) => (error as { readonly stderr: string }).stderr,
  )
}

const missing = await missingMysql()

describe.skipIf(missing !== undefined)(`a native mysql session${without(missing)}`, () => {
  const open = (account: Account, more: object = {}) =>
    opened({ PORT: '3306', USER: account.name, PASS: account.password, ...more })

  it('logs in as its own user, and keeps database and attributes of the client', async () => {
    await using account = await mysqlDatabase()
    await using port = await open(account)
    expect(await mysqlSays(port, account.name, '-e', 'select current_user(), database()')).toEqual(
      expect.stringMatching(new RegExp(`^${account.name}@(localhost|%)\t${account.name}\n$`)),
    )
    const db = await client(port)
    await db.query(`use ${account.name}`)
    await db.query('create table t (id int primary key, body longtext)')
    const text = 'ü'.repeat(1_500_000)
    await db.execute('insert into t values (?, ?), (2, null)', [1, text])
    const [rows] = await db.execute('select body from t order by id')
    expect((rows as { body: string | null }[]).map(({ body }) => body === text || body)).toEqual([true, null])
    await db.end()
    // This driver would wait for the server to close.
    db.destroy()
    await waitFor(() => port.idle)
    // hoop's command line is told nothing of a client that has taken its leave.
    expect(port.closedByAgent).toEqual([])
  })

  it('gets the database of the connection if it names none, and its own where it names one', async () => {
    await using account = await mysqlDatabase()
    await using port = await open(account, { DB: account.name })
    const database = ['-e', 'select database()']
    expect(await mysqlSays(port, ...database)).toBe(`${account.name}\n`)
    expect(await mysqlSays(port, 'noop', ...database)).toBe(`${account.name}\n`)
    expect(await mysqlSays(port, 'information_schema', ...database)).toBe('information_schema\n')
    await using without = await open(account, { DB: '' })
    expect(await mysqlSays(without, ...database)).toBe('NULL\n')
  })

  it('passes on the errors of the server, numbered as the client expects', async () => {
    await using account = await mysqlDatabase()
    {
      await using port = await open(account)
      expect(await mysqlSays(port, 'no_such_database')).toContain('ERROR 1044 (42000)')
      expect(await mysqlSays(port, '-e', 'selec 1')).toContain('ERROR 1064 (42000)')
    }
    await using wrong = await open({ ...account, password: 'wrong' })
    expect(await mysqlSays(wrong, '-e', 'select 1')).toContain('ERROR 1045 (28000)')
  })

  it('refuses another user and files of the client, and goes on', async () => {
    await using account = await mysqlDatabase()
    await using port = await open(account)
    const db = await client(port)
    await expect(db.changeUser({ user: 'root', password: '' })).rejects.toMatchObject({ errno: 1047 })
    const [rows] = await db.query('select 42 as n')
    expect(rows).toEqual([{ n: 42 }])
    await db.end()
    const load = "load data local infile '/etc/hostname' into table t"
    expect(
      await mysqlSays(port, '--local-infile=1', account.name, '-e', `create table t (a text); ${load}`),
    ).toMatch(/^ERROR (1148|4166)/m)
  })

  it('ends the query of a client that has gone', async () => {
    await using account = await mysqlDatabase()
    await using port = await open(account)
    const [db, watcher] = await Promise.all([client(port), client(port)])
    const count = async () => {
      const [rows] = await watcher.query(
        "select count(*) as n from information_schema.processlist where info like 'select sleep(100)%'",
      )
      return (rows as { n: number }[])[0]?.n
    }
    db.query('select sleep(100)').catch(() => undefined)
    await waitFor(async () => (await count()) === 1)
    db.destroy()
    await waitFor(async () => (await count()) === 0)
    await watcher.end()
  })
})

/** Says OK to whatever login. */
const done = (talk: Talk) => talk.say(OK)

/** A server that says OK to a login with the proof that it expects, and answers each command with OK. */
async function scripted(options: ScriptedMysqlOptions): Promise<ScriptedMysql> {
  const serve = async (talk: Talk) => {
    while ((await talk.read()) !== undefined) talk.say(OK)
  }
  return ScriptedMysql.start({ serve, ...options })
}

const target = (server: ScriptedMysql, more: object = {}) => ({
  ...{ PORT: String(server.port), USER: 'app', PASS: PASSWORD, SSLMODE: 'prefer' },
  ...more,
})

describe('the login at a server', () => {
  it.each([
    ['at once', 'caching_sha2_password', [3]],
    ['by an old plugin', 'mysql_native_password', []],
  ])('%s', async (_, plugin, step) => {
    await using server = await scripted({
      plugin,
      login: (talk) => {
        const proof = plugin === 'mysql_native_password' ? nativeProof : sha2Proof
        expect(talk.login.includes(proof(PASSWORD, talk.salt))).toBe(true)
        if (step.length > 0) talk.say(Buffer.from([1, ...step]))
        talk.say(OK)
      },
    })
    await using port = await opened(target(server))
    const db = await client(port, { database: 'shop' })
    await db.query('select 1')
    await db.end()
    const [login = Buffer.alloc(0)] = server.logins
    expect(login.toString('latin1', 32)).toMatch(/^app\0[^]*shop\0/)
    // Neither compression, files of the client nor TLS are agreed on, whatever the client or the server would like.
    expect(login.readUInt32LE(0) & (0x20 | 0x80 | 0x800)).toBe(0)
    expect(String(login)).not.toContain('noop')
  })

  it('hides the password by the key of a server without TLS', async () => {
    const passwords: string[] = []
    await using server: ScriptedMysql = await scripted({
      plugin: 'caching_sha2_password',
      login: async (talk) => {
        talk.say(Buffer.from([1, 4]))
        expect(await talk.read()).toEqual(Buffer.from([2]))
        talk.say(Buffer.concat([Buffer.from([1]), Buffer.from(server.pem)]))
        passwords.push(server.shown((await talk.read()) ?? Buffer.alloc(0)))
        talk.say(OK)
      },
    })
    await using port = await opened(target(server))
    const db = await client(port)
    await db.end()
    expect(passwords).toEqual([`${PASSWORD}\0`])
  })

  it('goes over TLS where the server offers it, and checks the certificate where that is asked for', async () => {
    const authority = new Authority('of the test')
    const passwords: string[] = []
    const start = (names: readonly string[]) =>
      scripted({
        plugin: 'caching_sha2_password',
        tls: authority.issue({ names }),
        login: async (talk) => {
          talk.say(Buffer.from([1, 4]))
          passwords.push(String(await talk.read()))
          talk.say(OK)
        },
      })
    await using right = await start(['127.0.0.1'])
    await using wrong = await start(['db.example'])
    const verified = { SSLMODE: 'verify-full', SSLROOTCERT: authority.certificate }
    const cases = [
      [target(right), undefined],
      [target(right, verified), undefined],
      [target(wrong, { ...verified, SSLMODE: 'require' }), undefined],
      [target(wrong, verified), /altnames/],
      [target(right, { SSLMODE: 'verify-full' }), /certificate/],
    ] as const
    for (const [variables, refusal] of cases) {
      await using port = await opened(variables)
      const told = client(port).then(
        (db) => db.end().then(() => ''),
        (error: unknown) => (error as Error).message,
      )
      if (refusal === undefined) expect(await told).toBe('')
      else expect(await told).toMatch(refusal)
    }
    expect(passwords).toEqual(Array(3).fill(`${PASSWORD}\0`))
  })

  it.each([
    ['mysql_clear_password', {}, /mysql_clear_password.*without TLS/],
    ['dialog', {}, /"dialog"/],
    ['mysql_native_password', { SSLMODE: 'require' }, /offers no TLS/],
  ])('does not follow a server to %s with %j', async (plugin, more, refusal) => {
    await using server = await scripted({
      plugin: 'mysql_native_password',
      login: async (talk) => {
        talk.say(Buffer.from(`\xfe${plugin}\0${String(talk.salt)}\0`, 'latin1'))
        expect(await talk.read()).toBeUndefined()
      },
    })
    await using port = await opened(target(server, more))
    await expect(client(port)).rejects.toThrow(refusal)
    expect(JSON.stringify(running.log)).not.toContain(PASSWORD)
  })

  it('quotes a server as far as one line of the log goes', async () => {
    await using server = await scripted({
      plugin: 'mysql_native_password',
      login: (talk) => talk.say(Buffer.from(`\xfe${'x'.repeat(100_000)}\0${String(talk.salt)}\0`, 'latin1')),
    })
    await using port = await opened(target(server))
    const refused = await client(port).then(
      () => '',
      (error: unknown) => (error as Error).message,
    )
    expect(refused).toMatch(/^the server asks for the authentication plugin "xxx/)
    for (const text of [refused, JSON.stringify(running.log.at(-1))]) expect(text.length).toBeLessThan(1000)
  })

  it('makes a token of Amazon RDS anew for each connection, since it is good for 15 minutes', async () => {
    const passwords: string[] = []
    const authority = new Authority('of the test')
    await using server = await scripted({
      plugin: 'mysql_native_password',
      tls: authority.issue({ names: ['127.0.0.1'] }),
      login: async (talk) => {
        talk.say(Buffer.from(`\xfemysql_clear_password\0\0`, 'latin1'))
        passwords.push(String(await talk.read()))
        talk.say(OK)
      },
    })
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret of the test')
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'KEY0')
    await using port = await opened(target(server, { USER: '_aws_iam_rds:app' }))
    for (const key of ['KEY1', 'KEY2']) {
      vi.stubEnv('AWS_ACCESS_KEY_ID', key)
      await (await client(port)).end()
    }
    vi.unstubAllEnvs()
    expect(server.logins.map((login) => login.includes('app\0'))).toEqual([true, true])
    expect(passwords).toEqual([expect.stringContaining('KEY1%2F'), expect.stringContaining('KEY2%2F')])
  })

  it('tells a client that cannot be served why', async () => {
    const server = await scripted({ plugin: 'mysql_native_password', login: done })
    await using port = await opened(target(server))
    const old = connect(port.port, '127.0.0.1')
    await once(old, 'data')
    old.write(packet(1, Buffer.alloc(40)))
    expect(String((await once(old, 'data'))[0])).toContain('MySQL 4.1')
    // The gateway would record it as a command, and count the answers from there.
    const numbered = connect(port.port, '127.0.0.1')
    await once(numbered, 'data')
    numbered.write(packet(0, Buffer.alloc(40)))
    expect(String((await once(numbered, 'data'))[0])).toContain('number 0')
    await server[Symbol.asyncDispose]()
    await expect(client(port)).rejects.toThrow(/connection refused/)
  })
})

describe('a server that fails', () => {
  /** What a client reads behind the greeting of a server that does something else than to wait for the login. */
  async function saidInstead(instead: (socket: Socket) => void): Promise<string> {
    let last: Socket | undefined
    const server = createServer((socket) => {
      last = socket.on('error', () => undefined)
      socket.write(packet(0, greeting('mysql_native_password', false)))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port: serverPort } = server.address() as AddressInfo
    await using port = await opened({ PORT: String(serverPort), USER: 'app', PASS: PASSWORD })
    const socket = connect(port.port, '127.0.0.1')
    await once(socket, 'data')
    if (last !== undefined) instead(last)
    const said = (await socket.toArray()) as Buffer[]
    await new Promise((resolve) => server.close(resolve))
    return Buffer.concat(said).toString('latin1')
  }

  it('and hangs up before its client has logged in is named to the client, in a packet that it expects', async () => {
    const said = await saidInstead((socket) => socket.end())
    expect(said).toContain('\x02\xff')
    expect(said).toMatch(/the server hung up before the client had logged in$/)
  })

  it('or says itself why: then its own words go to the client', async () => {
    const refusal = Buffer.from('\xff\x86\x04#08S01too many', 'latin1')
    const said = await saidInstead((socket) => socket.end(packet(1, refusal)))
    expect(said).toBe(packet(2, refusal).toString('latin1'))
  })

  it('does not get a file of the client, although the client would give it', async () => {
    await using server = await scripted({
      ...{ plugin: 'mysql_native_password', login: done },
      serve: async (talk) => {
        await talk.read()
        talk.say(Buffer.from('\xfb/etc/hostname', 'latin1'))
        expect(await talk.read()).toBeUndefined()
      },
    })
    await using port = await opened(target(server))
    const asked: string[] = []
    const infileStreamFactory = (path: string) => void asked.push(path)
    const db = await client(port)
    await expect(db.query({ sql: 'select 1', infileStreamFactory } as never)).rejects.toThrow(
      /asked the client for a file/,
    )
    expect(asked).toEqual([])
  })

  // Behind 254 results the numbers begin again, and the file would come in a packet that looks like a command.
  it.each([1, 254])(
    'does not get one either behind %i results, where clients are asked too',
    async (results) => {
      const got: unknown[] = []
      await using server = await scripted({
        ...{ plugin: 'mysql_native_password', login: done },
        serve: async (talk) => {
          await talk.read()
          for (let at = 0; at < results; at += 1) talk.say(Buffer.from([0, 0, 0, 0x0a, 0, 0, 0]))
          talk.say(Buffer.from('\xfb/etc/hostname', 'latin1'))
          got.push(await talk.read())
        },
      })
      await using port = await opened(target(server))
      const infileStreamFactory = () => Readable.from([Buffer.from('what the client has in a file')])
      const db = await client(port, { multipleStatements: true })
      await expect(db.query({ sql: 'select 1', infileStreamFactory } as never)).rejects.toThrow()
      await waitFor(() => got.length === 1)
      expect(got).toEqual([undefined])
    },
  )

  it('and closes in the middle of a query is named to its client', async () => {
    await using server = await scripted({
      ...{ plugin: 'mysql_native_password', login: done },
      serve: async (talk) => {
        await talk.read()
        talk.socket.destroy()
      },
    })
    await using port = await opened(target(server))
    const db = await client(port)
    await expect(db.query('select 1')).rejects.toThrow(/before it answered|was lost/)
    await waitFor(() => port.closedByAgent.length === 1)
  })
})

describe('the streams are cut at packets', () => {
  const commands = fc.array(
    fc.record({
      command: fc.constantFrom(0x03, 0x11, 0x12, 0x16, 0x19, 0x20, 0xfe),
      rest: fc.uint8Array({ maxLength: 20 }),
    }),
  )
  const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 })

  it('each refused command is left out, and nothing else, wherever the pieces end', () => {
    fc.assert(
      fc.property(commands, sizes, (all, every) => {
        const bytes = (one: (typeof all)[number]) => packet(0, Buffer.from([one.command, ...one.rest]))
        const cutter = new Commands()
        const parts = pieces(Buffer.concat(all.map(bytes)), every).flatMap((piece) => cutter.cut(piece))
        const isRefused = ({ command }: (typeof all)[number]) => [0x11, 0x12, 0x20, 0xfe].includes(command)
        const passed = parts.flatMap((part) => (part.refused === undefined ? [part.bytes] : []))
        expect(Buffer.concat(passed)).toEqual(Buffer.concat(all.filter((one) => !isRefused(one)).map(bytes)))
        const refused = parts.flatMap((part) => (part.refused === undefined ? [] : [part.refused]))
        expect(refused).toEqual(all.filter(isRefused).map(() => 0))
      }),
    )
  })

  it('a packet that would begin a command with another number than 0 is none: the record could take it for the login', () => {
    const query = Buffer.from('\x03select 1')
    expect(() => new Commands().cut(Buffer.concat([packet(0, query), packet(3, query)]))).toThrow(
      'the sequence number 3',
    )
  })

  it('a command of several packets goes through whole, and its later packets are no commands', () => {
    const large = Buffer.alloc(0xff_ff_ff, 0x11)
    large[0] = 0x03
    const sent = Buffer.concat([
      packet(0, large),
      packet(1, Buffer.from([0x11, 1, 2])),
      packet(0, Buffer.from([1])),
    ])
    const cutter = new Commands()
    const parts = pieces(sent, [1_000_001]).flatMap((piece) => cutter.cut(piece))
    const passed = parts.flatMap((part) => (part.refused === undefined ? [part.bytes] : []))
    expect([passed.length === parts.length, Buffer.concat(passed).equals(sent)]).toEqual([true, true])
    expect(cutter.hasQuit).toBe(true)
  })

  it('a request for a file is found where an answer begins, and nowhere else', () => {
    const row = (seq: number) => packet(seq, Buffer.from([0xfb, 1]))
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 600 }), fc.boolean(), sizes, (rows, hasTrap, every) => {
        const answers = new Answers()
        answers.begin()
        const first = [packet(1, Buffer.from([1])), ...Array.from({ length: rows }, (_, at) => row(at + 2))]
        const whole = pieces(Buffer.concat(first), every)
        expect(whole.map((piece) => answers.findFileRequest(piece))).toEqual(whole.map(() => undefined))
        answers.begin()
        const next = hasTrap ? row(1) : packet(1, OK)
        const found = pieces(next, every).map((piece) => answers.findFileRequest(piece))
        expect(found.some((at) => at !== undefined)).toBe(hasTrap)
      }),
    )
  })
})
