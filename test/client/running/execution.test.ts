import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { afterEach, expect, it, vi, describe } from 'vitest'
import { findAccount } from '../../../src/client/account/account.ts'
import { fetchSession } from '../../../src/client/rest/sessions.ts'
import { type RestExecution, runApproved } from '../../../src/client/running/execution-request.ts'
import { executeByRest, followToEnd } from '../../../src/client/running/execution.ts'
import type { ExecutionSight } from '../../../src/client/running/follow.ts'
import type { Outcome } from '../../../src/client/running/outcome.ts'
import { json, ScriptedRest } from '../../support/scripted/scripted-rest.ts'
import { answer, done, rpcError, RunbookGateway, SESSION } from '../../support/sites/runbook-gateway.ts'

const RUN_APPROVED = `POST /api/sessions/${SESSION}/exec`
const APPROVED = { status: 'APPROVED' }

afterEach(() => void vi.restoreAllMocks())

it('the output of what has no code is there for as long as somebody reads it', async () => {
  await using gateway = await RunbookGateway.start()
  const output = randomBytes(16 * 1024 * 1024)
  gateway.answers(rpcError('Unknown', 'killed')).records(done(254)).wrote(output)
  const timesUp = new AbortController()
  vi.spyOn(AbortSignal, 'timeout').mockReturnValue(timesUp.signal)
  const outcome = await outcomeOf(gateway)
  timesUp.abort()
  vi.restoreAllMocks()
  const read: Buffer[] = []
  for await (const piece of outcome.output) read.push(piece)
  expect(Buffer.concat(read).equals(output)).toBe(true)
})

it('what is approved while the gateway stops is run by the next one', async () => {
  await using gateway = await RunbookGateway.start()
  const refused = json(503, { code: 'gateway-draining', message: 'nothing has run' })
  const begun = [refused, refused, json(200, answer({ output: 'ran', exit_code: 3 }))]
  gateway.answers(json(200, answer({ has_review: true }))).records({ status: 'ready', review: APPROVED })
  gateway.rest.on(RUN_APPROVED, (received, response) => begun.shift()?.(received, response))
  expect(await outcomeOf(gateway)).toMatchObject({ exitCode: 3 })
  expect([gateway.requests.length, gateway.rest.asked(RUN_APPROVED).length]).toEqual([1, 3])
})

it('what is approved and cannot be run is not tried again', async () => {
  await using gateway = await RunbookGateway.start()
  gateway.answers(json(200, answer({ has_review: true }))).records({ status: 'ready', review: APPROVED })
  gateway.rest.on(RUN_APPROVED, json(500, { code: 'internal-error', message: 'internal error' }))
  await expect(outcomeOf(gateway)).rejects.toMatchObject({ code: 'internal-error' })
  expect(gateway.rest.asked(RUN_APPROVED)).toHaveLength(1)
})

async function outcomeOf({ env }: RunbookGateway): Promise<Outcome> {
  const account = findAccount({ env, stored: undefined, file: '' })
  const sights = executeByRest(account, REQUEST, {
    signal: new AbortController().signal,
    isLive: false,
  })
  for (;;) {
    const { done: isOver, value } = await sights.next()
    if (isOver === true) return value
  }
}

const REQUEST: RestExecution = {
  ...{ connection: 'pg', file: 'a.runbook.sql', repository: 'books', refHash: undefined },
  ...{
    parameters: {},
    envVars: {},
    clientArgs: [],
    metadata: {},
    jiraFields: {},
    correlationId: 'of a test',
  },
}

const STREAM = `GET /api/sessions/${SESSION}/stream`
const PIECES = ['one\n', 'two\n', '\0\xff', 'three', 'end'].map((text) => Buffer.from(text, 'latin1'))
const BLOCKS = [
  ': connected\nid: 0\n\n',
  ...PIECES.map((piece, at) => block(at + 1, 'o', piece)),
  'event: session_end\ndata: {}\n\n',
]

function block(id: number, type: string, payload: Buffer): string {
  const data = JSON.stringify({ time: '2026-01-31T14:30:00.000Z', type, payload: payload.toString('base64') })
  return `id: ${id}\nevent: event\ndata: ${data}\n\n`
}

