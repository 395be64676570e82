import { existsSync, readFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import Database from 'libsql'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { EXAMPLE_MARK, gatewayYaml, ORDERS, withoutExamples } from '../../src/commands/dev/first-settings.ts'
import { findsPostgres } from '../../src/commands/dev/postgres.ts'
import { Development } from '../support/sites/development.ts'
import { Workplace } from '../support/sites/workplace.ts'
import { waitFor } from '../support/wait.ts'

interface Listed {
  readonly id: string
  readonly connection: string
  readonly user: string
  readonly state: { readonly name: string }
  readonly exit_code: number | null
}

async function get<Answer>({ rest }: Development, path: string): Promise<Answer> {
  return JSON.parse((await rest.send('GET', path)).body) as Answer
}

const names = async (dev: Development, path: string) =>
  (await get<{ name: string }[]>(dev, path)).map(({ name }) => name)
const sessionsOf = async (dev: Development) => (await get<{ data: Listed[] }>(dev, '/api/sessions')).data
const hasExamples = async (dev: Development) =>
  (await get<{ has_examples: boolean }>(dev, '/api/serverinfo')).has_examples
const remove = (dev: Development) => dev.rest.send('DELETE', '/api/examples')

/** The greeting, four runs of the batch, the run of the schedule, the table and the request: then all have run. */
const ALL_SESSIONS = 8
const UNDER_WAY = ['waiting-for-lock', 'waiting-for-agent', 'running']

/** Settles when all examples have run or wait for an approval. */
async function shown(dev: Development): Promise<readonly Listed[]> {
  let sessions: readonly Listed[] = []
  await waitFor(async () => {
    sessions = await sessionsOf(dev)
    return sessions.length >= ALL_SESSIONS && !sessions.some(({ state }) => UNDER_WAY.includes(state.name))
  })
  return sessions
}

describe('the first start of dev', () => {
  it('makes examples by real runs: a table, a batch with one failure, a schedule, a request of another user', async () => {
    using place = new Workplace()
    await using dev = await Development.start(place)
    const sessions = await shown(dev)
    expect(
      sessions.map(({ connection, user, exit_code: code }) => `${connection} ${user} ${code}`).toSorted(),
    ).toEqual([
      'bash admin 0',
      'example-berlin admin 0',
      'example-berlin admin 0',
      'example-lisbon admin 0',
      'example-orders admin 0',
      'example-orders example-dana null',
      'example-oslo admin 1',
      'example-vienna admin 0',
    ])
    const [batch] = await get<{ counts: object }[]>(dev, '/api/batches')
    expect(batch?.counts).toMatchObject({ total: 4, succeeded: 3, failed: 1, not_begun: 0 })
    const [request] = await get<{ owner: string; status: string; can: object }[]>(dev, '/api/reviews')
    expect(request).toMatchObject({ owner: 'example-dana', status: 'PENDING', can: { approve: true } })
    const [schedule] = await get<{ name: string; problem: unknown }[]>(dev, '/api/schedules')
    expect(schedule).toMatchObject({ name: 'example-nightly-stock', problem: null })
    // The schedule notices the end of its run a moment after the session has ended.
    await waitFor(async () => {
      const [{ last_run: last } = {}] = await get<{ last_run?: { status: string } }[]>(dev, '/api/schedules')
      return last?.status === 'success'
    })
    const table = sessions.find(({ connection, user }) => connection === 'example-orders' && user === 'admin')
    const [output = ''] = (await dev.rest.session(table?.id ?? '')).event_stream ?? []
    expect(output).toMatch(/^day\tBerlin\tLisbon\tOslo\tVienna\n(?:\d{4}-\d\d-\d\d(?:\t\d+){4}\n){14}$/)
  })

  it('removes by one request exactly what it made, and the next start makes nothing again', async () => {
    using place = new Workplace()
    const settings = () => readFileSync(place.at('state/gateway.yaml'), 'utf8')
    const ids = async (dev: Development) => (await sessionsOf(dev)).map(({ id }) => id)
    let before: string[]
    {
      await using dev = await Development.start(place)
      before = (await shown(dev)).map(({ id }) => id)
      const written = settings()
      expect(await hasExamples(dev)).toBe(true)
      expect(await remove(dev)).toMatchObject({ status: 200, body: '{"kept":null}' })
      expect(settings()).toBe(withoutExamples(written))
      expect(settings()).not.toMatch(/- \{ name: example-/)
      for (const path of ['/api/connections', '/api/users', '/api/schedules'])
        expect((await names(dev, path)).filter((name) => name.startsWith('example-'))).toEqual([])
      expect(await names(dev, '/api/connections')).toEqual(expect.arrayContaining(['bash', 'python']))
      for (const made of ['example-shop', 'example-dana.token', 'gateway.yaml.new'])
        expect([made, existsSync(place.at('state', made))]).toEqual([made, false])
      expect(existsSync(place.at('state/runbooks/ops/hello.runbook.sh'))).toBe(true)
      const [request] = await get<{ status: string; withdrawn_by: string }[]>(dev, '/api/reviews')
      expect(request).toMatchObject({ status: 'REJECTED', withdrawn_by: 'admin' })
      expect(await ids(dev)).toEqual(before)
      expect((await remove(dev)).status).toBe(404)
    }
    await using dev = await Development.start(place)
    expect(await hasExamples(dev)).toBe(false)
    expect(existsSync(place.at('state/example-shop'))).toBe(false)
    // The greeting of this start is new.
    expect((await ids(dev)).slice(1)).toEqual(before)
  })

  it('runs nothing again at the next start while the examples stay', async () => {
    using place = new Workplace()
    let before: number
    {
      await using dev = await Development.start(place)
      before = (await shown(dev)).length
    }
    await using dev = await Development.start(place)
    expect(await hasExamples(dev)).toBe(true)
    await dev.rest.script('bash', 'true')
    expect((await sessionsOf(dev)).length).toBe(before + 2)
  })

  it('runs those examples that a start which ended early has left, and the others not twice', async () => {
    using place = new Workplace()
    const mark = place.at('state/examples.unfinished')
    {
      await using dev = await Development.start(place)
      await shown(dev)
      await waitFor(() => !existsSync(mark))
    }
    // As after a start that ended before its last example.
    const history = new Database(place.at('state/history.sqlite'))
    history.exec("DELETE FROM sessions WHERE runbook LIKE '%revenue%'")
    history.close()
    place.write('state/examples.unfinished', '')
    await using dev = await Development.start(place)
    await waitFor(() => !existsSync(mark))
    const sessions = await shown(dev)
    expect(sessions).toHaveLength(ALL_SESSIONS + 1)
    const revenues = sessions.filter(({ connection, user }) => connection === ORDERS && user === 'admin')
    expect(revenues).toHaveLength(1)
  })

  it('keeps runbooks of the examples that have changed, and says where', async () => {
    using place = new Workplace()
    await using dev = await Development.start(place)
    place.write('state/example-shop/example-orders/mine.runbook.js', '// Mine\n')
    const kept = place.at('state/example-shop')
    expect(JSON.parse((await remove(dev)).body)).toEqual({ kept })
    expect(existsSync(`${kept}/example-orders/mine.runbook.js`)).toBe(true)
  })

  it('removes nothing if gateway.yaml cannot be used without the examples', async () => {
    using place = new Workplace()
    await using dev = await Development.start(place)
    const own = '  - { name: mine, agent: local, command: [node], runbooks: { repository: example-shop } }\n'
    const written = readFileSync(place.at('state/gateway.yaml'), 'utf8') + own
    place.write('state/gateway.yaml', written)
    await shown(dev)
    const answer = await remove(dev)
    expect([answer.status, answer.body]).toEqual([422, expect.stringContaining('runbooks.repository')])
    expect(readFileSync(place.at('state/gateway.yaml'), 'utf8')).toBe(written)
    expect(existsSync(place.at('state/example-shop'))).toBe(true)
    const [request] = await get<{ status: string }[]>(dev, '/api/reviews')
    expect(request).toMatchObject({ status: 'PENDING' })
  })

  it("makes no examples beside a gateway.yaml of one's own", async () => {
    using place = new Workplace()
    place.write('state/gateway.yaml', withoutExamples(gatewayYaml({ hasPostgres: false })))
    await using dev = await Development.start(place)
    expect(await hasExamples(dev)).toBe(false)
    expect((await remove(dev)).status).toBe(404)
    for (const made of ['example-shop', 'example-dana.token'])
      expect(existsSync(place.at('state', made))).toBe(false)
    expect((await sessionsOf(dev)).map(({ connection }) => connection)).toEqual(['bash'])
  })
})

describe('the first settings of dev', () => {
  const connections = (yaml: string) =>
    (parse(yaml) as { connections: { name: string }[] }).connections.map(({ name }) => name)

  it('have PostgreSQL only where one answers, and otherwise its lines to uncomment', () => {
    expect(connections(gatewayYaml({ hasPostgres: true }))).toContain('postgres')
    const without = gatewayYaml({ hasPostgres: false })
    expect(connections(without)).not.toContain('postgres')
    expect(connections(without.replaceAll(/^ {2}# (?=- name: postgres| {2})/gm, '  '))).toContain('postgres')
  })

  it('mark every line of the examples, and only these', () => {
    const lines = gatewayYaml({ hasPostgres: true }).split('\n')
    for (const line of lines.filter((one) => /^\s+- \{ name: example-/.test(one)))
      expect(line.endsWith(EXAMPLE_MARK)).toBe(true)
    expect(withoutExamples(lines.join('\n'))).not.toMatch(/- \{ name: example-/)
  })

  it.each([
    ['a server that takes TLS', 'S', true],
    ['a server without TLS', 'N', true],
    ['another program', 'HTTP/1.1 400 Bad Request\r\n\r\n', false],
    ['a program that says nothing', '', false],
  ])('know whether it is a PostgreSQL that answers: %s', async (_, answer, isOne) => {
    const asked: Buffer[] = []
    const server = createServer((socket: Socket) => {
      socket.on('error', () => undefined)
      socket.on('data', (bytes) => {
        asked.push(bytes)
        if (answer !== '') socket.write(answer)
      })
    }).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as AddressInfo
    expect(await findsPostgres(port)).toBe(isOne)
    // Only the question whether TLS is possible: no user, no database.
    expect(Buffer.concat(asked).toString('hex')).toBe('0000000804d2162f')
    await new Promise((resolve) => server.close(resolve))
    expect(await findsPostgres(port)).toBe(false)
  })
})
