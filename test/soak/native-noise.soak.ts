import { randomBytes, randomInt } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { nativeProof, packet } from '../../src/agent/native/mysql/login.ts'
import { messageOf, encodeCString } from '../../src/agent/native/postgres/messages.ts'
import { serverStartup } from '../../src/agent/native/postgres/startup.ts'
import { missingOwnDatabases, OwnDatabase } from '../support/machine/own-databases.ts'
import { without } from '../support/machine/servers.ts'
import { ScriptedClient } from '../support/scripted/scripted-client.ts'
import { Site } from '../support/sites/site.ts'
import { waitFor } from '../support/wait.ts'

// Conversations of native clients, each changed at random in a few places, through gateway and agent to real servers.

const missing = missingOwnDatabases()

const MUTATIONS = 10_000
const AT_ONCE = 40
const seed = Number(process.env['NOISE_SEED'] ?? randomInt(2 ** 31))

const int16 = (value: number) => Buffer.from([value >> 8, value & 0xff])
const letter = (text: string) => text.charCodeAt(0)
const startup = { kind: 'startup', version: 196_608 } as const
const postgres = Buffer.concat([
  serverStartup(
    {
      ...startup,
      parameters: new Map([
        ['database', 'noop'],
        ['options', '-c search_path=a'],
      ]),
    },
    'noop',
    '',
  ),
  messageOf(letter('P'), encodeCString('s'), encodeCString('select $1::text, 40 + 2'), int16(0)),
  messageOf(
    letter('B'),
    encodeCString(''),
    encodeCString('s'),
    int16(0),
    int16(1),
    Buffer.from([0, 0, 0, 1, 0x37]),
    int16(0),
  ),
  messageOf(letter('D'), Buffer.from('P'), encodeCString('')),
  messageOf(letter('E'), encodeCString(''), Buffer.alloc(4)),
  messageOf(letter('S')),
  messageOf(letter('Q'), encodeCString("select '4' || '2'; select 1/0")),
])
/** PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH and CONNECT_WITH_DB. */
const login = Buffer.concat([
  ...[Buffer.from([0x08, 0x82, 0x08, 0, 0, 0, 0, 1, 45]), Buffer.alloc(23), encodeCString('noop')],
  ...[
    Buffer.of(20),
    nativeProof('noop', Buffer.alloc(20)),
    encodeCString('mysql'),
    encodeCString('mysql_native_password'),
  ],
])
const mysql = Buffer.concat([
  packet(1, login),
  packet(0, Buffer.from("\x03select concat('4', '2')")),
  packet(0, Buffer.from('\x16select ? + 1')),
  packet(0, Buffer.from([0x17, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0xfd, 0, 1, 0x37])),
  packet(0, Buffer.from('\x0e')),
])

/** The same numbers for the same seed. */
function random(from: number): (below: number) => number {
  let state = from
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

function mutated(good: Buffer, next: (below: number) => number): Buffer {
  let bytes = Buffer.from(good)
  for (let changes = 1 + next(4); changes > 0; changes -= 1) {
    // The beginning, where lengths and capabilities are, as often as all the rest.
    const at = next(next(2) === 0 ? 64 : bytes.length)
    const inserted = Buffer.from(Array.from({ length: next(3) }, () => next(256)))
    bytes = Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at + next(3))])
  }
  return bytes
}

describe.skipIf(missing !== undefined)(`changed at random (NOISE_SEED=${seed})${without(missing)}`, () => {
  const password = randomBytes(12).toString('hex')
  let pg: OwnDatabase
  let my: OwnDatabase
  let site: Site

  beforeAll(async () => {
    ;[pg, my] = await Promise.all([OwnDatabase.postgres(), OwnDatabase.mariadb()])
    await pg.sql(`create role noise login password '${password}'`)
    const rules = "('host all noise 127.0.0.1/32 scram-sha-256'), ('host all all 127.0.0.1/32 trust')"
    await pg.sql(`copy (values ${rules}) to '${await pg.sql('show hba_file')}'`)
    await pg.sql('select pg_reload_conf()')
    await my.sql(
      `create user noise@'%' identified by '${password}'; create user noise@localhost identified by '${password}'`,
    )
    await my.sql('grant select on mysql.* to noise@localhost; grant select on mysql.* to noise@`%`')
    // A login that breaks off counts as an error of the agent's address.
    await my.sql('set global max_connect_errors = 1000000')
    const of = ({ port }: OwnDatabase) => ({
      HOST: '127.0.0.1',
      PORT: String(port),
      USER: 'noise',
      PASS: password,
    })
    site = await Site.start({
      connections: [
        {
          name: 'postgres',
          type: 'database',
          subtype: 'postgres',
          command: ['psql'],
          env: { ...of(pg), DB: 'postgres' },
        },
        { name: 'mysql', type: 'database', subtype: 'mysql', command: ['mysql'], env: of(my) },
      ],
    })
  })
  afterAll(async () => {
    await site[Symbol.asyncDispose]()
    await Promise.all([pg, my].map((one) => one[Symbol.asyncDispose]()))
  })

  it.each([
    {
      protocol: 'postgres',
      good: postgres,
      backends: () => pg.sql("select count(*) from pg_stat_activity where usename = 'noise'"),
    },
    {
      protocol: 'mysql',
      good: mysql,
      backends: () => my.sql("select count(*) from information_schema.processlist where user = 'noise'"),
    },
  ] as const)(
    '$protocol: the agent serves on, leaves nothing open, and nobody learns the password',
    async ({ protocol, good, backends }) => {
      const next = random(seed)
      const got = new Map<string, Buffer[]>()
      await using client = new ScriptedClient(site.grpc, {
        ...{ 'connection-name': protocol, verb: 'connect', authorization: `Bearer ${site.token}` },
      })
      client.onPacket = ({ type, spec, payload }) => {
        if (!type.endsWith('ConnectionWrite')) return !type.includes('TCPConnection')
        got.get(String(spec['client.connection_id']))?.push(payload)
        return false
      }
      client.open('', { pausesConnections: true })
      await client.sid()
      const begin = (connectionId: string, data: Buffer) => {
        got.set(connectionId, [])
        const message = { kind: 'connection-data', connectionId, protocol } as const
        if (protocol === 'mysql') client.send({ ...message, data: Buffer.alloc(0) })
        client.send({ ...message, data })
      }
      const said = (id: string) => Buffer.concat(got.get(id) ?? [])
      for (let done = 0; done < MUTATIONS; done += AT_ONCE) {
        for (let n = 0; n < AT_ONCE; n += 1) begin(`${done}-${n}`, mutated(good, next))
        begin(`good-${done}`, good)
        await waitFor(() => said(`good-${done}`).includes('42') || client.status !== undefined)
        expect(client.status).toBeUndefined()
        for (const id of got.keys()) {
          expect(said(id).includes(password)).toBe(false)
          client.send({ kind: 'connection-close', connectionId: id })
        }
        got.clear()
      }
      await waitFor(async () => (await backends()) === '0')
      const logs = [site.agent, site.gateway].map((one) => one.stdout + one.stderr).join('\n')
      expect(logs).not.toContain('this is a bug')
      expect(logs).not.toContain(password)
      const state = site.place.at('state')
      const files = readdirSync(state, { recursive: true }).map((name) =>
        site.place.at('state', String(name)),
      )
      for (const file of files.filter((name) => statSync(name).isFile()))
        expect(readFileSync(file).includes(password)).toBe(false)
    },
  )
})
