import { describe, expect, test } from 'vitest'
import { Secret } from '../../../src/basics/secret.ts'
import {
  ClientSession,
  type StreamEvent,
  type StreamRequest,
} from '../../../src/client/running/client-session.ts'
import { openGrpcLine } from '../../../src/client/running/grpc-line.ts'
import type { StreamEnd } from '../../../src/client/running/session-end.ts'
import { Metadata, status } from '@grpc/grpc-js'
import { CODE_TRAILER } from '../../../src/wire/gateway-codes.ts'
import { decodeStringList, decodeStringMap } from '../../../src/wire/params.ts'
import type { Packet } from '../../../src/wire/packet.ts'
import { FaultProxy } from '../../support/network/fault-proxy.ts'
import { quickTiming } from '../../support/sites/quick-timing.ts'
import { ScriptedGateway } from '../../support/scripted/scripted-gateway.ts'
import { found, waitFor } from '../../support/wait.ts'

const SID = 'c0ffee00-0000-4000-8000-000000000001'
const sid = { 'gateway.session_id': SID }
// The way to itself can take a busy machine longer than the quick 0.4 s.
const timing = { ...quickTiming, firstPacket: 'whenever', dialMs: 3000 } as const

const exec: StreamRequest = {
  verb: 'exec',
  connection: 'bash',
  script: Buffer.from('echo hi'),
  clientArgs: ['-x', 'two words'],
  envVars: new Map([['envvar:A', 'YQ==']]),
}
const connect: StreamRequest = { ...exec, verb: 'connect', script: Buffer.alloc(0) }

function session(port: number, request: StreamRequest = exec): ClientSession {
  const destination = { address: `127.0.0.1:${port}`, tls: undefined }
  const access = { destination, proxy: undefined, token: new Secret('a.user.token') }
  return new ClientSession(request, () => openGrpcLine(access, request, timing))
}

/** Ends the stream, with a code of our own where one is given. */
function fail({ stream }: ScriptedGateway, code: number, details: string, ownCode?: string): void {
  const metadata = new Metadata()
  if (ownCode !== undefined) metadata.set(CODE_TRAILER, ownCode)
  stream?.emit('error', Object.assign(new Error(details), { code, details, metadata }))
}

interface Followed {
  readonly end: StreamEnd
  readonly events: StreamEvent[]
}

/** Reads everything, and gives the session back. */
async function follow(
  client: ClientSession,
  onEvent: (event: StreamEvent) => void = () => undefined,
): Promise<Followed> {
  const events: StreamEvent[] = []
  try {
    for await (const event of client.events()) {
      events.push(event)
      onEvent(event)
    }
    return { end: client.end, events }
  } finally {
    client[Symbol.dispose]()
  }
}

/** A gateway whose client is answered by `answer`, packet by packet. */
async function gateway(answer: (packet: Packet, gateway: ScriptedGateway) => void): Promise<ScriptedGateway> {
  const scripted = await ScriptedGateway.start()
  scripted.onStream = () => undefined
  scripted.onPacket = (packet) => answer(packet, scripted)
  return scripted
}

const open = (packet: Packet, to: ScriptedGateway) => {
  if (packet.type === 'AgentSessionOpen')
    to.send('ClientSessionOpenOK', {
      ...sid,
      'gateway.connection_type': 'command-line',
      'client.command': 'bash -x',
    })
}