describe('a session that is followed', () => {
  it('is shown whole and once, wherever its connections break', async () => {
    await using gateway = await RunbookGateway.start()
    gateway.records(done(3))
    const length = BLOCKS.join('').length
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: length }), { maxLength: 2 }), async (cuts) => {
        const left = [...cuts]
        streams(gateway, BLOCKS, () => left.shift())
        const { output, outcome } = await follow(gateway)
        expect(output.equals(Buffer.concat(PIECES))).toBe(true)
        expect([outcome.exitCode, await sizeOf(outcome)]).toEqual([3, 0])
      }),
      { numRuns: 12 },
    )
  })

  it('is not shown the reason why there is no code as output, but told it', async () => {
    await using gateway = await RunbookGateway.start()
    gateway.records(done(254))
    const text = Buffer.from('rpc error: code = Unknown desc = session killed by the user')
    streams(gateway, [...BLOCKS.slice(0, 2), block(2, 'e', text), BLOCKS.at(-1) ?? ''])
    const { sights, outcome } = await follow(gateway)
    expect(outcome).toMatchObject({ exitCode: undefined, reason: 'session killed by the user' })
    expect(sights.map(({ kind }) => kind)).toEqual(['event'])
  })

  it('is shown such a text when it was not the last, or there is a code', async () => {
    await using gateway = await RunbookGateway.start()
    gateway.records(done(0))
    const text = Buffer.from('rpc error: code = Unknown desc = a text')
    streams(gateway, [BLOCKS[0] ?? '', block(1, 'e', text), block(2, 'e', text), BLOCKS.at(-1) ?? ''])
    const { sights } = await follow(gateway)
    expect(sights.map((sight) => sight.kind === 'event' && sight.bytes.toString())).toEqual(
      [text, text].map(String),
    )
  })

  it('is read step by step from the record of a gateway whose streams have no ids', async () => {
    await using gateway = await RunbookGateway.start()
    streams(gateway, [': connected\n\n', 'event: session_end\ndata: {}\n\n'])
    gateway.records({ event_size: 3 }, { event_size: 3 }, done(0)).wrote(Buffer.from('whole'))
    const { output, outcome } = await follow(gateway)
    expect([output.toString(), outcome.exitCode, await sizeOf(outcome)]).toEqual(['whole', 0, 0])
  })

  it('is given up when the gateway refuses it in the middle', async () => {
    await using gateway = await RunbookGateway.start()
    streams(gateway, BLOCKS, () => 100)
    const refused = follow(gateway, () =>
      gateway.rest.on(STREAM, json(404, { message: 'session not found' })),
    )
    await expect(refused).rejects.toThrow('session not found')
  })

  it('is refused when what is streamed is no event', async () => {
    await using gateway = await RunbookGateway.start()
    streams(gateway, [BLOCKS[0] ?? '', 'id: 1\nevent: event\ndata: {"type":7}\n\n'])
    await expect(follow(gateway)).rejects.toThrow(/an event with an unknown form/)
  })
})

/** Streams the blocks behind `Last-Event-ID`; `cut` says after how many bytes a connection breaks. */
function streams(
  gateway: RunbookGateway,
  blocks: readonly string[],
  cut: () => number | undefined = () => undefined,
) {
  gateway.rest.on(STREAM, ({ headers }, response) => {
    const last = headers['last-event-id']
    const from = last === undefined ? 0 : blocks.findIndex((one) => one.includes(`id: ${String(last)}\n`)) + 1
    const text = `: connected\n${last === undefined ? '' : `id: ${String(last)}\n\n`}${blocks.slice(from).join('')}`
    const at = cut()
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    if (at === undefined) response.end(text)
    else response.write(text.slice(0, at), () => response.destroy())
  })
}

async function follow(gateway: RunbookGateway, onAway: () => void = () => undefined) {
  const account = findAccount({ env: gateway.env, stored: undefined, file: '' })
  const asking = { signal: new AbortController().signal, isLive: true }
  const seen = followToEnd(account, SESSION, asking)
  const sights: ExecutionSight[] = []
  for (;;) {
    const { done: isOver, value } = await seen.next()
    if (isOver === true) return { sights, output: outputIn(sights), outcome: value }
    if (value.kind === 'away') onAway()
    sights.push(value)
  }
}

function outputIn(sights: readonly ExecutionSight[]): Buffer {
  return Buffer.concat(sights.flatMap((sight) => (sight.kind === 'event' ? [sight.bytes] : [])))
}

async function sizeOf({ output }: Outcome): Promise<number> {
  let size = 0
  for await (const piece of output) size += piece.length
  return size
}

const accountOf = ({ url }: ScriptedRest) =>
  findAccount({
    ...{ env: { HOOP_APIURL: url, HOOP_TOKEN: 'the-token-of-a-test' }, stored: undefined, file: '' },
  })

it.each([{}, { exit_code: null }])('an answer that says only %j has no exit code, not 0', async (said) => {
  await using rest = await ScriptedRest.start()
  rest.on('POST /api/sessions/s/exec', json(200, { session_id: 's', ...said }))
  const asking = { signal: AbortSignal.timeout(10_000), isLive: false }
  const { value } = await runApproved(accountOf(rest), 's', asking)
  expect(value).toMatchObject({ exit_code: -2, output: '', warning: '' })
})

it.each([{}, { exit_code: null }, { exit_code: 'one' }])(
  'a session that says only %j has no exit code, not 0',
  async (said) => {
    await using rest = await ScriptedRest.start()
    rest.on('GET /api/sessions/s', json(200, { id: 's', status: 'done', ...said }))
    expect((await fetchSession(accountOf(rest), 's')).exit_code).toBeUndefined()
  },
)

it.each([{}, { id: 's' }, { download_url: 'http://gateway/file' }])(
  'an answer that says only %j is no session',
  async (said) => {
    await using rest = await ScriptedRest.start()
    rest.on('GET /api/sessions/s', json(200, said))
    await expect(fetchSession(accountOf(rest), 's')).rejects.toMatchObject({ kind: 'no-gateway' })
  },
)
