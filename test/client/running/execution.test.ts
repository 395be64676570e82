import { randomBytes } from 'node:crypto'
import { afterEach, expect, it, vi } from 'vitest'
import { findAccount } from '../../../src/client/account/account.ts'
import { executeByRest } from '../../../src/client/running/execution.ts'
import type { RestExecution } from '../../../src/client/running/execution-request.ts'
import type { Outcome } from '../../../src/client/running/outcome.ts'
import { done, rpcError, RunbookGateway } from '../../support/sites/runbook-gateway.ts'

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
