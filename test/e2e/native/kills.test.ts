import type { StatementsAnswer } from '../../../src/contract/session-output.ts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { missingOwnDatabases, OwnDatabase } from '../../support/machine/own-databases.ts'
import { childrenOf } from '../../support/machine/proc.ts'
import { without } from '../../support/machine/servers.ts'
import { Program } from '../../support/sites/program.ts'
import { Site } from '../../support/sites/site.ts'
import { waitFor } from '../../support/wait.ts'

const missing = missingOwnDatabases()

interface Ended {
  /** By the client and its `connect`. */
  readonly said: string
  readonly sid: string
}

interface Recorded {
  readonly status: string
  readonly exit_code: number
  readonly state: { readonly name: string }
}

describe.skipIf(missing !== undefined)(
  `native clients in the middle of an INSERT, when something is killed${without(missing)}`,
  () => {
    let pg: OwnDatabase
    let my: OwnDatabase
    let site: Site
    let gatewayKilled: readonly Ended[] = []

    beforeAll(async () => {
      ;[pg, my] = await Promise.all([OwnDatabase.postgres(), OwnDatabase.mariadb()])
      await pg.sql('create table ran (what text, slept text)')
      await my.sql('create database d; create table d.ran (what text, slept text)')
      const of = ({ port }: OwnDatabase) => ({ HOST: '127.0.0.1', PORT: String(port), PASS: '' })
      const pgEnv = { ...of(pg), USER: 'postgres', DB: 'postgres' }
      site = await Site.start({
        connections: [
          { name: 'pg', type: 'database', subtype: 'postgres', command: ['psql'], env: pgEnv },
          {
            name: 'my',
            type: 'database',
            subtype: 'mysql',
            command: ['mysql'],
            env: { ...of(my), USER: 'root' },
          },
        ],
      })
    })
    afterAll(async () => {
      await site[Symbol.asyncDispose]()
      await Promise.all([pg, my].map((one) => one[Symbol.asyncDispose]()))
    })

    const client = (connection: string, run: string) =>
      new Program(site.place, ['connect', connection, '--run', run, '--json'], {
        HOOP_APIURL: `http://${site.address}`,
        HOOP_TOKEN: site.token,
      })
    const backends = "pg_stat_activity where query like '%pg_sleep(1000)' and state = 'active'"
    const threads = "information_schema.processlist where info like 'insert%sleep(1000)'"
    const sleeping = async () => [
      await pg.sql(`select count(*) from ${backends}`),
      await my.sql(`select count(*) from ${threads}`),
    ]
    /** How often the finished statement and the interrupted one have had their effect. */
    const ran = async (what: string) => [
      await pg.sql(`select count(*), count(slept) from ran where what = '${what}'`),
      await my.sql(`select count(*), count(slept) from d.ran where what = '${what}'`),
    ]
    /** MariaDB sees by itself after some seconds that the agent is gone, ends `sleep`, and inserts its answer. */
    const ONCE = ['1|0', expect.stringMatching(/^(1\t0|2\t1)$/)]

    /** @returns what each client and its `connect` said */
    async function interrupted(what: string, kill: () => Promise<unknown>): Promise<Ended[]> {
      const first = `insert into ran (what) values ('${what}')`
      const second = `insert into ran select '${what}', `
      await using psql = client('pg', `psql -X -c "${first}" -c "${second} pg_sleep(1000)"`)
      await using mysql = client('my', `mysql --no-defaults d -e "${first}; ${second} sleep(1000)"`)
      await waitFor(async () => (await sleeping()).every((count) => count === '1'))
      await kill()
      const ends = await Promise.all([psql.ended(), mysql.ended()])
      expect(ends.map(({ code }) => code)).toEqual([2, 1])
      return [psql, mysql].map(({ stderr: said }) => ({
        said,
        sid: /"session_id":"([^"]+)"/.exec(said)?.[1] ?? '',
      }))
    }

    /** What is known of the sessions, and of their two statements. */
    const recorded = (ended: readonly Ended[]) =>
      Promise.all(
        ended.map(async ({ sid }) => {
          await waitFor(async () => (await session(sid)).status === 'done')
          const { exit_code: code, state } = await session(sid)
          const { statements } = JSON.parse(
            (await site.rest.send('GET', `/api/sessions/${sid}/statements`)).body,
          ) as StatementsAnswer
          return [code, state.name, ...statements.map((one) => one.error ?? one.state)]
        }),
      )
    const session = async (sid: string) =>
      JSON.parse((await site.rest.send('GET', `/api/sessions/${sid}`)).body) as Recorded

    it('the agent: its clients and `connect` name it, and so does the record', async () => {
      const ended = await interrupted('agent', async () => {
        site.agent.signal('SIGKILL')
        await site.agent.ended()
      })
      expect(ended[0]?.said).toMatch(/FATAL: +runbook-agent: the gateway lost the agent of pg/)
      expect(ended[1]?.said).toMatch(
        /ERROR 1053 \(08S01\).*: runbook-agent: the gateway lost the agent of my/,
      )
      for (const { said } of ended) expect(said).toContain('"outcome":"agent-lost"')
      const lost = [254, 'agent-lost', 'done', 'unfinished']
      expect(await recorded(ended)).toEqual([lost, lost])
      expect(await ran('agent')).toEqual(ONCE)
    })

    describe('with a new agent', () => {
      beforeAll(async () => {
        // Nobody was left who could have told the servers.
        await pg.sql(`select pg_terminate_backend(pid) from ${backends}`)
        const thread = await my.sql(`select id from ${threads}`)
        if (thread !== '') await my.sql(`kill ${thread}`)
        await site.startAgent()
      })

      it('the gateway: the clients name it, and the agent ends their statements', async () => {
        gatewayKilled = await interrupted('gateway', () => site.killGateway())
        expect(gatewayKilled[0]?.said).toMatch(
          /FATAL: +runbook-agent: the connection to the gateway .* was lost/,
        )
        expect(gatewayKilled[1]?.said).toMatch(
          /ERROR 1053 .*: runbook-agent: the connection to the gateway .* was lost/,
        )
        await waitFor(async () => (await sleeping()).every((count) => count === '0'))
        expect(await ran('gateway')).toEqual(ONCE)
        expect([childrenOf(String(site.agent.pid)), site.secretFiles()]).toEqual([[], []])
      })
    })

    describe('with a new gateway', () => {
      beforeAll(async () => {
        await site.startGateway()
        await site.agent.says('stderr', /agent serving[^]*agent serving/)
      })

      it('the sessions of the old one say what has happened', async () => {
        // The statements of the last second are not always written.
        const known = await recorded(gatewayKilled)
        const lost = [254, 'gateway-lost']
        expect(known.map((one) => one.slice(0, 2))).toEqual([lost, lost])
      })

      it('the servers: the agent names them, and the sessions end like any other', async () => {
        const ended = await interrupted('server', () => Promise.all([pg.kill(), my.kill()]))
        expect(ended[0]?.said).toMatch(/FATAL: +the connection to .*server.* was lost/)
        expect(ended[1]?.said).toMatch(/ERROR 1105 .*: the server closed the connection before it answered/)
        const over = [0, 'succeeded', 'done']
        expect(await recorded(ended)).toEqual([
          [...over, '08006'],
          [...over, '1105'],
        ])
      })
    })

    describe('with new servers', () => {
      beforeAll(() => Promise.all([pg.restart(), my.restart()]))

      it('nothing was executed twice', async () => {
        for (const what of ['agent', 'gateway', 'server']) expect(await ran(what)).toEqual(ONCE)
        expect([childrenOf(String(site.agent.pid)), site.secretFiles()]).toEqual([[], []])
      })
    })
  },
)
