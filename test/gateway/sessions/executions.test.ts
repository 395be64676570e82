import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { AgentStream, type GatewayOutbound } from '../../../src/gateway/agents/agent-stream.ts'
import { Locks, SessionLocks } from '../../../src/gateway/locks/locks.ts'
import { Budgets } from '../../../src/gateway/people/identities/budgets.ts'
import { SignInAttempts } from '../../../src/gateway/people/identities/sign-in-attempts.ts'
import { Agents } from '../../../src/gateway/agents/agents.ts'
import { Executions, type ScriptExecution } from '../../../src/gateway/sessions/executions.ts'
import type { History, HistoryOptions } from '../../../src/gateway/history/history.ts'
import { openHistory } from '../../../src/gateway/rooms.ts'
import { Sessions } from '../../../src/gateway/sessions/sessions.ts'
import { settingsOf } from '../../support/settings.ts'
import type { ClosedMessage, SessionId } from '../../../src/wire/messages/message.ts'
import { littleRoom } from '../../support/little-room.ts'

// A real history that fails in real ways; the agent is the other end of a stream in this process.

let folder: string
let history: History
let log: string[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'executions-'))
  log = []
})

afterEach(() => {
  history.close()
  rmSync(folder, { recursive: true })
})

const settings = settingsOf(
  `
users: [{ name: admin, token: a-token-for-tests-0123456789 }]
agents: [{ name: local, key: xagt-a-key-for-tests-0123456789 }]
connections: [{ name: bash, agent: local, command: [bash] }]
`,
)

const attempts = new SignInAttempts({ most: () => 20, told: () => undefined })

/** What sessions need beside agents, without locks and budgets of their own. */
function servicesFor(opened: History) {
  const current = { value: settings }
  const locks = new SessionLocks(new Locks(), current)
  const budgets = new Budgets({ named: () => undefined }, opened)
  const users = { identity: () => undefined, obstacleOf: () => undefined }
  return { history: opened, settings: current, locks, budgets, users }
}

/** Executions on one agent that answers every script with this output and ends with code 3. */
function executions(
  output: string,
  options: HistoryOptions,
  beforeEnd: () => void = () => undefined,
  closed: Partial<ClosedMessage> = {},
): Executions {
  history = openHistory(join(folder, 'history.db'), options)
  const agents = new Agents({ value: settings }, attempts)
  const answer = async (message: GatewayOutbound) => {
    if (message.kind === 'open') await stream.receive(opened(message.sid))
    if (message.kind !== 'exec') return
    const { sid } = message
    await stream.receive({ kind: 'stdout', sid, data: Buffer.from(output) })
    beforeEnd()
    await stream.receive({
      kind: 'closed',
      sid,
      exitCode: 3,
      message: '',
      truncatedBytes: 0,
      redactedBytes: 0,
      ...closed,
    })
  }
  const link = {
    send: (message: GatewayOutbound) => void answer(message),
    room: () => Promise.resolve(),
    refuse: () => undefined,
  }
  const stream = new AgentStream({ name: 'local', keySha256: Buffer.alloc(32) }, link)
  agents.connect(stream, { facts: {}, address: '', sessionLimit: undefined })
  const write = (fields: object, message: string) => void log.push(`${message} ${JSON.stringify(fields)}`)
  const logger = { debug: write, info: write, warn: write, error: write }
  const services = { ...servicesFor(history), log: logger }
  return new Executions({ ...services, sessions: new Sessions({ ...services, agents }) })
}

const opened = (sid: SessionId) =>
  ({ kind: 'opened', sid, connectionType: 'command-line', requestPort: '', command: 'bash' }) as const

function request(script = 'true'): ScriptExecution {
  const [connection] = settings.connections
  if (connection === undefined) throw new Error('unreachable: the settings have one')
  return {
    ...{ connection, origin: 'client-api', user: 'admin', script: Buffer.from(script), envVars: new Map() },
    ...{ clientArgs: [], metadata: {}, labels: {} },
  }
}

const LITTLE = { maxBytes: littleRoom(15) }

test('a command that ran is answered with its code when its output found no room in the history', async () => {
  const { status, body } = await executions('x'.repeat(200_000), LITTLE).execute(request())
  expect([status, body.exit_code, body.output_status, body.truncated]).toEqual([200, 3, 'failed', true])
  expect(body.output).toBe('the session history could not be written, output may be missing\n')
  expect(log.join('\n')).toMatch(/session not recorded .*200004 bytes of its output .*free some space/)
  expect(history.session(body.session_id)).toMatchObject({ status: 'done', exitCode: 3 })
})

test('what the history still has of the output comes before the line about the rest', async () => {
  const more = Buffer.alloc(200_000, 'y')
  const running = executions('known', LITTLE, () => {
    const [id = ''] = /[0-9a-f-]{36}/.exec(log.join()) ?? []
    expect(history.output(id, 100).bytes.toString()).toBe('known')
    history.append(id, 'o', more, 1)
  })
  const { body } = await running.execute(request())
  expect(body.output).toBe('known\nthe session history could not be written, output may be missing\n')
  expect([body.exit_code, body.truncated]).toEqual([3, true])
})

test('a command that ran is answered with its code when the history can be neither written nor read', async () => {
  const { status, body } = await executions('lost', {}, () => history.close()).execute(request())
  expect([status, body.exit_code, body.output_status, body.truncated]).toEqual([200, 3, 'failed', true])
  expect(body.output).toBe('the session history could not be read, output may be missing\n')
  expect(log.join('\n')).toContain('the history is closed')
})

test('a session that cannot begin is an error that says so, and no agent hears of it', async () => {
  const running = executions('never', LITTLE)
  const big = request('x'.repeat(1_000_000))
  await expect(running.execute(big)).rejects.toThrow(
    /^the session couldn't be created: session history .*cannot begin a session: .*free some space/,
  )
  expect(log).toEqual([])
})

test('one user has 1,000 sessions that run, and others have their own', () => {
  history = openHistory(join(folder, 'history.db'), {})
  const nobody = () => undefined
  const logger = { debug: nobody, info: nobody, warn: nobody, error: nobody }
  const agents = new Agents({ value: settings }, attempts)
  const sessions = new Sessions({ ...servicesFor(history), agents, log: logger })
  const open = (user: string) => sessions.open({ ...request(), user, verb: 'exec' })
  for (let count = 0; count < 1000; count++) open('admin')
  expect(() => open('admin')).toThrow('1000 of your sessions are running; wait until some of them end')
  expect(open('other').sid).toBeTypeOf('string')
})

const PLAIN = { ms: 60_000, isForPlainEnd: true }

test('who waits for a plain end alone gets it, and none that has more to it', async () => {
  const plain = executions('out', {})
  expect(await plain.execute(request(), PLAIN)).toMatchObject({
    status: 200,
    body: { output: 'out', exit_code: 3, output_status: 'failed' },
  })
  history.close()
  for (const closed of [{ message: 'killed by signal 9' }, { truncatedBytes: 1 }, { exitCode: -1 }]) {
    const more = executions('out', {}, undefined, closed)
    expect(await more.execute(request(), PLAIN)).toMatchObject({ status: 202, body: { output: '' } })
    history.close()
  }
  // `afterEach` closes the last one.
  executions('', {})
})
