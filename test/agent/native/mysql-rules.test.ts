import { execFile } from 'node:child_process'
import { connect } from 'node:net'
import { promisify } from 'node:util'
import { createConnection, type Connection } from 'mysql2/promise'
import { describe, expect, it } from 'vitest'
import { packet, PacketReader } from '../../../src/agent/native/mysql/login.ts'
import { COM } from '../../../src/agent/native/mysql/packets.ts'
import type { ConnectionParams } from '../../../src/wire/params.ts'
import { missingMysql, mysqlDatabase, type Account } from '../../support/machine/databases.ts'
import { without } from '../../support/machine/servers.ts'
import { cutMysql, HoopPort } from '../../support/native/hoop-port.ts'
import { guardrails, masking } from '../../support/native/rules.ts'
import { base64, openSpec } from '../../support/scripted/open.ts'
import { agentForEachTest, gateway } from '../../support/sites/each-agent.ts'

agentForEachTest()

const missing = await missingMysql()

async function opened(account: Account, asked: Partial<ConnectionParams>): Promise<HoopPort> {
  const values = { HOST: '127.0.0.1', PORT: '3306', USER: account.name, PASS: account.password }
  const envVars = new Map(Object.entries(values).map(([key, value]) => [`envvar:${key}`, base64(value)]))
  const params = { connectionType: 'mysql', clientVerb: 'connect', clientOrigin: 'client', envVars }
  const port = await HoopPort.open(gateway, { word: 'MySQL', sid: 's', greets: true, cut: cutMysql })
  gateway.send('AgentSessionOpen', openSpec('s', { ...params, cmdList: [], ...asked }))
  await port.opened()
  return port
}

const client = (port: HoopPort, { name }: Account, more: object = {}): Promise<Connection> =>
  createConnection({
    host: '127.0.0.1',
    port: port.port,
    user: 'noop',
    password: 'noop',
    database: name,
    ...more,
  })

/** What mysql prints, both outputs in turn. */
async function mysql(port: HoopPort, { name }: Account, text: string): Promise<string> {
  const login = ['--no-defaults', '-h127.0.0.1', `-P${port.port}`, '-unoop', '-pnoop', '-N', '-B']
  const both = ({ stdout, stderr }: { readonly stdout: string; readonly stderr: string }) => stdout + stderr
  return promisify(execFile)('mysql', [...login, name, '-e', text, '--force']).then(both, both as never)
}

const sentToClient = () =>
  gateway
    .of('s')
    .map(({ payload }) => payload.toString('latin1'))
    .join('')

describe.skipIf(missing !== undefined)(
  `statements of MySQL clients that rules refuse${without(missing)}`,
  () => {
    it('never reach the server, name the rule, and the connection lives on', async () => {
      await using account = await mysqlDatabase()
      await using port = await opened(account, guardrails({ input: ['DROP TABLE'] }))
      const said = await mysql(port, account, 'create table kept (a int); DROP TABLE kept; select 41 + 1')
      expect(said).toContain('ERROR 1644 (45000)')
      expect(said).toContain('Blocked by the following Hoop Guardrails Rules: no DROP TABLE')
      expect(said).toContain('42\n')
      const db = await client(port, account, { multipleStatements: true })
      const refused = { errno: 1644, sqlState: '45000' }
      await expect(db.query('select 1; DROP TABLE kept')).rejects.toMatchObject(refused)
      await expect(db.execute('select /* DROP TABLE */ 1')).rejects.toMatchObject(refused)
      await expect(db.execute('select ?, ?', [1, 'DROP TABLE kept'])).rejects.toMatchObject(refused)
      const [rows] = await db.execute('select ? as n, ? as t', [7, 'harmless'])
      expect(rows).toEqual(
        [{ n: '7', t: 'harmless' }].map(({ t }) => expect.objectContaining({ t }) as object),
      )
      await db.end()
      db.destroy()
    })
  },
)

