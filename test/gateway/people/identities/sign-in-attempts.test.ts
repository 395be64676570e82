import { request as httpRequest, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { once } from 'node:events'
import { afterAll, beforeAll, expect, it, test } from 'vitest'
import { SignInAttempts } from '../../../../src/gateway/people/identities/sign-in-attempts.ts'
import { ScriptedAgent } from '../../../support/scripted/scripted-agent.ts'
import { ScriptedClient } from '../../../support/scripted/scripted-client.ts'
import { RunningAgent } from '../../../support/sites/running-agent.ts'
import { agentKey, otherToken, RunningGateway, userToken } from '../../../support/sites/running-gateway.ts'
import { own } from '../../../support/owned.ts'
import { waitFor } from '../../../support/wait.ts'

let site: RunningGateway
/** An admin's token that the gateway has made. */
let made: string
let addresses = 0

beforeAll(async () => {
  site = await RunningGateway.start({}, { limits: '{ failed-sign-ins: 5 }' })
  const issued = await site.request('POST', '/api/tokens', { name: 'made' })
  made = String(issued.body['token'])
  expect(made).toMatch(/^rba_/)
})
afterAll(() => site[Symbol.asyncDispose]())

/** The process's clock, which stands still: however long a test takes, no minute passes in it. */
class StoppedClock implements Disposable {
  ahead = 0
  readonly #real = performance.now.bind(performance)

  constructor() {
    // Whole, so that sums and differences are exact: 60 s are not 60.000000001, which is 61 to wait.
    const begin = Math.ceil(this.#real())
    performance.now = () => begin + this.ahead
  }

  [Symbol.dispose](): void {
    performance.now = this.#real
  }
}

interface Told {
  readonly status: number
  readonly retryAfter: string | undefined
  readonly body: Record<string, unknown>
}

/** Loopback has 16 million addresses on Linux. */
function newAddress(): string {
  addresses += 1
  return `127.9.${addresses >> 8}.${addresses & 255}`
}

async function ask(
  from: string,
  token: string,
  { path = '/api/userinfo', method = 'GET', body = '' } = {},
): Promise<Told> {
  const headers = {
    ...(token !== '' && { authorization: `Bearer ${token}` }),
    ...(body !== '' && { 'content-type': 'application/json' }),
  }
  const sent = httpRequest(`${site.gateway.http}${path}`, {
    method,
    headers,
    localAddress: from,
    agent: false,
  })
  sent.end(body)
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  const said = JSON.parse(await text(answer)) as Record<string, unknown>
  return { status: answer.statusCode ?? 0, retryAfter: answer.headers['retry-after'], body: said }
}

async function fail(from: string, times: number): Promise<number[]> {
  const statuses: number[] = []
  for (let count = 0; count < times; count++) statuses.push((await ask(from, `wrong-${count}`)).status)
  return statuses
}

it('an address that has failed too often is told to wait, with a code and for how long', async () => {
  const from = newAddress()
  expect(await fail(from, 7)).toEqual([401, 401, 401, 401, 401, 429, 429])
  const { status, retryAfter, body } = await ask(from, 'wrong')
  expect([status, body['code']]).toEqual([429, 'too-many-failed-sign-ins'])
  expect(Number(retryAfter)).toBeGreaterThan(0)
  expect(Number(retryAfter)).toBeLessThanOrEqual(60)
  expect(body['message']).toBe(`too many failed sign-ins from this address: try again in ${retryAfter} s`)
})

it('a right guess says nothing there: a token of gateway.yaml is answered like a wrong one', async () => {
  const from = newAddress()
  await fail(from, 5)
  expect((await ask(from, userToken)).status).toBe(429)
  // By every way in: the header, the sign-in of hoop's command line, what is no HTTP, a stream.
  const signIn = { path: '/api/localauth/login', method: 'POST' }
  const right = { ...signIn, body: JSON.stringify({ email: 'admin', password: userToken }) }
  expect((await ask(from, '', right)).status).toBe(429)
  expect((await ask(from, userToken, { path: '/%zz' })).status).toBe(429)
  expect(
    await raw(from, `CONNECT x:1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${userToken}\r\n\r\n`),
  ).toMatch(/^HTTP\/1.1 429 .*\r\nretry-after: \d+\r\n/s)
  const expecting = `GET / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\nAuthorization: Bearer ${userToken}\r\n\r\n`
  expect(await raw(from, expecting)).toMatch(/^HTTP\/1.1 429 /)
})

it('whoever was accepted from an address, or has a token that the gateway made, is not held up by a neighbour', async () => {
  const from = newAddress()
  expect((await ask(from, otherToken)).status).toBe(200)
  await fail(from, 50)
  expect((await ask(from, 'wrong')).status).toBe(429)
  expect((await ask(from, otherToken)).status).toBe(200)
  expect((await ask(from, made)).status).toBe(200)
  expect((await ask(newAddress(), userToken)).status).toBe(200)
})

it('a request without a token is no sign-in', async () => {
  const from = newAddress()
  for (let count = 0; count < 20; count++) expect((await ask(from, '')).status).toBe(401)
  expect((await ask(from, userToken)).status).toBe(200)
})

it('a stream of a client or an agent counts together with REST', async () => {
  const refused = async (authorization: string, origin: string) => {
    await using agent = new ScriptedAgent(site.gateway.grpc, { origin, authorization })
    await waitFor(() => agent.ended)
    return [agent.error?.details, String(agent.error?.metadata.get('runbook-agent-code'))]
  }
  const said = 'invalid authentication'
  const wrongAgent = `Bearer ${site.agentUrl.replace(agentKey, 'wrong')}`
  expect(await refused(wrongAgent, 'agent')).toEqual([said, 'unauthenticated'])
  expect(await refused('Bearer wrong', 'client')).toEqual([said, 'unauthenticated'])
  const before = await ScriptedAgent.connected(site.agentUrl)
  expect(await fail('127.0.0.1', 3)).toEqual([401, 401, 401])
  const tooMany = [
    expect.stringMatching(/^too many failed sign-ins .* in \d+ s$/),
    'too-many-failed-sign-ins',
  ]
  expect(await refused(wrongAgent, 'agent')).toEqual(tooMany)
  expect(await refused('Bearer wrong', 'client')).toEqual(tooMany)
  // The right token, but never seen from here over this gateway's life: it is not looked at.
  expect(await refused(`Bearer ${otherToken}`, 'client')).toEqual(tooMany)
  // One of ours does not hurry, as with a key that is refused.
  {
    await using hasty = await RunningAgent.start(site.agentUrl.replace(agentKey, 'wrong'))
    await waitFor(() => hasty.agent.state.name === 'refused')
    expect(hasty.agent.state).toMatchObject({
      reason: expect.stringMatching(
        /^the gateway rejects all keys from this address for a while: too many failed/,
      ) as string,
    })
  }
  // An agent that was connected comes back, and so does the user who has prepared all this.
  await before[Symbol.asyncDispose]()
  await waitFor(() => !site.gateway.agents.isOnline('local'))
  await using again = await ScriptedAgent.connected(site.agentUrl)
  expect(again.error).toBeUndefined()
  await using client = new ScriptedClient(site.gateway.grpc, { 'connection-name': 'none', verb: 'exec' })
  await waitFor(() => client.status !== undefined)
  expect(client.status?.details).toBe('connection not found')
})

it('the audit log has failures over gRPC, too, counted by address', async () => {
  const { body } = await ask(newAddress(), made, { path: '/api/audit/logs?action=sign-in' })
  const failed = (body['data'] as { client_ip: string; outcome: boolean }[]).filter(({ outcome }) => !outcome)
  expect(failed.map(({ client_ip: ip }) => ip)).toContain('127.0.0.1')
})

it('3,000 sign-ins from 600 addresses at once: each has its five, and nobody else waits', async () => {
  own(new StoppedClock())
  const from = Array.from({ length: 600 }, newAddress)
  const all = await Promise.all(from.map((one) => fail(one, 5)))
  expect(all.flat().filter((status) => status !== 401)).toEqual([])
  const next = await Promise.all(from.map((one) => ask(one, userToken)))
  expect(next.filter(({ status }) => status !== 429)).toEqual([])
  expect((await ask(newAddress(), userToken)).status).toBe(200)
})

test('an attacker with ever new addresses gets none forgotten: what is beyond 10,000 counts as one', () => {
  own(new StoppedClock())
  const attempts = new SignInAttempts({ most: () => 5, told: () => undefined })
  const first = '10.0.0.1'
  for (let count = 0; count < 5; count++) attempts.refused(first)
  for (let count = 0; count < 50_000; count++)
    attempts.refused(`2001:db8:${(count >> 8).toString(16)}:${count & 255}::1`)
  expect(attempts.holdsUp(first, 'token')).toBe(true)
  expect(attempts.refused('192.0.2.7')).toBeGreaterThan(0)
  expect(attempts.holdsUp('192.0.2.8', 'token')).toBe(true)
  attempts.accepted('192.0.2.8', 'token')
  expect(attempts.holdsUp('192.0.2.8', 'token')).toBe(false)
})

test('a network of IPv6 is one address, and IPv4 is the same in both spellings', () => {
  const attempts = new SignInAttempts({ most: () => 2, told: () => undefined })
  attempts.refused('2001:db8:1:2::1')
  attempts.refused('2001:db8:1:2:ffff::9')
  expect(attempts.holdsUp('2001:db8:1:2:3::4', 'token')).toBe(true)
  expect(attempts.holdsUp('2001:db8:1:3::4', 'token')).toBe(false)
  attempts.refused('::ffff:10.1.1.1')
  attempts.refused('10.1.1.1')
  expect(attempts.holdsUp('10.1.1.1', 'token')).toBe(true)
})

test('10,000 credentials are known by their address, the least used is forgotten first', () => {
  const attempts = new SignInAttempts({ most: () => 1, told: () => undefined })
  attempts.accepted('10.0.0.1', 'a')
  attempts.accepted('10.0.0.1', 'b')
  for (let count = 0; count < 9_998; count++) attempts.accepted('10.0.0.2', String(count))
  attempts.accepted('10.0.0.1', 'a')
  attempts.accepted('10.0.0.2', 'one more')
  attempts.refused('10.0.0.1')
  expect(attempts.holdsUp('10.0.0.1', 'a')).toBe(false)
  expect(attempts.holdsUp('10.0.0.1', 'b')).toBe(true)
})

test('an address begins anew after a minute, whatever the wall clock says', () => {
  const clock = own(new StoppedClock())
  const attempts = new SignInAttempts({ most: () => 1, told: () => undefined })
  attempts.refused('10.0.0.1')
  expect(attempts.refused('10.0.0.1')).toBe(60)
  clock.ahead = 59_000
  expect(attempts.refused('10.0.0.1')).toBe(1)
  clock.ahead = 60_500
  expect(attempts.holdsUp('10.0.0.1', 'token')).toBe(false)
  expect(attempts.refused('10.0.0.1')).toBeUndefined()
})

async function raw(from: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(site.gateway.http)
  const socket = connect({ host: hostname, port: Number(port), localAddress: from })
  socket.write(bytes)
  const answer = await text(socket)
  socket.destroy()
  return answer
}
