import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { SetUpError } from '../../src/basics/set-up-error.ts'
import { readiness } from '../../src/operations/health.ts'
import { type Http, openHttp } from '../../src/operations/http.ts'
import { agentMetrics } from '../../src/operations/metrics-table.ts'
import type { Status } from '../../src/operations/status.ts'
import { Logbook } from '../support/logbook.ts'
import { parseOpenMetrics } from '../support/openmetrics.ts'
import { sampleStatus } from '../support/sites/sample-status.ts'
import { waitFor } from '../support/wait.ts'

const LOOPBACK = { host: '127.0.0.1', port: 0 }

async function open(
  status: () => Status = sampleStatus,
  connectionMs = 10_000,
  log = new Logbook(),
  listen = LOOPBACK,
): Promise<Http> {
  return openHttp({
    setting: 'http',
    ...{ listen, log, connectionMs },
    metrics: agentMetrics(status),
    readiness: () => readiness(status()),
  })
}

/** Sends bytes as they are. @returns all that comes back until the end */
async function raw(http: Http, request: string): Promise<string> {
  const socket = await connected(http)
  socket.write(request)
  return text(socket)
}

async function connected(http: Http): Promise<Socket> {
  const socket = createConnection({ host: '127.0.0.1', port: Number(new URL(http.address).port) })
  await once(socket, 'connect')
  return socket
}

test('a probe is answered when somebody holds as many connections as there may be', async () => {
  await using http = await open()
  const held = await Promise.all(Array.from({ length: 32 }, () => connected(http)))
  const response = await fetch(`${http.address}/healthz`)
  expect([response.status, await response.text()]).toEqual([200, 'ok\n'])
  for (const socket of held) socket.destroy()
})

test('healthz says ok', async () => {
  await using http = await open()
  const response = await fetch(`${http.address}/healthz`)
  expect([response.status, await response.text()]).toEqual([200, 'ok\n'])
})

test('readyz follows the connection, and says why it is not ready', async () => {
  let status = sampleStatus()
  await using http = await open(() => status)
  const ask = async () => {
    const response = await fetch(`${http.address}/readyz?verbose`)
    return [response.status, await response.text()]
  }
  expect(await ask()).toEqual([200, 'serving\n'])
  status = sampleStatus({ state: 'conflict', reason: 'another agent\nuses this key' })
  expect(await ask()).toEqual([503, 'conflict: another agent uses this key\n'])
  status = sampleStatus({ state: 'draining' })
  expect(await ask()).toEqual([503, 'draining\n'])
})

test('a scrape is given in the form that is asked for', async () => {
  await using http = await open()
  const accept = 'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.1'
  const found = await fetch(`${http.address}/metrics`, { headers: { accept } })
  expect(found.headers.get('content-type')).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8')
  const delay = parseOpenMetrics(await found.text()).find(({ name }) => name.includes('event_loop_delay'))
  expect(delay?.samples[0]?.value).toBeGreaterThanOrEqual(0)
  const classic = await fetch(`${http.address}/metrics`)
  expect(classic.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  expect(await classic.text()).toContain('\n# TYPE runbook_agent_sessions_opened_total counter\n')
})

test('HEAD is answered without a body, everything else is refused', async () => {
  await using http = await open()
  const head = await raw(http, 'HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
  expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
  expect(head).toMatch(/content-length: 3\r\n/)
  expect(head.endsWith('\r\n\r\n')).toBe(true)
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    const response = await fetch(`${http.address}/metrics`, { method })
    expect([method, response.status, response.headers.get('allow')]).toEqual([method, 405, 'GET, HEAD'])
    await response.text()
  }
  for (const path of ['/', '/healthz/', '/readyz/x', '/METRICS', '//healthz', '/%68ealthz']) {
    expect([path, (await fetch(`${http.address}${path}`)).status]).toEqual([path, 404])
  }
})

test('a connection is closed after its answer, also when the client wants to keep it', async () => {
  await using http = await open()
  const request = 'GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n'
  const answer = await raw(http, request + request)
  expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1)
  expect(answer).toMatch(/connection: close\r\n/i)
})

test('a body is not waited for', async () => {
  await using http = await open()
  const answer = await raw(http, 'GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nhalf')
  expect(answer).toMatch(/^HTTP\/1\.1 200 /)
})

test('a header without end is refused, and so is another protocol', async () => {
  await using http = await open()
  const long = await raw(http, `GET /healthz HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(10_000)}\r\n\r\n`)
  expect(long).toMatch(/^HTTP\/1\.1 431 /)
  expect(await raw(http, '\u0016\u0003\u0001 hello\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /)
})

test('a client that sends half a request is left when its time is over', async () => {
  await using http = await open(sampleStatus, 100)
  expect(await raw(http, 'GET /healthz HTT')).toBe('')
  const silent = await connected(http)
  await once(silent, 'close')
})

test('no more than 32 clients are held at the same time, and others come in when they are gone', async () => {
  await using http = await open()
  const held: Socket[] = []
  for (let i = 0; i < 40; i++) held.push((await connected(http)).on('error', () => undefined).resume())
  const open32 = () => held.filter((socket) => !socket.closed && !socket.readableEnded).length === 32
  await waitFor(open32)
  for (const socket of held) socket.destroy()
  await waitFor(async () => {
    const response = await fetch(`${http.address}/healthz`).catch(() => undefined)
    return (await response?.text()) === 'ok\n'
  })
})

test('what cannot be told is an error of its own, and the agent goes on', async () => {
  const log = new Logbook()
  const fail = () => {
    throw new Error('no status today')
  }
  await using http = await open(fail, 10_000, log)
  for (const path of ['/readyz', '/metrics']) {
    const response = await fetch(`${http.address}${path}`)
    expect([response.status, await response.text()]).toEqual([500, 'internal error; see the log\n'])
  }
  expect(log.at('error')).toHaveLength(2)
  expect((await fetch(`${http.address}/healthz`)).status).toBe(200)
})

test('a port that is taken is named', async () => {
  await using http = await open()
  const port = Number(new URL(http.address).port)
  const again = open(sampleStatus, 10_000, new Logbook(), { host: '127.0.0.1', port })
  await expect(again).rejects.toThrow(SetUpError)
  await expect(again).rejects.toThrow(
    `http: cannot listen on 127.0.0.1:${port}: EADDRINUSE. Stop the program that uses this address, or choose another address`,
  )
})

test('only an address that others can reach is warned about', async () => {
  const log = new Logbook()
  const warnings = async (host: string) => {
    await using http = await open(sampleStatus, 10_000, log, { host, port: 0 })
    return [http.address.replace(/\d+$/, 'PORT'), log.at('warn').length]
  }
  expect(await warnings('localhost')).toEqual(['http://localhost:PORT', 0])
  expect(await warnings('::1')).toEqual(['http://[::1]:PORT', 0])
  expect(await warnings('0.0.0.0')).toEqual(['http://0.0.0.0:PORT', 1])
})

test('neither the server nor a connection keeps the process running', async () => {
  const holding = () => process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP'))
  await waitFor(() => holding().length === 0)
  await using http = await open()
  // The client's own end is held by this process.
  const client = (await connected(http)).on('error', () => undefined).unref()
  client.write('GET /healthz HTT')
  expect(holding()).toEqual([])
  client.destroy()
})

test('a connection that hangs does not hold up the end', async () => {
  const http = await open()
  const hanging = (await connected(http)).on('error', () => undefined).resume()
  hanging.write('GET /healthz HTT')
  await http[Symbol.asyncDispose]()
  await waitFor(() => hanging.closed)
})
