import { connect, type Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { userToken } from '../support/sites/running-gateway.ts'
import { waitFor } from '../support/wait.ts'
import { Fleet, statuses } from './batches/fleet.ts'

const LOCK = 'locks: [{ name: one, connections: [c-1, c-2] }]'
const SCHEDULE =
  'schedules: [{ name: nightly, cron: "@yearly", connection: c-1, runbook: ops/plain.sh, as: admin }]'
const runbook = { file_name: 'ops/plain.sh' }
const refused = { status: 503, body: { code: 'gateway-draining' } }

/** @returns what ends the drain at once */
function drain(fleet: Fleet): { readonly hurry: AbortController; readonly over: Promise<void> } {
  const hurry = new AbortController()
  return { hurry, over: fleet.gateway.gateway.drain(hurry.signal) }
}

async function changes({ gateway }: Fleet): Promise<{ readonly told: string[] } & AsyncDisposable> {
  const headers = { authorization: `Bearer ${userToken}`, connection: 'close' }
  const answer = await fetch(`${gateway.gateway.http}/api/changes`, { headers })
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader()
  const told: string[] = []
  const reading = (async () => {
    for (let part = await reader.read(); !part.done; part = await reader.read())
      told.push(Buffer.from(part.value).toString())
  })()
  await waitFor(() => told.length > 0)
  const end = async () => {
    await reader.cancel()
    await reading
  }
  return { told, [Symbol.asyncDispose]: end }
}

it('a batch begins nothing more and says so, and what runs ends by itself', async () => {
  await using fleet = await Fleet.start(3, () => 'wait')
  const id = await fleet.begin({ waves: '2,rest', parallel: 2 })
  await waitFor(() => fleet.begun.length === 2)
  const { over } = drain(fleet)
  await fleet.end('c-1', 0)
  await fleet.end('c-2', 3)
  await over
  const batch = await fleet.ended(id)
  expect(statuses(batch)).toEqual(['c-1 succeeded', 'c-2 failed', 'c-3 not-begun'])
  expect(batch).toMatchObject({ status: 'stopped', stop: { reason: 'gateway-stopped' } })
  expect(await fleet.create()).toMatchObject(refused)
})

it('a session that waits for a lock ends without a run, and the one that has it goes on', async () => {
  await using fleet = await Fleet.start(2, () => 'wait', { more: LOCK })
  const first = fleet.gateway.exec(runbook, 'c-1')
  await waitFor(() => fleet.begun.length === 1)
  const second = fleet.gateway.exec(runbook, 'c-2')
  await waitFor(async () => {
    const { body } = await fleet.gateway.request('GET', '/api/locks')
    return (body as unknown as { waiting: unknown[] }[])[0]?.waiting.length === 1
  })
  const { over } = drain(fleet)
  const { body: ended } = await second
  expect(ended).toMatchObject({ code: 'gateway-draining', output_status: 'failed' })
  const { body: shown } = await fleet.gateway.request('GET', `/api/sessions/${String(ended['session_id'])}`)
  expect(shown['state']).toMatchObject({ name: 'gateway-stopped' })
  await fleet.end('c-1', 4)
  expect((await first).body).toMatchObject({ exit_code: 4 })
  await over
  expect(fleet.begun).toEqual(['c-1'])
})

it('a page that follows changes is told until when running sessions go on, also one that comes later', async () => {
  await using fleet = await Fleet.start(1, () => 'wait')
  const running = fleet.gateway.exec(runbook, 'c-1')
  await waitFor(() => fleet.begun.length === 1)
  await using early = await changes(fleet)
  const { over } = drain(fleet)
  await using late = await changes(fleet)
  for (const { told } of [early, late])
    await waitFor(() => /"stops_at":"\d{4}-\d\d-\d\dT/.test(told.join('')))
  await fleet.end('c-1')
  await over
  expect((await running).body).toMatchObject({ exit_code: 0 })
})

it('nothing new begins or is asked for: no session, no review, no run of a schedule; reviews are decided on', async () => {
  const review = (name: string) =>
    name === 'c-2' ? ', review: { groups: [admin], self-approval: true }' : ''
  await using fleet = await Fleet.start(2, () => 'wait', { more: SCHEDULE }, review)
  const { gateway } = fleet
  const asked = await gateway.exec(runbook, 'c-2')
  const id = String(asked.body['session_id'])
  const running = gateway.exec(runbook, 'c-1')
  await waitFor(() => fleet.begun.length === 1)
  const { hurry, over } = drain(fleet)
  expect(await gateway.exec(runbook, 'c-1')).toMatchObject(refused)
  expect(await gateway.exec(runbook, 'c-2')).toMatchObject(refused)
  expect(await gateway.request('POST', '/api/schedules/nightly/run')).toMatchObject(refused)
  expect((await gateway.request('PUT', `/api/reviews/${id}`, { status: 'approved' })).status).toBe(200)
  expect(await gateway.request('POST', `/api/sessions/${id}/exec`)).toMatchObject(refused)
  expect((await gateway.request('GET', `/api/reviews/${id}`)).body).toMatchObject({ status: 'APPROVED' })
  hurry.abort()
  await over
  await gateway.gateway.endSessions()
  expect((await running).body).toMatchObject({ code: 'gateway-stopped' })
})

/** A connection of the test's own, for requests that no client sends. */
function raw({ gateway }: Fleet): Socket {
  const { hostname, port } = new URL(gateway.gateway.http)
  return connect(Number(port), hostname)
}

function head(method: string, path: string, bytes: number): string {
  return `${method} ${path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${userToken}\r\ncontent-type: application/json\r\ncontent-length: ${bytes}\r\n\r\n`
}

it('a second signal ends the wait for answers, too: a client may never send the rest of its request', async () => {
  await using fleet = await Fleet.start(1)
  const socket = raw(fleet)
  socket.write(head('POST', '/api/sessions', 100))
  // The gateway has that head when it answers this request, which came later.
  await fleet.gateway.request('GET', '/api/sessions')
  const { hurry, over } = drain(fleet)
  await setImmediate()
  hurry.abort()
  const next = fleet.gateway.request('GET', '/api/sessions').then(() => 'later')
  expect(await Promise.race([over.then(() => 'at once'), next])).toBe('at once')
  socket.destroy()
})

it('nobody waits for answers behind another one on a connection that has ended', async () => {
  await using fleet = await Fleet.start(2, () => 'wait')
  const socket = raw(fleet)
  const body = JSON.stringify(runbook)
  for (const name of ['c-1', 'c-2'])
    socket.write(
      head('POST', `/api/plugins/runbooks/connections/${name}/exec`, Buffer.byteLength(body)) + body,
    )
  await waitFor(() => fleet.begun.length === 2)
  socket.destroy()
  for (const name of fleet.begun) await fleet.end(name)
  let isOver = false
  void drain(fleet).over.then(() => (isOver = true))
  // Less than the gateway has patience for.
  await waitFor(() => isOver)
})
