import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ClientSite, clientOf, printed, recorded, textOf } from '../../support/sites/client-site.ts'
import { isAlive } from '../../support/machine/processes.ts'
import { OWN_LONGEST_END } from '../../../src/wire/service.ts'
import { RunningGateway } from '../../support/sites/running-gateway.ts'
import { ScriptedAgent } from '../../support/scripted/scripted-agent.ts'
import type { ScriptedClient } from '../../support/scripted/scripted-client.ts'
import { waitFor } from '../../support/wait.ts'

// Every way a client's session ends that is not the command's own, with real commands.

let site: ClientSite
beforeEach(async () => {
  site = await ClientSite.start()
})
afterEach(() => site[Symbol.asyncDispose]())

interface Running extends AsyncDisposable {
  readonly client: ScriptedClient
  readonly pid: number
  readonly sid: string
}

/** A running command of each verb. */
async function running(verb: 'exec' | 'connect'): Promise<Running> {
  const client = site.client(verb)
  const script = 'printf "pid=%s\\n" $$; exec sleep 1000\n'
  if (verb === 'exec') {
    client.open(script)
    await client.packet('ClientSessionOpenOK')
    client.send({ kind: 'exec', stdin: Buffer.from(script) })
  } else {
    await client.connect()
    client.type(script)
  }
  const pid = await printed(client, 'pid=')
  return { client, pid, sid: await client.sid(), [Symbol.asyncDispose]: () => client.leave() }
}

/** A session whose client has left when the agent had its script. */
async function leftRunning(gateway: RunningGateway, agent: ScriptedAgent): Promise<string> {
  const exec = clientOf(gateway, 'exec')
  exec.open('true')
  const { sid } = await agent.packet('AgentSessionOpen')
  agent.send('ClientSessionOpenOK', { 'gateway.session_id': sid })
  exec.send({ kind: 'exec', stdin: Buffer.from('true') })
  await agent.packet('AgentExecWriteStdin')
  await exec.leave()
  return sid
}

const gone = (pid: number) => waitFor(() => !isAlive(pid))

describe.each(['exec', 'connect'] as const)('%s', (verb) => {
  it('is killed through REST: the client is told, the command is ended, the record says it', async () => {
    await using run = await running(verb)
    const { client, pid, sid } = run
    expect(await site.kill(sid)).toBe(204)
    expect(await client.over()).toMatchObject({ code: 2, details: 'session killed by the user: admin' })
    await gone(pid)
    const record = await site.recorded(sid)
    expect(record.exit_code).toBe(254)
    expect(record.state).toMatchObject({ name: 'stopped', by: 'admin' })
    expect(textOf(record, 'e')).toBe('rpc error: code = Unknown desc = session killed by the user: admin')
    expect(await site.kill(sid)).toBe(204)
  })

  it('ends with its client, and the record has the real code of the command', async () => {
    const { client, pid, sid } = await running(verb)
    await client.leave()
    await gone(pid)
    const record = await site.recorded(sid)
    expect(record.exit_code).toBe(verb === 'exec' ? 143 : 129)
    expect(record.state).toMatchObject({ name: 'closed', text: 'closed' })
    expect(textOf(record, 'e')).toMatch(
      /^\n?the client has left: ended by the agent: the gateway closed the session$/,
    )
  })

  it('ends when its client only stops sending, and tells it so', async () => {
    await using run = await running(verb)
    const { client, pid, sid } = run
    client.halfClose()
    expect((await client.ended()).message).toContain('the gateway closed the session')
    expect(client.status?.code).toBe(0)
    await gone(pid)
    expect((await site.recorded(sid)).exit_code).toBe(verb === 'exec' ? 143 : 129)
  })

  it('ends with the gateway: the client is told, the command is ended, the record says it', async () => {
    await using run = await running(verb)
    const { client, pid, sid } = run
    await site.gateway.gateway.endSessions()
    expect(await client.over()).toMatchObject({ code: 2, details: 'gateway shutdown' })
    await gone(pid)
    expect((await site.recorded(sid)).exit_code).toBe(254)
    await using late = site.client(verb)
    late.open('true')
    expect(await late.over()).toMatchObject({ code: 2, details: 'gateway shutdown' })
  })

  it('ends with a malformed packet, which is named', async () => {
    await using run = await running(verb)
    const { client, pid, sid } = run
    client.sendPacket({ type: 'AgentTerminalResizeTTY', spec: {}, payload: Buffer.from('1,2') })
    expect(await client.over()).toMatchObject({
      code: 3,
      details: 'malformed AgentTerminalResizeTTY: payload: a window size is rows,cols,x,y',
    })
    await gone(pid)
    expect(textOf(await site.recorded(sid), 'e')).toContain('code = InvalidArgument desc = malformed')
  })

  it('says what this gateway does not serve when the client wants a native connection', async () => {
    await using run = await running(verb)
    const { client, pid } = run
    const spec = { 'client.connection_id': Buffer.from('1') }
    client.sendPacket({ type: 'AgentPGConnectionWrite', spec, payload: Buffer.from('x') })
    const { code, details } = await client.over()
    expect([code, details]).toEqual([3, expect.stringContaining('no native connections')])
    await gone(pid)
  })
})