describe('a client session', () => {
  test('introduces itself with origin, verb, connection and token, and sends the script when it is open', async () => {
    await using scripted = await gateway((packet, to) => {
      open(packet, to)
      if (packet.type === 'AgentExecWriteStdin') {
        to.send('ClientWriteStdout', sid, 'out')
        to.send('ClientWriteStderr', sid, 'err')
        to.send('ClientSessionClose', { ...sid, 'client.exit_code': '3' }, 'because')
      }
    })
    const { end, events } = await follow(session(scripted.port))
    expect(scripted.metadata[0]).toMatchObject({
      origin: 'client',
      verb: 'exec',
      'connection-name': 'bash',
      authorization: 'Bearer a.user.token',
      version: '',
    })
    const [sentOpen, sentExec] = scripted.received.filter(({ type }) => type !== 'GatewayKeepAlive')
    expect(String(sentOpen?.payload)).toBe('echo hi')
    expect(decodeStringList(sentOpen?.spec['terminal.args'] ?? Buffer.alloc(0), '')).toEqual([
      '-x',
      'two words',
    ])
    expect(decodeStringMap(sentOpen?.spec['terminal.envvars'] ?? Buffer.alloc(0), '')).toEqual(exec.envVars)
    expect(String(sentExec?.payload)).toBe('echo hi')
    expect(events).toMatchObject([
      { kind: 'opened', connectionType: 'command-line', command: 'bash -x' },
      { kind: 'stdout', data: Buffer.from('out') },
      { kind: 'stderr', data: Buffer.from('err') },
    ])
    expect(end).toEqual({
      ...{ kind: 'exited', exitCode: 3, message: 'because', truncatedBytes: 0, isBlocked: false },
    })
  })

  test('sends the script once, however often an agent says that it is open', async () => {
    await using scripted = await gateway((packet, to) => {
      open(packet, to)
      open(packet, to)
      if (packet.type === 'AgentExecWriteStdin')
        to.send('ClientSessionClose', { ...sid, 'client.exit_code': '0' })
    })
    const { events } = await follow(session(scripted.port))
    expect(events.map(({ kind }) => kind)).toEqual(['opened'])
    expect(scripted.received.filter(({ type }) => type === 'AgentExecWriteStdin')).toHaveLength(1)
  })

  test('starts a terminal with one byte, then its size, and passes on keys', async () => {
    await using scripted = await gateway((packet, to) => {
      open(packet, to)
      if (String(packet.payload) === 'ls\r')
        to.send('ClientSessionClose', { ...sid, 'client.exit_code': '0' })
    })
    const client = session(scripted.port, connect)
    const { end } = await follow(client, ({ kind }) => {
      if (kind !== 'opened') return
      void client.startTerminal({ rows: 30, cols: 100 }).then(() => client.type(Buffer.from('ls\r')))
    })
    const sent = scripted.received.filter(({ type }) => type.startsWith('AgentTerminal'))
    expect(sent.map(({ type, payload }) => [type, String(payload)])).toEqual([
      ['AgentTerminalWriteStdin', '\n'],
      ['AgentTerminalResizeTTY', '30,100,0,0'],
      ['AgentTerminalWriteStdin', 'ls\r'],
    ])
    expect(end).toMatchObject({ kind: 'exited', exitCode: 0 })
  })

  test('waits for an approval, says where it is given, and opens again when it is there', async () => {
    let opens = 0
    await using scripted = await gateway((packet, to) => {
      if (packet.type !== 'AgentSessionOpen') return
      opens += 1
      if (opens === 2) return to.send('ClientSessionClose', { ...sid, 'client.exit_code': '0' })
      to.send('ClientSessionOpenWaitingApproval', sid, 'https://gateway/sessions/1')
      to.send('ClientSessionOpenApproveOK', sid)
    })
    const { events } = await follow(session(scripted.port))
    expect(events).toEqual([
      { kind: 'waiting-approval', sessionId: SID, url: 'https://gateway/sessions/1' },
      { kind: 'approved' },
    ])
  })

  test('passes over packets that it does not know', async () => {
    await using scripted = await gateway((packet, to) => {
      if (packet.type !== 'AgentSessionOpen') return
      to.send('SomethingNew', sid, 'x')
      to.send('GatewayKeepAlive', {})
      to.send('ClientSessionClose', { ...sid, 'client.exit_code': '0' })
    })
    expect((await follow(session(scripted.port))).events).toEqual([])
  })

  test('is not read while nobody asks, and the gateway still finds it alive', async () => {
    const piece = Buffer.alloc(64 * 1024, 'x')
    let taken = 0
    await using scripted = await gateway((packet, to) => {
      if (packet.type !== 'AgentSessionOpen') return
      const stream = to.stream
      const more = () => {
        while (
          stream?.write({
            type: 'ClientWriteStdout',
            spec: { 'gateway.session_id': Buffer.from(SID) },
            payload: piece,
          }) === true
        )
          taken += 1
        taken += 1
        stream?.once('drain', more)
      }
      more()
    })
    using client = session(scripted.port)
    for await (const event of client.events()) {
      expect(event.kind).toBe('stdout')
      // Some seconds of the quick timing: health checks are answered although nothing is read.
      const before = scripted.healthChecks
      await waitFor(() => scripted.healthChecks > before + 5)
      break
    }
    expect(taken * piece.length).toBeLessThan(64 * 1024 * 1024)
  })
})

