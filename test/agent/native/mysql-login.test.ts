import { createServer, type AddressInfo, type Socket } from 'node:net'
import { expect, it } from 'vitest'
import { packet } from '../../../src/agent/native/mysql/login.ts'
import { mysqlProtocol } from '../../../src/agent/native/mysql/mysql.ts'
import { ServerSocket } from '../../../src/agent/native/server-socket.ts'
import { client } from '../../support/native/rules.ts'
import { greeting } from '../../support/native/scripted-mysql.ts'
import { waitFor } from '../../support/wait.ts'

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
/** PROTOCOL_41 and SECURE_CONNECTION, a user, and no proof. */
const login = packet(
  1,
  Buffer.concat([Buffer.from([0, 0x82, 0, 0]), Buffer.alloc(28), Buffer.from('noop\0\0')]),
)
const hello = packet(0, greeting('mysql_native_password', false))

/** What is sent for each packet of the agent, beginning with the greeting. */
it.each([
  ['says nothing', []],
  ['stops in the middle of its greeting', [hello.subarray(0, 20)]],
  ['greets, and says nothing to the login', [hello]],
  ['stops in the middle of its answer', [hello, Buffer.from([7, 0])]],
])('a server that %s is named to the client, when its time for the login is over', async (_, answers) => {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    const left = [...answers]
    const answer = () => void socket.write(left.shift() ?? Buffer.alloc(0))
    sockets.push(socket.on('error', () => undefined).on('data', answer))
    answer()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const address = { host: '127.0.0.1', port }
  const to = client()
  const sends = [login]
  const never = new Promise<undefined>(() => undefined)
  const stays = { next: () => (sends.length > 0 ? Promise.resolve(sends.shift()) : never) }
  const account = () => Promise.resolve({ user: 'u', password: 'the password' })
  const dial = (gone: AbortSignal) => ServerSocket.dial(address, gone, { loginMs: 50 })
  const variable = () => undefined
  await mysqlProtocol({ address, account, dial, variable, rules: undefined, log }).serve({ ...to, ...stays })
  const told = `the server 127.0.0.1:${port} did not finish the login within 0.05 s`
  expect(to.got().toString('latin1')).toContain(told)
  expect(to.got().toString('latin1')).not.toContain('the password')
  await waitFor(() => sockets.every((socket) => socket.readableEnded || socket.destroyed))
  for (const socket of sockets) socket.destroy()
  await new Promise((resolve) => server.close(resolve))
})
