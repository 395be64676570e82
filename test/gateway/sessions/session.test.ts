import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { onAbort } from '../../../src/basics/abort.ts'
import { AgentStream, type GatewayOutbound } from '../../../src/gateway/agents/agent-stream.ts'
import type { History } from '../../../src/gateway/history/history.ts'
import { openHistory } from '../../../src/gateway/rooms.ts'
import { SessionRecord } from '../../../src/gateway/sessions/session-record.ts'
import { GatewaySession, type SessionEnd } from '../../../src/gateway/sessions/session.ts'
import {
  newSession,
  openMessage,
  type SessionRequest,
} from '../../../src/gateway/sessions/session-request.ts'
import { settingsOf } from '../../support/settings.ts'
import { Redaction } from '../../../src/policy/redaction/redactor.ts'
import { encodeGuardrailsInfo } from '../../../src/wire/messages/guardrails-info.ts'
import type { SessionId } from '../../../src/wire/messages/message.ts'
import { waitFor } from '../../support/wait.ts'

// A session with a real history; the agent is the other end of a stream in this process.

let folder: string
let history: History
let session: GatewaySession
let agent: AgentStream
let sent: GatewayOutbound[]
const sid = 'the-session' as SessionId

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'session-'))
  history = openHistory(join(folder, 'history.db'))
  history.begin(newSession(sid, request(), () => Buffer.alloc(0)))
  sent = []
  agent = new AgentStream(
    { name: 'local', keySha256: Buffer.alloc(32) },
    {
      send: (message) => void sent.push(message),
      room: () => Promise.resolve(),
      refuse: () => undefined,
    },
  )
})
afterEach(() => {
  history.close()
  rmSync(folder, { recursive: true })
})

type FindAgent = (over: AbortSignal) => Promise<AgentStream | undefined>

/** Runs the session as the one who asked for it does: to the end of its messages. Settles when the agent was found. */
async function run(
  find: FindAgent = () => Promise.resolve(agent),
  asked = request(),
): Promise<{ end: Promise<SessionEnd> }> {
  const record = new SessionRecord(sid, history, new Redaction([]), 'client')
  session = new GatewaySession(openMessage(sid, asked), record, find)
  const read = async () => {
    for await (const message of session.run()) expect(message.sid).toBe(sid)
    return session.ended
  }
  const end = read()
  await setImmediate()
  return { end }
}

function request(): SessionRequest {
  const { connections } = settingsOf(
    `
users: []
agents: [{ name: local, key: xagt-a-key-for-tests-0123456789 }]
connections: [{ name: bash, agent: local, command: [bash] }]`,
  )
  const [connection] = connections
  if (connection === undefined) throw new Error('unreachable: the settings have one')
  const nothing = { script: Buffer.alloc(0), envVars: new Map(), clientArgs: [], metadata: {}, labels: {} }
  return { connection, origin: 'client', verb: 'connect', user: 'admin', ...nothing }
}

const closed = (exitCode: number, message = '') =>
  ({ kind: 'closed', sid, exitCode, message, truncatedBytes: 0, redactedBytes: 0 }) as const
const kinds = () => sent.map(({ kind }) => kind)
const events = () =>
  [...history.events(sid, 'terminal')].map(({ kind, bytes }) => `${kind} ${bytes.toString()}`)

const masked = (counts: Readonly<Record<string, number>>, bytes: number, errors: readonly string[] = []) => ({
  masked: { counts: new Map(Object.entries(counts)), bytes, errors },
})
const recordedMasking = () => JSON.parse(history.session(sid)?.masking ?? 'null') as unknown