describe('the end of a session without an exit code', () => {
  const refusals = [
    [status.UNAUTHENTICATED, 'invalid authentication', 'refused'],
    [status.PERMISSION_DENIED, 'no', 'not-permitted'],
    [status.NOT_FOUND, 'connection not found', 'not-found'],
    [status.INVALID_ARGUMENT, 'exec is not allowed for tcp type connections', 'invalid'],
    [status.RESOURCE_EXHAUSTED, 'script, variables or arguments are too large', 'invalid'],
    [status.FAILED_PRECONDITION, 'agent is offline', 'offline'],
    [status.FAILED_PRECONDITION, 'exec is disabled for this connection', 'not-permitted'],
    [status.UNKNOWN, 'session killed by the user', 'killed'],
    [status.UNKNOWN, 'agent has disconnected', 'agent-lost'],
    [status.UNKNOWN, 'EOF', 'agent-lost'],
    [status.UNKNOWN, 'gateway shutdown', 'gateway-stopped'],
    [status.UNKNOWN, 'reached max timeout (48h0m0s) waiting for session to end', 'expired'],
    [status.ABORTED, 'session ended, reached connection duration', 'expired'],
    [status.INTERNAL, 'internal error', 'failed'],
    [status.UNIMPLEMENTED, 'unknown service', 'malformed'],
  ] as const
  for (const [code, details, kind] of refusals) {
    test(`${details} (${status[code]}) is ${kind}`, async () => {
      await using scripted = await gateway((packet, to) => {
        if (packet.type === 'AgentSessionOpen') fail(to, code, details)
      })
      expect((await follow(session(scripted.port))).end).toEqual({ kind, message: details })
    })
  }

  const coded = [
    ['unauthenticated', 'refused'],
    ['not-permitted', 'not-permitted'],
    ['connection-not-found', 'not-found'],
    ['invalid-request', 'invalid'],
    ['too-many-clients', 'busy'],
    ['agent-offline', 'offline'],
    ['session-killed', 'killed'],
    ['agent-lost', 'agent-lost'],
    ['gateway-stopped', 'gateway-stopped'],
    ['session-expired', 'expired'],
    ['internal-error', 'failed'],
  ] as const
  for (const [ownCode, kind] of coded) {
    test(`the code ${ownCode} of our own gateway is ${kind}, whatever it says beside it`, async () => {
      const details = 'agent is offline, or so'
      await using scripted = await gateway((packet, to) => {
        if (packet.type === 'AgentSessionOpen') fail(to, status.FAILED_PRECONDITION, details, ownCode)
      })
      expect((await follow(session(scripted.port))).end).toEqual({ kind, message: details, code: ownCode })
    })
  }

  test('a code that is not known says nothing, and the status counts', async () => {
    await using scripted = await gateway((packet, to) => {
      if (packet.type === 'AgentSessionOpen') fail(to, status.NOT_FOUND, 'no', 'of-a-newer-gateway')
    })
    expect((await follow(session(scripted.port))).end.kind).toBe('not-found')
  })

  test.each([
    [status.RESOURCE_EXHAUSTED, 'clients do not read: 256 MiB of output are unread in total'],
    [status.INVALID_ARGUMENT, 'malformed AgentTerminalResizeTTY'],
    [status.INVALID_ARGUMENT, 'malformed AgentTerminalResizeTTY', 'invalid-request'],
    [status.RESOURCE_EXHAUSTED, 'come back later', 'too-much-at-once'],
  ])(
    'what it does not take of an open session is no wrong use, for something has run: %d',
    async (code, details, ownCode?) => {
      await using scripted = await gateway((packet, to) => {
        open(packet, to)
        if (packet.type === 'AgentExecWriteStdin') fail(to, code, details, ownCode)
      })
      expect((await follow(session(scripted.port))).end).toMatchObject({ kind: 'failed', message: details })
    },
  )

  test('a gateway that says that the agent is offline, and goes on waiting, is not waited for', async () => {
    await using scripted = await gateway((packet, to) => {
      if (packet.type === 'AgentSessionOpen') to.send('ClientSessionOpenAgentOffline', sid)
    })
    expect((await follow(session(scripted.port))).end.kind).toBe('offline')
  })

  for (const code of [undefined, 'three', '-2']) {
    test(`a close with the code ${String(code)} is no exit`, async () => {
      await using scripted = await gateway((packet, to) => {
        if (packet.type === 'AgentSessionOpen')
          to.send(
            'ClientSessionClose',
            { ...sid, ...(code !== undefined && { 'client.exit_code': code }) },
            'why',
          )
      })
      expect((await follow(session(scripted.port))).end).toEqual({ kind: 'malformed', message: 'why' })
    })
  }

  test('a script that is longer than a packet is invalid', async () => {
    await using scripted = await gateway(open)
    const long = { ...exec, script: Buffer.alloc(18 * 1024 * 1024) }
    expect((await follow(session(scripted.port, long))).end.kind).toBe('invalid')
  })

  test('a port where nobody listens is unreachable', async () => {
    const scripted = await ScriptedGateway.start()
    const { port } = scripted
    await scripted[Symbol.asyncDispose]()
    const { end } = await follow(session(port))
    expect(end.kind).toBe('unreachable')
    expect(end.message).toContain('ECONNREFUSED')
  })

  test('a gateway that answers nothing is given up', async () => {
    await using scripted = await ScriptedGateway.start()
    await using proxy = await FaultProxy.start(scripted.port)
    proxy.blackHole()
    expect((await follow(session(proxy.port))).end.kind).toBe('unreachable')
  })

  test('a gateway that is lost before the session is open is unreachable, afterwards it is lost', async () => {
    for (const answer of [() => undefined, open]) {
      await using scripted = await gateway(answer)
      await using proxy = await FaultProxy.start(scripted.port)
      const following = follow(session(proxy.port))
      const last = answer === open ? 'AgentExecWriteStdin' : 'AgentSessionOpen'
      await found(() => scripted.received.find(({ type }) => type === last))
      proxy.reset()
      expect((await following).end.kind).toBe(answer === open ? 'gateway-lost' : 'unreachable')
    }
  })

  test('a network that swallows everything ends it by the health checks', async () => {
    await using scripted = await gateway(open)
    await using proxy = await FaultProxy.start(scripted.port)
    const following = follow(session(proxy.port))
    await found(() => scripted.received.find(({ type }) => type === 'AgentExecWriteStdin'))
    proxy.blackHole()
    const { end } = await following
    expect(end.kind).toBe('gateway-lost')
  })

  test('a gateway that ends the stream in good order, without a close, has lost it', async () => {
    await using scripted = await gateway((packet, to) => {
      open(packet, to)
      if (packet.type === 'AgentExecWriteStdin') to.stream?.end()
    })
    expect((await follow(session(scripted.port))).end.kind).toBe('gateway-lost')
  })

  test('a session that is given back in the middle ends for the gateway too', async () => {
    await using scripted = await gateway(open)
    const client = session(scripted.port)
    let ended = false
    const following = follow(client, () => {
      scripted.stream?.on('cancelled', () => (ended = true))
      client[Symbol.dispose]()
    })
    await following
    await waitFor(() => ended)
  })
})

