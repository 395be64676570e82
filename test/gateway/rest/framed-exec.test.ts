import { createServer, request as httpRequest } from 'node:http'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Account, findAccount } from '../../../src/client/account/account.ts'
import { upgrade } from '../../../src/client/rest/upgrade.ts'
import { ClientSession, metadataOf, type StreamRequest } from '../../../src/client/running/client-session.ts'
import { openExecLine } from '../../../src/client/running/exec-line.ts'
import { grpcAccess, openGrpcLine } from '../../../src/client/running/grpc-line.ts'
import type { StreamEnd } from '../../../src/client/running/session-end.ts'
import { FramedStream } from '../../../src/dial/framed-stream.ts'
import type { PacketLine } from '../../../src/dial/packet-line.ts'
import { EXEC_STREAM, FRAMED_PACKETS } from '../../../src/wire/framed-packets.ts'
import { own } from '../../support/owned.ts'
import { RunningAgent } from '../../support/sites/running-agent.ts'
import { otherToken, RunningGateway, userToken } from '../../support/sites/running-gateway.ts'
import { waitFor } from '../../support/wait.ts'

// What holds for executions of command lines holds for both ways on which they come.

type OpenLine = (account: Account, request: StreamRequest, signal: AbortSignal) => Promise<PacketLine>

const ways = {
  frames: (account, request, signal) => framed(account, request, signal),
  gRPC: async (account, request) => openGrpcLine(await grpcAccess(account), request),
} as const satisfies Record<string, OpenLine>
const WAYS = Object.keys(ways) as (keyof typeof ways)[]

/** @param forwardedFor what a proxy would say, or a client that forges it */
async function framed(
  account: Account,
  request: StreamRequest,
  signal: AbortSignal,
  forwardedFor?: string,
): Promise<PacketLine> {
  const headers = {
    ...metadataOf(request),
    ...(forwardedFor !== undefined && { 'X-Forwarded-For': forwardedFor }),
  }
  const socket = await upgrade(account, { path: EXEC_STREAM, protocol: FRAMED_PACKETS, headers }, signal)
  if (socket === undefined) throw new Error('not upgraded')
  return new FramedStream(socket, 'gateway')
}

interface Asked {
  readonly at?: RunningGateway
  readonly url?: string
  readonly token?: string
}

/** A client that reads its session to the end. */
class Exec {
  output = ''
  readonly ended: Promise<StreamEnd>

  constructor(open: OpenLine, connection: string, script: string, asked: Asked = {}) {
    this.ended = this.#run(open, connection, script, asked)
  }

  async #run(
    open: OpenLine,
    connection: string,
    script: string,
    { at = gateway, url = at.gateway.http, token = userToken }: Asked,
  ): Promise<StreamEnd> {
    const account = findAccount({
      env: { HOOP_APIURL: url, HOOP_GRPCURL: at.gateway.grpc, HOOP_TOKEN: token },
      stored: undefined,
      file: '',
    })
    const request = {
      verb: 'exec',
      connection,
      script: Buffer.from(script),
      clientArgs: [],
      envVars: new Map<string, string>(),
    } as const
    using session = new ClientSession(request, (signal) => open(account, request, signal))
    for await (const event of session.events()) {
      if (event.kind === 'stdout') this.output += String(event.data)
    }
    return session.end
  }
}

const codeOf = (end: StreamEnd) => (end.kind === 'exited' ? end.exitCode : end.code)
const bots = WAYS.map(
  (way) =>
    `\n  - { name: bot-${way}, kind: machine, token: token-of-the-bot-by-${way}, groups: [lead], budget: { runs: 1, per: 1h } }`,
)
const EYE = 'token-of-an-auditor-0123'

let gateway: RunningGateway
let agent: RunningAgent
beforeAll(async () => {
  gateway = await RunningGateway.start(
    {},
    {
      users: `${bots.join('')}\n  - { name: eye, token: ${EYE}, groups: [auditor] }`,
      connections: `
  - { name: closed, agent: local, command: [bash], access: { exec: false } }
  - { name: admins, agent: local, command: [bash], access: { groups: [admin] } }
  - { name: reviewed, agent: local, command: [bash], review: { groups: [dba] } }
  - { name: away, agent: elsewhere, command: [bash] }`,
      agents: '{ name: elsewhere, key: xagt-of-another-agent-0123456789 }',
      limits: '{ agent-wait: 300ms }',
    },
  )
  agent = await RunningAgent.start(gateway.agentUrl)
  await agent.serving()
})
afterAll(async () => {
  await agent[Symbol.asyncDispose]()
  await gateway[Symbol.asyncDispose]()
})