describe.skipIf(missing !== undefined)(`results for MySQL clients${without(missing)}`, () => {
  it('are masked value by value, in text and binary form, in errors too', async () => {
    await using account = await mysqlDatabase()
    await using port = await opened(account, masking({ types: ['EMAIL_ADDRESS', 'CREDIT_CARD'] }))
    const table =
      "create table people (id int, mail varchar(100) unique, card bigint, n double); insert into people values (1, 'ann@example.com', 4111111111111111, 1.5), (2, null, 7, null)"
    expect(await mysql(port, account, `${table}; select * from people order by id`)).toBe(
      '1\t<EMAIL_ADDRESS>\t<CREDIT_CARD>\t1.5\n2\tNULL\t7\tNULL\n',
    )
    expect(await mysql(port, account, "insert into people values (3, 'ann@example.com', 0, 0)")).toContain(
      "Duplicate entry '<EMAIL_ADDRESS>'",
    )
    for (const way of [
      "set @s = (select concat('select 1 as `', mail, '`') from people limit 1); prepare p from @s; execute p",
      "signal sqlstate '45000' set message_text = 'ann@example.com'",
      'set names gbk; select mail from people; set names sjis; select mail from people; show warnings',
      'set character_set_results = utf16; select card from people',
    ])
      await mysql(port, account, way)
    const db = await client(port, account, { multipleStatements: true })
    const [rows] = await db.execute('select * from people where id > ? order by id', [0])
    // A number that is masked has no place in the binary form.
    expect(rows).toEqual([
      { id: 1, mail: '<EMAIL_ADDRESS>', card: null, n: 1.5 },
      { id: 2, mail: null, card: 7, n: null },
    ])
    const [results] = await db.query(
      "select mail from people where id = 1; do 1; select 'bob@example.org' as b",
    )
    expect(results).toMatchObject([[{ mail: '<EMAIL_ADDRESS>' }], {}, [{ b: '<EMAIL_ADDRESS>' }]])
    await db.end()
    db.destroy()
    expect(sentToClient().replaceAll('\0', '')).not.toMatch(/ann@example|bob@example|4111111111111111/)
  })

  it('end the connection where they break a rule for output', async () => {
    await using account = await mysqlDatabase()
    await using port = await opened(account, guardrails({ output: ['s3cret', 'one\ttwo'] }))
    expect(await mysql(port, account, "select concat('a s3', 'cret')")).toContain('no s3cret')
    expect(await mysql(port, account, "select concat('on', 'e'), 'two'")).toContain('no one')
    expect(await mysql(port, account, "select concat('on', 'e'), 'three'")).toBe('one\tthree\n')
    const db = await client(port, account)
    await expect(db.execute("select concat('a s3', ?)", ['cret'])).rejects.toMatchObject({ errno: 1644 })
    expect(sentToClient()).not.toContain('a s3cret')
    db.destroy()
  })

  it('are masked where a cursor of the server gives them out in parts', async () => {
    await using account = await mysqlDatabase()
    await using port = await opened(account, masking({ types: ['EMAIL_ADDRESS'] }))
    const socket = connect(port.port, '127.0.0.1')
    const pieces = socket.iterator() as AsyncIterator<Buffer, undefined>
    const reader = new PacketReader(async () => (await pieces.next()).value)
    /** @returns the packets of an answer, up to its nth EOF */
    const answer = async (eofs: number): Promise<Buffer[]> => {
      const packets: Buffer[] = []
      for (let left = eofs; left > 0;) {
        const said = await reader.read()
        if (said === undefined) throw new Error('the agent has hung up')
        packets.push(said.payload)
        left -=
          said.payload[0] === 0xff ? left : said.payload[0] === 0xfe && said.payload.length === 5 ? 1 : 0
      }
      return packets
    }
    await reader.read()
    const login = Buffer.alloc(32)
    // PROTOCOL_41 and SECURE_CONNECTION.
    login.writeUInt32LE(0x8200, 0)
    login[8] = 45
    socket.write(packet(1, Buffer.concat([login, Buffer.from('noop\0\0')])))
    await reader.read()
    socket.write(
      packet(
        0,
        Buffer.from(
          "\x16select 'ann@example.com' as m union all select 'nobody' union all select 'bob@example.org'",
        ),
      ),
    )
    const [prepared = Buffer.alloc(0)] = await answer(1)
    const id = prepared.subarray(1, 5)
    const readOnly = [1, 1, 0, 0, 0]
    socket.write(packet(0, Buffer.concat([Buffer.of(COM.execute), id, Buffer.from(readOnly)])))
    const opening = await answer(1)
    expect((opening.at(-1)?.[3] ?? 0) & 0x40).toBe(0x40)
    const fetched: string[] = []
    for (const rows of [2, 2]) {
      socket.write(packet(0, Buffer.concat([Buffer.of(COM.fetch), id, Buffer.from([rows, 0, 0, 0])])))
      for (const row of (await answer(1)).slice(0, -1)) fetched.push(row.toString('latin1', 3))
    }
    expect(fetched).toEqual(['<EMAIL_ADDRESS>', 'nobody', '<EMAIL_ADDRESS>'])
    socket.destroy()
  })

  it('are refused where each letter has several bytes', async () => {
    await using account = await mysqlDatabase()
    await using port = await opened(account, masking({ types: ['EMAIL_ADDRESS'] }))
    for (const charset of ['utf16', 'utf32', 'ucs2'])
      expect(
        await mysql(port, account, `set character_set_results = ${charset}; select 'ann@example.com'`),
      ).toContain('character_set_results')
  })
})
