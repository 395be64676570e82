import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { connect as dial } from 'node:net'
import { promisify } from 'node:util'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { missingOwnDatabases, OwnDatabase } from '../support/machine/own-databases.ts'
import { memoryOf } from '../support/machine/processes.ts'
import { missingProgram, without } from '../support/machine/servers.ts'
import { messageOf, encodeCString } from '../../src/agent/native/postgres/messages.ts'
import { serverStartup } from '../../src/agent/native/postgres/startup.ts'
import { Program } from '../support/sites/program.ts'
import { Site } from '../support/sites/site.ts'
import { waitFor } from '../support/wait.ts'

const missing = missingOwnDatabases() ?? missingProgram('pgbench')

const GROWTH_MB = 90
const ROWS = 1_000_000
const ROW = 'x'.repeat(999)

/** Reads 8 MiB and then rests, so that all before it have to wait; prints how many bytes came. */
const SLOW_READER = `
  let [bytes, since] = [0, 0]
  process.stdin.on('data', (piece) => {
    bytes += piece.length
    since += piece.length
    if (since < 8 * 1024 * 1024) return
    since = 0
    process.stdin.pause()
    setTimeout(() => process.stdin.resume(), 100)
  })
  process.stdin.on('end', () => console.log('bytes ' + bytes))`

/** In MB; 0 when the process has just ended. One that nobody has waited for yet has no memory, and no figure. */
function memoryNow(pid: number): number {
  try {
    return memoryOf(pid) || 0
  } catch {
    return 0
  }
}

describe.skipIf(missing !== undefined)(`native clients${without(missing)}`, () => {
  let pg: OwnDatabase
  let site: Site

  beforeAll(async () => {
    pg = await OwnDatabase.postgres()
    await pg.sql('create unlogged table c (t text)')
    const env = { HOST: '127.0.0.1', PORT: String(pg.port), USER: 'postgres', PASS: '', DB: 'postgres' }
    site = await Site.start({
      connections: [{ name: 'pg', type: 'database', subtype: 'postgres', command: ['psql'], env }],
    })
    site.place.write('slow.js', SLOW_READER)
    site.place.write('one.sql', 'select 1;\n')
  })
  afterAll(async () => {
    await site[Symbol.asyncDispose]()
    await pg[Symbol.asyncDispose]()
  })

  const connect = (...args: string[]) =>
    new Program(site.place, ['connect', 'pg', ...args], {
      HOOP_APIURL: `http://${site.address}`,
      HOOP_TOKEN: site.token,
    })

  /** The end of a client, and the most memory that agent, gateway and client's side had meanwhile, in MB. */
  async function watched(run: string): Promise<{ stdout: string; growth: number[] }> {
    await using client = connect('--run', run)
    const pids = [site.agent.pid, site.gateway.pid, client.pid]
    await client.says('stderr', /listens/)
    const begin = pids.map(memoryOf)
    const peaks = [...begin]
    for (let ended; ended === undefined;) {
      ended = await Promise.race([client.ended(300_000), delay(100, undefined)])
      if (ended === undefined)
        pids.forEach((pid, at) => (peaks[at] = Math.max(peaks[at] ?? 0, memoryNow(pid))))
      else expect(ended.code).toBe(0)
    }
    const growth = peaks.map((peak, at) => Math.round(peak - (begin[at] ?? 0)))
    console.log(
      `MB more than at the beginning (agent, gateway, connect): ${growth.join(', ')}; at most ${peaks.map(Math.round).join(', ')}`,
    )
    return { stdout: client.stdout, growth }
  }

  it('1 GB of COPY arrives whole at a slow reader, and agent, gateway and client keep little of it', async () => {
    const copy = (rows: number) => `copy (select '${ROW}' from generate_series(1, ${rows})) to stdout`
    await watched(`psql -X -c "${copy(100_000)}" | node slow.js`)
    const { stdout, growth } = await watched(`psql -X -c "${copy(ROWS)}" | node slow.js`)
    expect(stdout).toContain(`bytes ${ROWS * 1000}\n`)
    expect(Math.max(...growth)).toBeLessThan(GROWTH_MB)
  })

  it('1 GB of COPY gets into the server, as fast as that takes it', async () => {
    const { growth } = await watched(`yes '${ROW}' | head -n ${ROWS} | psql -X -c "copy c from stdin"`)
    expect(await pg.sql('select count(*), sum(length(t)) from c')).toBe(`${ROWS}|${ROWS * 999}`)
    await pg.sql('truncate c')
    expect(Math.max(...growth)).toBeLessThan(GROWTH_MB)
  })

  it('100 connections in one session, and 20 sessions with one each, are served', async () => {
    const { stdout } = await watched('pgbench -n -c 100 -j 2 -t 20 -f one.sql')
    expect(stdout).toMatch(/transactions actually processed: 2000\/2000/)
    const sessions = Array.from({ length: 20 }, (_, n) => connect('--run', `psql -X -A -t -c "select ${n}"`))
    try {
      const ends = await Promise.all(sessions.map((one) => one.ended(120_000)))
      expect(ends.every(({ code }) => code === 0)).toBe(true)
      expect(sessions.map(({ stdout: said }) => said)).toEqual(sessions.map((_, n) => `${n}\n`))
    } finally {
      for (const one of sessions) await one[Symbol.asyncDispose]()
    }
  })

  it('a client that reads nothing more stalls no other, of its session or of others', async () => {
    await using port = connect('--port', '0', '--json')
    const [line] = await port.says('stderr', /^\{.*listening.*\}$/m)
    const { port: number } = JSON.parse(line) as { readonly port: number }
    const deaf = dial(number, '127.0.0.1').on('error', () => undefined)
    const startup = {
      kind: 'startup',
      version: 196_608,
      parameters: new Map([['database', 'noop']]),
    } as const
    deaf.write(serverStartup(startup, 'noop', 'noop'))
    deaf.write(messageOf(0x51, encodeCString(`select '${ROW}' from generate_series(1, ${ROWS})`)))
    await once(deaf, 'readable')
    const memory = () => [site.agent.pid, site.gateway.pid, port.pid].map(memoryOf)
    const before = memory()
    for (let times = 0; times < 5; times += 1) {
      const env = { PATH: process.env['PATH'], PGPASSWORD: 'noop', PGSSLMODE: 'disable' }
      const here = ['-h', '127.0.0.1', '-p', String(number), '-U', 'noop', '-d', 'noop']
      const asked = ['-X', '-A', '-t', '-c', 'select 40 + 2']
      expect((await promisify(execFile)('psql', [...here, ...asked], { env })).stdout).toBe('42\n')
      await using other = connect('--run', 'psql -X -A -t -c "select 40 + 2"')
      expect((await other.ended()).code).toBe(0)
      expect(other.stdout).toBe('42\n')
    }
    const growth = memory().map((now, at) => Math.round(now - (before[at] ?? 0)))
    console.log(`MB more beside a client that does not read: ${growth.join(', ')}`)
    expect(Math.max(...growth)).toBeLessThan(GROWTH_MB)
    deaf.destroy()
    // The agent cancels what nobody reads.
    const active =
      "select count(*) from pg_stat_activity where query like '%series%' and pid <> pg_backend_pid()"
    await waitFor(async () => (await pg.sql(active)) === '0')
  })
})
