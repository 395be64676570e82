import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { expect, it } from 'vitest'
import { postgresProtocol } from '../../../src/agent/native/postgres/postgres.ts'
import { cancelRequest, readStartup, serverStartup } from '../../../src/agent/native/postgres/startup.ts'
import type { NativeClient, Target } from '../../../src/agent/native/protocol.ts'
import { ServerSocket } from '../../../src/agent/native/server-socket.ts'
import { waitFor } from '../../support/wait.ts'

const PID = 4711
const KEY = Buffer.from('the key of the query')

/** Answers requests for TLS and logins, with one key for all clients, and keeps the cancel requests. */
async function serverWithKey() {
  const cancels: Buffer[] = []
  const sockets: Socket[] = []
  const key = Buffer.alloc(9)
  key.write('K')
  key.writeUInt32BE(8 + KEY.length, 1)
  key.writeUInt32BE(PID, 5)
  const login = Buffer.concat([Buffer.from('R\0\0\0\x08\0\0\0\0'), key, KEY, Buffer.from('Z\0\0\0\x05I')])
  const server = createServer((socket) => {
    sockets.push(socket.on('error', () => undefined))
    socket.on('data', (bytes) => {
      const kind = readStartup(bytes)?.startup.kind
      if (kind === 'cancel') socket.end(void cancels.push(bytes))
      else socket.write(kind === 'encryption' ? 'N' : login)
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const close = async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  }
  return { cancels, sockets, port: (server.address() as AddressInfo).port, [Symbol.asyncDispose]: close }
}

/** A client that sends these bytes, and stays until it is told to go. */
function clientOf(first: Buffer) {
  const gone = new AbortController()
  const received: Buffer[] = []
  const unread = [first]
  const next = async () => {
    if (unread.length === 0 && !gone.signal.aborted) await once(gone.signal, 'abort')
    return unread.shift()
  }
  const client: NativeClient = {
    ...{ id: '1', isSilent: false, isOurs: false, gone: gone.signal, ending: new AbortController().signal },
    next,
    deliver: async () => {
      await next()
    },
    send: (bytes) => void received.push(bytes),
  }
  return { client, received, leave: () => gone.abort() }
}

it('a request to cancel does nothing without the key of the query, and reaches the server with it', async () => {
  await using server = await serverWithKey()
  const address = { host: '127.0.0.1', port: server.port }
  const log = () => undefined
  const target: Target = {
    address,
    variable: () => undefined,
    account: () => Promise.resolve({ user: 'u', password: 'p' }),
    dial: (gone) => ServerSocket.dial(address, gone),
    rules: undefined,
    log: { debug: log, info: log, warn: log, error: log },
  }
  const protocol = postgresProtocol(target)
  const parameters = new Map([['user', 'noop']])
  const query = clientOf(serverStartup({ kind: 'startup', version: 196_608, parameters }, 'noop', ''))
  const served = protocol.serve(query.client)
  await waitFor(() => Buffer.concat(query.received).includes(KEY))
  const cancel = async (pid: number, key: Buffer) => {
    const { client } = clientOf(cancelRequest(pid, key))
    await protocol.serve(client)
    return client.isSilent
  }
  const other = Buffer.from(KEY)
  other[KEY.length - 1] = 0
  const longer = Buffer.concat([KEY, Buffer.from('!')])
  for (const key of [other, KEY.subarray(0, 4), longer]) expect(await cancel(PID, key)).toBe(true)
  expect(await cancel(PID + 1, KEY)).toBe(false)
  // Nothing has even been dialled but the server of the query.
  expect([server.sockets.length, server.cancels]).toEqual([1, []])
  expect(await cancel(PID, KEY)).toBe(true)
  expect(server.cancels).toEqual([cancelRequest(PID, KEY)])
  query.leave()
  await served
  await cancel(PID, KEY)
  expect(server.cancels).toHaveLength(1)
})