/** A token of a new user, and how to change both. */
async function person(name: string) {
  await gateway.request('POST', '/api/users', { email: name, groups: ['admin'] })
  const { body } = await gateway.request('POST', '/api/tokens', { name: `of-${name}`, user: name })
  return { token: String(body['token']), id: String(body['id']) }
}

describe.each(WAYS)('an execution of a command line by %s', (way) => {
  const exec = (connection: string, script: string, asked?: Asked) =>
    new Exec(ways[way], connection, script, asked)

  it('uses up the budget of a machine', async () => {
    const token = `token-of-the-bot-by-${way}`
    expect(await exec('bash', 'exit 3', { token }).ended).toMatchObject({ kind: 'exited', exitCode: 3 })
    expect(codeOf(await exec('bash', 'exit 3', { token }).ended)).toBe('budget-spent')
    const asked = { connection: 'bash', script: 'exit 3' }
    const byRest = await gateway.request('POST', '/api/sessions', asked, { authorization: `Bearer ${token}` })
    expect(byRest.body['code']).toBe('budget-spent')
  })

  it.each([
    ['a connection without scripts', 'closed', userToken, 'not-permitted'],
    ['a connection of others', 'admins', `token-of-the-bot-by-${way}`, 'connection-not-found'],
    ['an auditor', 'bash', EYE, 'not-permitted'],
    ['a connection whose agent is away', 'away', userToken, 'agent-offline'],
  ])('is refused for %s', async (_, connection, token, code) => {
    expect(codeOf(await exec(connection, 'true', { token }).ended)).toBe(code)
  })

  it('waits for an approval, and runs once, however often it is approved', async () => {
    const file = path.join(mkdtempSync(path.join(tmpdir(), 'once-')), 'runs')
    const asked = exec('reviewed', `echo ran | tee -a ${file}`)
    const waiting = async () => {
      const { body } = await gateway.request('GET', '/api/reviews')
      const reviews = body as unknown as { id: string; status: string }[]
      return reviews.find(({ status }) => status === 'PENDING')?.id
    }
    await waitFor(async () => (await waiting()) !== undefined)
    const url = `/api/reviews/${await waiting()}`
    const approver = { authorization: `Bearer ${otherToken}` }
    const approve = () => gateway.request('PUT', url, { status: 'APPROVED' }, approver)
    const answers = await Promise.all([approve(), approve()])
    expect(answers.map(({ status }) => status)).toContain(200)
    expect(await asked.ended).toMatchObject({ kind: 'exited', exitCode: 0 })
    expect([asked.output, readFileSync(file, 'utf8')]).toEqual(['ran\n', 'ran\n'])
    rmSync(path.dirname(file), { recursive: true })
  })

  it('ends with its token, and with its user', async () => {
    const { token, id } = await person(`ann-${way}`)
    const revoked = exec('bash', 'echo begun; exec sleep 1000', { token })
    await waitFor(() => revoked.output === 'begun\n')
    await gateway.request('DELETE', `/api/tokens/${id}`)
    expect(codeOf(await revoked.ended)).toBe('token-ended')
    expect(codeOf(await exec('bash', 'true', { token }).ended)).toBe('unauthenticated')

    const bob = await person(`bob-${way}`)
    const disabled = exec('bash', 'echo begun; exec sleep 1000', bob)
    await waitFor(() => disabled.output === 'begun\n')
    await gateway.request('PUT', `/api/users/bob-${way}`, { status: 'inactive' })
    expect(codeOf(await disabled.ended)).toBe('token-ended')
    expect(codeOf(await exec('bash', 'true', bob).ended)).toBe('unauthenticated')
    // Their commands have ended with them.
    await waitFor(() => agent.services.slots.taken === 0)
  })

  it('ends with the longest duration of the agent', async () => {
    const at = own(await RunningGateway.start())
    const short = own(await RunningAgent.start(at.agentUrl, { maxDurationMs: 300 }))
    await short.serving()
    expect(await exec('bash', 'exec sleep 1000', { at }).ended).toMatchObject({
      kind: 'exited',
      exitCode: 124,
    })
  })

  it('is refused by a gateway that drains, and ends with one that closes', async () => {
    await using at = await RunningGateway.start()
    await using served = await RunningAgent.start(at.agentUrl)
    await served.serving()
    const running = exec('bash', 'echo begun; exec sleep 1000', { at })
    await waitFor(() => running.output === 'begun\n')
    const hurry = new AbortController()
    const drained = at.gateway.drain(hurry.signal)
    expect(codeOf(await exec('bash', 'true', { at }).ended)).toBe('gateway-draining')
    expect(served.services.slots.taken).toBe(1)
    hurry.abort()
    await drained
    await at.gateway.close()
    expect(codeOf(await running.ended)).toBe('gateway-stopped')
    await waitFor(() => served.services.slots.taken === 0)
  })
})

