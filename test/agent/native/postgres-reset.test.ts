import { once } from 'node:events'
import { createServer, Socket, type AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi, type MockInstance } from 'vitest'
import { messageOf, encodeCString } from '../../../src/agent/native/postgres/messages.ts'
import { serverStartup } from '../../../src/agent/native/postgres/startup.ts'
import { own } from '../../support/owned.ts'
import { base64, openSpec } from '../../support/scripted/open.ts'
import { agentForEachTest, gateway, running } from '../../support/sites/each-agent.ts'
import { found, waitFor } from '../../support/wait.ts'

agentForEachTest()

const letter = (one: string) => one.charCodeAt(0)
const row = (size: number) => messageOf(letter('D'), Buffer.alloc(size, 'x'))
/** More than what the agent reads ahead of a client that has paused: 64 KiB on their way, and 64 KiB unread. */
const AHEAD = Buffer.concat(Array.from({ length: 150 }, () => row(1000)))
const CLIENT = { 'gateway.session_id': 's', 'client.connection_id': '1' }

/** The answers to the request for TLS and to the startup packet. */
const LOGIN = ['N', 'R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I']

/** A server that lets everybody in, and leaves the answers to queries to the test. */
async function databaseServer() {
  const sockets = new Set<Socket>()
  let asked: Socket | undefined
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket.on('error', () => undefined))
    const answers = [...LOGIN]
    socket.on('data', () => {
      const answer = answers.shift()
      if (answer === undefined) asked = socket
      else socket.write(Buffer.from(answer, 'latin1'))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  own({
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  })
  return { port: (server.address() as AddressInfo).port, query: () => found(() => asked) }
}

const write = (bytes: Buffer) => gateway.send('AgentPGConnectionWrite', CLIENT, bytes)
const ofType = (type: string) => gateway.of('s').filter((packet) => packet.type === type)
const got = () => Buffer.concat(ofType('ClientPGConnectionWrite').map(({ payload }) => payload))
const isClosed = () => ofType('ClientTCPConnectionClose').length > 0
const isGivenBack = (socket: Socket) =>
  socket.destroyed && running.log.some((line) => line.startsWith('native connection closed'))

let pauses: MockInstance<() => Socket>
/** Sockets that were paused. */
const sockets = () => pauses.mock.contexts as Socket[]

/** A client that has paused and asked; the server has reset after `last`, and the agent does not read. */
async function paused(last: Buffer) {
  const server = await databaseServer()
  const values = { HOST: '127.0.0.1', PORT: String(server.port), USER: 'u', PASS: 'p', DB: 'd' }
  const envVars = new Map(Object.entries(values).map(([name, value]) => [`envvar:${name}`, base64(value)]))
  const params = { connectionType: 'postgres', clientVerb: 'connect', envVars }
  gateway.send('AgentSessionOpen', { ...openSpec('s', params), 'client.pauses_connections': '1' })
  await waitFor(() => ofType('ClientSessionOpenOK').length > 0)
  const parameters = new Map([['user', 'noop']])
  write(serverStartup({ kind: 'startup', version: 196_608, parameters }, 'noop', ''))
  await waitFor(() => got().includes('Z\0\0\0\x05I'))
  const before = got().length
  gateway.send('AgentConnectionPause', CLIENT)
  write(messageOf(letter('Q'), encodeCString('select')))
  const backend = await server.query()
  backend.write(AHEAD)
  const socket = await found(() => sockets().find((one) => one.localPort === backend.remotePort))
  await waitFor(() => socket.isPaused())
  await new Promise((resolve) => backend.write(last, resolve))
  const gone = once(backend, 'close')
  backend.resetAndDestroy()
  await gone
  expect([socket.destroyed, isClosed()]).toEqual([false, false])
  return { socket, answer: () => got().subarray(before) }
}

describe('a server of PostgreSQL that resets while its client has paused', () => {
  beforeEach(() => {
    pauses = vi.spyOn(Socket.prototype, 'pause')
  })
  afterEach(() => {
    pauses.mockRestore()
  })

  it('is named to the client after all rows', async () => {
    const { socket, answer } = await paused(row(1000))
    gateway.send('AgentConnectionResume', CLIENT)
    await waitFor(() => isClosed() && isGivenBack(socket))
    const rows = Buffer.concat([AHEAD, row(1000)])
    expect(answer().subarray(0, rows.length).equals(rows)).toBe(true)
    // Node tells an end instead of the reset.
    expect(answer().subarray(rows.length).toString()).toMatch(/^E.*C08006.*Mthe connection to .* was lost: /s)
  })

  it('in the middle of a row, ends the connection: an error would be read as a part of the row', async () => {
    const last = row(1000).subarray(0, -1)
    const { socket, answer } = await paused(last)
    gateway.send('AgentConnectionResume', CLIENT)
    await waitFor(() => isClosed() && isGivenBack(socket))
    expect(answer().equals(Buffer.concat([AHEAD, last]))).toBe(true)
  })

  it('is noticed at the next message of the client, which is told after the rows that were read', async () => {
    const { socket } = await paused(row(1000))
    write(messageOf(letter('Q'), encodeCString('select')))
    await waitFor(() => socket.destroyed)
    expect(isClosed()).toBe(false)
    gateway.send('AgentConnectionResume', CLIENT)
    await waitFor(() => isClosed() && isGivenBack(socket))
  })

  it.each([
    ['its client leaves', () => gateway.send('AgentCloseTCPConnection', CLIENT)],
    ['the session is closed', () => gateway.send('AgentSessionClose', { 'gateway.session_id': 's' })],
    ['the agent stops', () => running.agent.stop()],
  ])('keeps nothing of the agent when %s', async (_, end) => {
    const { socket } = await paused(row(1000))
    end()
    await waitFor(() => isGivenBack(socket))
  })
})