it('a script that is not the one of the opening does not run: the record would be a lie', async () => {
  await using exec = site.client('exec')
  exec.open('echo harmless')
  await exec.packet('ClientSessionOpenOK')
  exec.send({ kind: 'exec', stdin: Buffer.from('echo evil') })
  const { code, details } = await exec.over()
  expect([code, details]).toEqual([3, expect.stringContaining('the script differs')])
  expect(textOf(await site.recorded(await exec.sid()), 'io')).toBe('')
})

it('a malformed argument is named, and its command never begins', async () => {
  await using exec = site.client('exec')
  exec.sendPacket({
    type: 'AgentSessionOpen',
    spec: { 'terminal.args': Buffer.from('x') },
    payload: Buffer.alloc(0),
  })
  const { code, details } = await exec.over()
  expect([code, details]).toEqual([3, expect.stringMatching(/^malformed AgentSessionOpen: terminal\.args: /)])
})

it('a client that leaves before it opens its session leaves nothing', async () => {
  const early = site.client('exec')
  early.send({ kind: 'keepalive' })
  await early.leave()
  await using next = site.client('exec')
  expect((await next.exec('echo on')).stdout).toBe('on\n')
})

it.each(['exec', 'connect'] as const)(
  '%s: a client that leaves while its session waits for an agent ends it, and no agent is asked for it',
  async (verb) => {
    await using gateway = await RunningGateway.start({}, { limits: '{ agent-wait: 60s }' })
    const client = clientOf(gateway, verb)
    client.open(verb === 'exec' ? 'true' : '')
    const list = async () => (await gateway.request('GET', '/api/sessions')).body['data'] as { id: string }[]
    await waitFor(async () => (await list()).length === 1)
    const [{ id } = { id: '' }] = await list()
    await client.leave()
    const record = await recorded(gateway, id)
    expect(record).toMatchObject({ exit_code: 254, state: { name: 'closed', text: 'closed', by: null } })
    expect(textOf(record, 'e')).toBe('rpc error: code = Canceled desc = the client has left')
    await using agent = await ScriptedAgent.connected(gateway.agentUrl)
    await using next = clientOf(gateway, 'exec')
    next.open('true')
    expect((await agent.packet('AgentSessionOpen')).sid).not.toBe(id)
  },
)

describe('the loss of an agent', () => {
  it('is told to each client, and is in the record', async () => {
    await using gateway = await RunningGateway.start()
    const agent = await ScriptedAgent.connected(gateway.agentUrl)
    await using exec = clientOf(gateway, 'exec')
    exec.open('true')
    const { sid } = await agent.packet('AgentSessionOpen')
    agent.send('ClientSessionOpenOK', { 'gateway.session_id': sid })
    await exec.packet('ClientSessionOpenOK')
    await agent[Symbol.asyncDispose]()
    // A cancelled call of grpc-js looks like its orderly end (protocol.md 0.25).
    const { code, details } = await exec.over()
    expect([code, details]).toEqual([2, expect.stringMatching(/EOF|agent has disconnected/)])
    expect((await recorded(gateway, sid)).exit_code).toBe(254)
  })

  it('ends the record of a client that has left at once', async () => {
    await using gateway = await RunningGateway.start()
    const agent = await ScriptedAgent.connected(gateway.agentUrl)
    const sid = await leftRunning(gateway, agent)
    await agent.packet('AgentSessionClose')
    await agent[Symbol.asyncDispose]()
    expect((await recorded(gateway, sid)).exit_code).toBe(254)
  })
})

it('an agent that does not answer the leaving of a client keeps the record open only as long as it says', async () => {
  await using gateway = await RunningGateway.start()
  await using agent = await ScriptedAgent.connected(gateway.agentUrl, { [OWN_LONGEST_END]: '100' })
  const sid = await leftRunning(gateway, agent)
  const record = await recorded(gateway, sid)
  expect(record.exit_code).toBe(254)
  expect(textOf(record, 'e')).toContain(
    'the client has left, and the agent did not report the end of the command in time',
  )
})

it('a command that needs a long kill.grace to end after its client has left is recorded with its own end', async () => {
  await using slow = await ClientSite.start({ killGraceMs: 16_000 })
  const client = slow.client('exec')
  const script = 'trap "" TERM; printf "pid=%s\\n" $$; while :; do sleep 1000; done\n'
  client.open(script)
  await client.packet('ClientSessionOpenOK')
  client.send({ kind: 'exec', stdin: Buffer.from(script) })
  const pid = await printed(client, 'pid=')
  await client.leave()
  await waitFor(() => !isAlive(pid), 60_000)
  const record = await slow.recorded(await client.sid())
  expect([record.exit_code, record.state.name]).toEqual([137, 'closed'])
  expect(textOf(record, 'e')).toContain('the client has left: ended by the agent')
})
