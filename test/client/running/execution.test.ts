import { randomBytes } from 'node:crypto'
import { afterEach, expect, it, vi } from 'vitest'
import { findAccount } from '../../../src/client/account/account.ts'
import { executeByRest } from '../../../src/client/running/execution.ts'
import type { RestExecution } from '../../../src/client/running/execution-request.ts'
import type { Outcome } from '../../../src/client/running/outcome.ts'
import { json } from '../../support/scripted/scripted-rest.ts'
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