test('all keys and the newest size wait for a gateway that takes nothing and is there', async () => {
  await using gateway = await ScriptedGateway.start()
  using client = session(gateway.port, connect)
  const keys = 1_000_000
  const followed = follow(client)
  await waitFor(() => gateway.received.some(({ type }) => type === 'AgentSessionOpen'))
  gateway.stopReading()
  const typed = (async () => {
    for (let sent = 0; sent < keys; sent += 10_000) await client.type(Buffer.alloc(10_000, 'k'))
  })()
  // Until the keys fill the way, sizes are sent at once.
  const before = gateway.healthChecks
  await waitFor(() => gateway.healthChecks > before + 4)
  const sized = Array.from({ length: 100 }, (_, n) => client.resize({ rows: n + 1, cols: 80 }))
  gateway.readAgain()
  await Promise.all([typed, ...sized])
  const bytes = () =>
    gateway.received
      .filter(({ type }) => type === 'AgentTerminalWriteStdin')
      .reduce((sum, { payload }) => sum + payload.length, 0)
  await waitFor(() => bytes() === keys)
  const sizes = gateway.received.filter(({ type }) => type === 'AgentTerminalResizeTTY')
  expect(sizes.length).toBeLessThan(5)
  expect(String(sizes.at(-1)?.payload)).toMatch(/^100,80,/)
  gateway.stream?.end()
  await followed
})