describe('the address of a client whose connection is upgraded', () => {
  const from =
    (address: string): OpenLine =>
    (account, request, signal) =>
      framed(account, request, signal, address)
  /** Whether REST still looks at a wrong token from there. */
  const byRest = async (at: RunningGateway, address: string) =>
    (
      await at.request('GET', '/api/userinfo', undefined, {
        authorization: 'Bearer wrong',
        'x-forwarded-for': address,
      })
    ).status
  const refusedAt = async (at: RunningGateway, address: string) => {
    const { body } = await at.request('GET', '/api/audit/logs?action=execute')
    expect(codeOf(await new Exec(from(address), 'none', 'true', { at }).ended)).toBe('connection-not-found')
    const { body: now } = await at.request('GET', '/api/audit/logs?action=execute')
    const entries = now['data'] as { client_ip: string }[]
    expect(entries.length).toBe((body['data'] as object[]).length + 1)
    return entries[0]?.client_ip
  }

  it('is what a trusted proxy says, for the audit log and for failed sign-ins', async () => {
    const at = own(
      await RunningGateway.start(
        {},
        { listen: 'trusted-proxies: [127.0.0.1]', limits: '{ failed-sign-ins: 1 }' },
      ),
    )
    expect(await refusedAt(at, '203.0.113.9, 10.1.2.3')).toBe('10.1.2.3')
    const wrong = { at, token: 'wrong' }
    const [one, other] = ['10.0.0.1', '10.0.0.2']
    expect(codeOf(await new Exec(from(one), 'bash', 'true', wrong).ended)).toBe('unauthenticated')
    expect(codeOf(await new Exec(from(one), 'bash', 'true', wrong).ended)).toBe('too-many-failed-sign-ins')
    expect([await byRest(at, one), await byRest(at, other)]).toEqual([429, 401])
    expect(codeOf(await new Exec(from(other), 'bash', 'true', wrong).ended)).toBe('too-many-failed-sign-ins')
  })

  it('is its own where no proxy is trusted, whatever it says', async () => {
    const at = own(await RunningGateway.start({}, { limits: '{ failed-sign-ins: 1 }' }))
    expect(await refusedAt(at, '10.1.2.3')).toBe('127.0.0.1')
    const codes: unknown[] = []
    for (const address of ['10.0.0.1', '10.0.0.2'])
      codes.push(codeOf(await new Exec(from(address), 'bash', 'true', { at, token: 'wrong' }).ended))
    expect(codes).toEqual(['unauthenticated', 'too-many-failed-sign-ins'])
    expect(await byRest(at, '10.0.0.3')).toBe(429)
  })
})

it('a wrong token counts once where a proxy drops the offer of an upgrade, and a right one runs', async () => {
  const at = own(await RunningGateway.start({}, { limits: '{ failed-sign-ins: 1 }' }))
  const served = own(await RunningAgent.start(at.agentUrl))
  await served.serving()
  const asked: string[] = []
  const proxy = createServer(({ method, url = '', headers }, answer) => {
    asked.push(url)
    const { upgrade: _, ...kept } = headers
    const on = httpRequest(`${at.gateway.http}${url}`, {
      method,
      headers: { ...kept, connection: 'close' },
      agent: false,
    })
    on.on('response', (got) => {
      answer.writeHead(got.statusCode ?? 0, got.headers)
      got.pipe(answer)
    })
    on.end()
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  own({
    [Symbol.dispose]: () => {
      proxy.close()
      proxy.closeAllConnections()
    },
  })
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  const exec = (token: string) => new Exec(openExecLine, 'bash', 'echo ran', { at, url, token })
  const right = exec(userToken)
  expect(codeOf(await right.ended)).toBe(0)
  expect(right.output).toBe('ran\n')
  expect(codeOf(await exec('wrong').ended)).toBe('unauthenticated')
  expect(codeOf(await exec('wrong').ended)).toBe('too-many-failed-sign-ins')
  expect(asked).toContain(EXEC_STREAM)
  const body = await at.request('GET', EXEC_STREAM, undefined, { authorization: 'Bearer wrong' })
  expect(body.status).toBe(404)
})
