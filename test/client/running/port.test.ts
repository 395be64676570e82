import { execFile, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { ClientPort } from '../../../src/client/running/port.ts'
import type { ConnectionMessage } from '../../../src/wire/messages/native.ts'
import { waitFor } from '../../support/wait.ts'

async function opened() {
  const sent: ConnectionMessage[] = []
  const refusals: string[] = []
  const port = await ClientPort.open({
    protocol: 'postgres',
    port: 0,
    send: async (message) => {
      sent.push(message)
      await Promise.resolve()
    },
    refused: (reason) => refusals.push(reason),
  })
  return { port, sent, refusals }
}

it('lets nobody in who has sent something and is gone: the system counts what is left as root’s', async () => {
  const { port, sent, refusals } = await opened()
  using _ = port
  // While this process waits here, the other one connects, sends and ends; only then is the connection accepted.
  const script = `require('node:net').connect(${port.number}, '127.0.0.1', function () { this.end('drop table t'); this.unref() })`
  execFileSync(process.execPath, ['-e', script])
  await waitFor(() => refusals.length + sent.length > 0)
  expect([sent, refusals.length]).toEqual([[], 1])
})

it('lets in who comes from the usual address alone: elsewhere the port of another client can be taken', async () => {
  const { port, sent, refusals } = await opened()
  using _ = port
  const own = connect(port.number, '127.0.0.1')
  own.write('mine')
  await waitFor(() => sent.length === 1)
  const taken = { localAddress: '127.0.0.2', localPort: (own.address() as AddressInfo).port }
  const other = connect({ port: port.number, host: '127.0.0.1', ...taken })
  other.on('error', () => undefined).write('a table of yours')
  await waitFor(() => refusals.length + sent.length > 1)
  expect([sent.length, refusals]).toEqual([1, ['a client whose address is not 127.0.0.1']])
  own.destroy()
})

it('says that a client is gone, although the agent has closed it first', async () => {
  const { port, sent } = await opened()
  using _ = port
  const client = connect(port.number, '127.0.0.1')
  client.write('some bytes')
  await waitFor(() => sent.length === 1)
  port.receive({ kind: 'connection-close', connectionId: '1' })
  await once(client.resume(), 'close')
  await waitFor(() => sent.length === 2)
  expect(sent.at(-1)).toEqual({ kind: 'connection-close', connectionId: '1' })
})

describe.skipIf(process.getuid?.() !== 0)('a client of another user', () => {
  const run = promisify(execFile)
  const nobody = { uid: 65_534, gid: 65_534, cwd: '/' }
  const asking = (host: string, port: number) => [
    '-e',
    `const s = require('node:net').connect(${port}, '${host}'); s.on('error', (e) => console.log(e.code)); s.write('drop table t')`,
  ]

  it.each(['127.0.0.1', '::ffff:127.0.0.1'])(
    'is refused by name at %s, and this user’s is let in there',
    async (host) => {
      const { port, sent, refusals } = await opened()
      using _ = port
      await run(process.execPath, asking(host, port.number), nobody)
      expect([sent, refusals]).toEqual([[], ['a client of another user (uid 65534)']])
      const own = connect({ host, port: port.number })
      own.write('mine')
      await waitFor(() => sent.length === 1)
      own.destroy()
      await waitFor(() => sent.length === 2)
    },
  )

  it('finds nobody at the loopback of IPv6', async () => {
    const { port, sent, refusals } = await opened()
    using _ = port
    const { stdout } = await run(process.execPath, asking('::1', port.number), nobody)
    expect([stdout, sent, refusals]).toEqual([expect.stringMatching(/^E[A-Z]+\n$/), [], []])
  })
})