describe('a session', () => {
  it('records the sizes of a terminal and its output, and no key', async () => {
    const { end } = await run()
    session.resize({ cols: 101, rows: 33 })
    session.type(Buffer.from('hunter2\n'))
    await agent.receive({ kind: 'stdout', sid, data: Buffer.from('shown') })
    session.resize({ cols: 80, rows: 24 })
    await agent.receive(closed(0))
    expect(await end).toMatchObject({ exitCode: 0 })
    expect(events()).toEqual(['r 101x33', 'o shown', 'r 80x24'])
    expect(kinds()).toEqual(['open', 'resize', 'input', 'resize', 'close'])
  })

  it('adds up what its agent has masked, and counts a failure that the close repeats once', async () => {
    const { end } = await run()
    const data = Buffer.from('x')
    await agent.receive({ kind: 'stdout', sid, data, ...masked({ URL: 2, EMAIL_ADDRESS: 1 }, 30) })
    await agent.receive({ kind: 'stderr', sid, data, ...masked({ URL: 5 }, 40, ['away', 'slow']) })
    await agent.receive({ kind: 'stdout', sid, data })
    expect(recordedMasking()).toBeNull()
    await agent.receive({ ...closed(0), ...masked({ ['__proto__']: 1 }, 7, ['away']) })
    await end
    expect(recordedMasking()).toEqual(
      JSON.parse(
        '{"err_count":2,"info_types":{"URL":7,"EMAIL_ADDRESS":1,"__proto__":1},"total_redact_count":9,"transformed_bytes":77}',
      ),
    )
  })

  it('counts a failure that only the close tells, and records nothing of masking where there was none', async () => {
    const { end } = await run()
    await agent.receive({ ...closed(0), ...masked({}, 0, ['away']) })
    await end
    expect(recordedMasking()).toMatchObject({ err_count: 1, total_redact_count: 0 })
    history.begin(newSession('other' as SessionId, request(), () => Buffer.alloc(0)))
    new SessionRecord('other' as SessionId, history, new Redaction([]), 'client').finish({
      ...{ exitCode: 0, truncatedBytes: 0 },
    })
    expect(history.session('other')).not.toHaveProperty('masking')
  })

  it('names a hundred masked types at most, counts the others in the total, and no number grows beyond bounds', async () => {
    const { end } = await run()
    const data = Buffer.from('x')
    const many = Object.fromEntries(Array.from({ length: 150 }, (_, i) => [`TYPE_${i}`, 1]))
    await agent.receive({ kind: 'stdout', sid, data, ...masked({ ['L'.repeat(101)]: 1 }, 1) })
    await agent.receive({ kind: 'stdout', sid, data, ...masked(many, Number.MAX_SAFE_INTEGER) })
    await agent.receive({ ...closed(0), ...masked({ TYPE_99: 2, TYPE_100: 2 }, 1) })
    await end
    const recorded = recordedMasking() as { info_types: Record<string, number> }
    expect(Object.keys(recorded.info_types)).toEqual(Object.keys(many).slice(0, 100))
    expect(recorded).toMatchObject({
      ...{ total_redact_count: 155, transformed_bytes: Number.MAX_SAFE_INTEGER },
      info_types: { TYPE_98: 1, TYPE_99: 3 },
    })
  })

  it('sends nothing after its end but the one close', async () => {
    const { end } = await run()
    await agent.receive(closed(0))
    session.exec(Buffer.from('x'))
    session.type(Buffer.from('x'))
    session.resize({ cols: 1, rows: 1 })
    session.pause()
    session.resume()
    session.leave()
    session.fail('session-killed', 'too late')
    expect(await end).toMatchObject({ exitCode: 0 })
    expect([kinds(), events()]).toEqual([['open', 'close'], []])
  })

  it('closes once when its client leaves, and takes the code of the agent', async () => {
    const { end } = await run()
    session.type(Buffer.from('\n'))
    session.leave()
    session.leave()
    await agent.receive({ kind: 'stdout', sid, data: Buffer.from('on its way') })
    await agent.receive(closed(129, '\nended by the agent'))
    expect(await end).toMatchObject({ exitCode: 129 })
    expect(kinds()).toEqual(['open', 'input', 'close'])
    expect(events()).toEqual(['o on its way', 'e \nthe client has left: ended by the agent'])
  })

  it('does not wait for the answer of an agent that has nothing to end', async () => {
    const { end } = await run()
    session.leave()
    expect((await end).failure).toEqual({ code: 'client-left', reason: 'the client has left' })
    expect(kinds()).toEqual(['open', 'close'])
  })

  it('ends at once on a stream that has ended since it was found', async () => {
    agent.end('agent has disconnected')
    const { end } = await run()
    const { failure } = await end
    expect(failure).toEqual({ code: 'agent-lost', reason: 'agent has disconnected' })
    expect(history.session(sid)).toMatchObject({ status: 'done', exitCode: 254 })
  })

  it('goes to the next agent when the first has left before it opened the session, and not later', async () => {
    const toNext: string[] = []
    const next = new AgentStream(
      { name: 'local', keySha256: Buffer.alloc(32) },
      {
        send: ({ kind }) => void toNext.push(kind),
        room: () => Promise.resolve(),
        refuse: () => undefined,
      },
    )
    const agents = [agent, next]
    const { end } = await run(() => Promise.resolve(agents.shift()))
    agent.end('EOF')
    await waitFor(() => toNext.length === 1)
    await next.receive({ kind: 'opened', sid, connectionType: '', requestPort: '', command: '' })
    next.end('agent has disconnected')
    expect((await end).failure).toEqual({ code: 'agent-lost', reason: 'agent has disconnected' })
    expect([kinds(), toNext]).toEqual([
      ['open', 'close'],
      ['open', 'close'],
    ])
  })

  it('waits for an agent again when the first has left: a gateway that stops ends it', async () => {
    const agents = [Promise.resolve(agent), new Promise<undefined>(() => undefined)]
    let isAsked = 0
    await run((over) => {
      isAsked++
      return Promise.race([
        agents.shift(),
        new Promise<undefined>((resolve) => onAbort(over, () => resolve(undefined))),
      ])
    })
    expect(session.isWaiting).toBe(false)
    agent.end('EOF')
    await waitFor(() => isAsked === 2)
    expect(session.isWaiting).toBe(true)
    session.fail('gateway-draining', 'the gateway is stopping')
    expect(await session.ended).toMatchObject({ failure: { code: 'gateway-draining' } })
  })

  it('stops looking for an agent when it is ended, and no agent hears of it', async () => {
    let stopped = false
    const { end } = await run(
      (over) =>
        new Promise((resolve) =>
          over.addEventListener('abort', () => {
            stopped = true
            resolve(undefined)
          }),
        ),
    )
    session.fail('session-killed', 'session killed by the user')
    expect((await end).failure?.reason).toBe('session killed by the user')
    expect([stopped, sent]).toEqual([true, []])
  })

  it.each(Array.from({ length: 12 }, (_, steps) => steps))(
    'records no output after its end when killed %d steps later',
    async (steps) => {
      const { end } = await run()
      const received = agent.receive({ kind: 'stdout', sid, data: Buffer.from('output') })
      for (let step = 0; step < steps; step++) await Promise.resolve()
      session.fail('session-killed', 'killed')
      await received
      await end
      const text = events()
      expect(text.at(-1)).toContain('killed')
      expect(text.slice(0, -1)).toEqual(text.length > 1 ? ['o output'] : [])
    },
  )

  it('lets its agent go on when its reader leaves in the middle', async () => {
    const record = new SessionRecord(sid, history, new Redaction([]), 'client')
    session = new GatewaySession(openMessage(sid, request()), record, () => Promise.resolve(agent))
    const data = Buffer.from('x')
    const received = async () => {
      await setImmediate()
      for (let count = 0; count < 20; count++) await agent.receive({ kind: 'stdout', sid, data })
    }
    const all = received()
    for await (const message of session.run()) if (message.kind === 'stdout') break
    await all
    expect((await session.ended).failure?.code).toBe('internal-error')
    expect(kinds()).toEqual(['open', 'close'])
  })

  it('lists a rule that native clients have broken once, though the close repeats it', async () => {
    const { end } = await run(undefined, { ...request(), port: { pausesConnections: true } })
    const rule = {
      ruleName: '',
      type: 'deny_words_list',
      pattern: '',
      direction: 'input',
      message: '',
    } as const
    const [first, second] = ['DROP', 'TRUNCATE'].map((word) => ({
      ...rule,
      words: [word],
      matchedWords: [word],
    }))
    if (first === undefined || second === undefined) throw new Error('two were given')
    const data = {
      kind: 'connection-data',
      connectionId: '1',
      protocol: 'postgres',
      data: Buffer.from('E'),
    } as const
    for (let count = 0; count < 2; count++)
      await agent.receive({ ...data, sid, guardrailsInfo: encodeGuardrailsInfo([first]) })
    await agent.receive({ ...closed(254, 'the agent is stopping'), guardrails: [first, second] })
    const { brokenRules, closed: close } = await end
    expect(brokenRules).toEqual([first, second])
    expect(close?.guardrails).toBeUndefined()
    expect(events().at(-1)).toMatch(/the agent is stopping$/)
  })
})
