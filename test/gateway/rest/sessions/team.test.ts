import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openHistory } from '../../../../src/gateway/rooms.ts'
import { RunningGateway, otherToken, userToken } from '../../../support/sites/running-gateway.ts'

// Who may see whose sessions, by the setting `sessions` of their connection, at each door to a session.

const users = `
  - { name: ann, token: ann-token-for-tests-0123456789, groups: [support] }
  - { name: bob, token: bob-token-for-tests-0123456789, groups: [support, night] }`
const connections = `
  - { name: opened, agent: local, command: [cat], sessions: all }
  - { name: grouped, agent: local, command: [cat], sessions: groups }
  - { name: kept, agent: local, command: [cat], sessions: own }
  - { name: hidden, agent: local, command: [cat], sessions: all, access: { groups: [ops] } }`
const CONNECTIONS = ['opened', 'grouped', 'kept', 'hidden', 'gone'] as const
const AT = new Date()

/** One session of ann on each connection, and a batch on two of each pair. */
function fill(state: string): void {
  const history = openHistory(path.join(state, 'history.sqlite'))
  for (const connection of CONNECTIONS) {
    history.begin({
      ...{ id: connection, origin: 'client-api', verb: 'exec', user: 'ann', connection, startedAt: AT },
      ...{ connectionType: 'custom', script: Buffer.from('x'), labels: {}, metadata: {} },
    })
    history.append(connection, 'o', Buffer.from(`output of ${connection}`), 0)
    history.finish(connection, { exitCode: 0, truncatedBytes: 0, endedAt: AT })
  }
  for (const ran of [
    ['opened', 'grouped'],
    ['opened', 'kept'],
  ])
    history.write(({ batches }) => {
      const run = { wave: 1, status: 'succeeded', startedAt: 1, endedAt: 2, exitCode: 0 } as const
      batches.insert({
        batch: {
          ...{
            id: ran.join('-'),
            owner: 'ann',
            status: 'done',
            createdAt: AT.getTime(),
            repository: 'rb',
            file: 'a',
          },
          ...{ commit: 'c', parameters: '{}', waves: [2], parallel: 1, threshold: 1, metadata: {} },
        },
        runs: ran.map((connection, position) => ({ ...run, position, connection, session: connection })),
      })
    })
  history.close()
}

let gateway: RunningGateway
beforeAll(async () => {
  gateway = await RunningGateway.start({}, { prepare: fill, users, connections })
})
afterAll(() => gateway[Symbol.asyncDispose]())

/** Admin, a teammate, and one who shares no group with ann. */
const TOKENS = { admin: userToken, bob: 'bob-token-for-tests-0123456789', other: otherToken } as const
type Reader = keyof typeof TOKENS
const SEEN: Readonly<Record<Reader, readonly string[]>> = {
  admin: CONNECTIONS,
  bob: ['opened', 'grouped'],
  other: ['opened'],
}
const READERS = Object.keys(SEEN) as Reader[]

const ask = async (reader: Reader, url: string, method = 'GET', body?: unknown) => {
  const response = await fetch(`${gateway.gateway.http}/api/${url}`, {
    method,
    headers: {
      ...{ authorization: `Bearer ${TOKENS[reader]}`, connection: 'close' },
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  return { status: response.status, text: await response.text() }
}

describe.each(READERS)('%s', (reader) => {
  const seen = SEEN[reader]

  it.each<[string, (id: string) => string, RegExp]>([
    ['a session', (id) => `sessions/${id}`, /"script"/],
    ['its events', (id) => `sessions/${id}?expand=event_stream&event_stream=utf8`, /output of/],
    ['a part of its output', (id) => `sessions/${id}/output`, /"events":\[\{/],
    ['its output', (id) => `sessions/${id}/result/stream`, /^output of/],
    ['its live stream', (id) => `sessions/${id}/stream`, /"type":"o"/],
    ['the link to download it', (id) => `sessions/${id}?extension=txt`, /download_url/],
  ])('reads %s where the settings let them, and else is told that there is none', async (_, url, proof) => {
    for (const connection of CONNECTIONS) {
      const { status, text } = await ask(reader, url(connection))
      if (seen.includes(connection)) expect([status, text]).toEqual([200, expect.stringMatching(proof)])
      else expect([connection, status]).toEqual([connection, 404])
    }
  })

  it('lists, exports and counts what they may read', async () => {
    const list = JSON.parse((await ask(reader, 'sessions')).text) as { total: number; data: { id: string }[] }
    expect([list.data.map(({ id }) => id).sort(), list.total]).toEqual([[...seen].sort(), seen.length])
    const lines = (await ask(reader, 'sessions/export')).text.trim().split('\n')
    expect(lines.map((line) => (JSON.parse(line) as { id: string }).id)).toEqual([...seen])
    const { days } = JSON.parse((await ask(reader, 'sessions/by-day?days=2')).text) as {
      days: { succeeded: number }[]
    }
    expect(days.reduce((sum, { succeeded }) => sum + succeeded, 0)).toBe(seen.length)
  })

  it('compares the runs of a batch when they may read them all', async () => {
    for (const id of ['opened-grouped', 'opened-kept']) {
      const may = id.split('-').every((connection) => seen.includes(connection))
      for (const door of ['', '/diff'])
        expect([id, (await ask(reader, `batches/${id}${door}`)).status]).toEqual([id, may ? 200 : 404])
    }
  })
})

it('a teammate may read, and neither end nor change anything', async () => {
  expect((await ask('bob', 'sessions/opened/kill', 'POST')).status).toBe(404)
  expect((await ask('bob', 'sessions/opened/metadata', 'PATCH', { metadata: {} })).status).toBe(404)
  expect((await ask('bob', 'batches/opened-grouped/stop', 'POST')).status).toBe(404)
})
