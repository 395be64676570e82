import path from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { findAccount } from '../../../../src/client/account/account.ts'
import { firstStatements } from '../../../../src/client/rest/sessions.ts'
import { openHistory } from '../../../../src/gateway/rooms.ts'
import { beginLine } from '../../../../src/gateway/sessions/statements/lines.ts'
import { readStatements } from '../../../../web/src/api/gateway.ts'
import { RunningGateway, userToken } from '../../../support/sites/running-gateway.ts'

/** An answer has 1 MiB of statements at most: each control character takes six bytes of it. */
const TEXT = '\u0001'.repeat(15_000)
const ALL = 30
const queries = (count: number) => Array.from({ length: count }, (_, at) => `select ${at} ${TEXT}`)

function fill(state: string): void {
  const history = openHistory(path.join(state, 'history.sqlite'))
  const at = new Date()
  history.begin({
    ...{ id: 'long', user: 'admin', connection: 'bash', connectionType: 'database', isPort: true },
    ...{
      origin: 'client',
      verb: 'connect',
      labels: {},
      metadata: {},
      script: Buffer.alloc(0),
      startedAt: at,
    },
  })
  for (const query of queries(ALL)) history.append('long', 'o', Buffer.from(beginLine('1', query)), 0)
  history.finish('long', { exitCode: 0, truncatedBytes: 0, endedAt: at })
  history.close()
}

let gateway: RunningGateway
beforeAll(async () => {
  gateway = await RunningGateway.start({}, { prepare: fill })
})
afterAll(() => gateway[Symbol.asyncDispose]())
afterEach(() => void vi.unstubAllGlobals())

/** Number of statements of each answer. */
const answered: number[] = []
const { fetch } = globalThis
async function asPage(url: string, init: RequestInit): Promise<Response> {
  const headers = { ...(init.headers as object), authorization: `Bearer ${userToken}`, connection: 'close' }
  const answer = await fetch(`${gateway.gateway.http}${url}`, { ...init, headers })
  const { statements } = (await answer.clone().json()) as { statements: object[] }
  answered.push(statements.length)
  return answer
}

interface Found {
  readonly statements: readonly { readonly query: string }[]
  readonly has_more: boolean
  readonly total?: number | undefined
}
const readers: Readonly<Record<string, (limit: number) => Promise<Found>>> = {
  'the command line': (limit) => {
    const env = { HOOP_APIURL: gateway.gateway.http, HOOP_TOKEN: userToken }
    return firstStatements(findAccount({ env, stored: undefined, file: 'none' }), 'long', limit)
  },
  'the page': (limit) => {
    vi.stubGlobal('fetch', asPage)
    return readStatements('long', limit, new AbortController().signal)
  },
}

describe.each(Object.entries(readers))('long statements, read by %s', (_, read) => {
  it('come whole and once from several answers', async () => {
    const { statements, has_more: hasMore } = await read(200)
    expect(statements.map(({ query }) => query)).toEqual(queries(ALL))
    expect(hasMore).toBe(false)
  })

  it.each([25, 3])(
    'are as many as asked for (%d), and the answer says that there are more',
    async (limit) => {
      const { statements, has_more: hasMore } = await read(limit)
      expect(statements.map(({ query }) => query)).toEqual(queries(limit))
      expect(hasMore).toBe(true)
    },
  )
})

it('an answer of statements ends before its limit', async () => {
  answered.length = 0
  await readers['the page']?.(200)
  expect(answered.length).toBeGreaterThan(1)
  expect(answered.reduce((sum, one) => sum + one, 0)).toBe(ALL)
})

it('the command line gets the number of all statements, too', async () => {
  expect((await readers['the command line']?.(25))?.total).toBe(ALL)
})
