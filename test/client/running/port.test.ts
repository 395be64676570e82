import { execFile, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { ClientPort } from '../../../src/client/running/port.ts'
import type { ConnectionMessage, NativeProtocolName } from '../../../src/wire/messages/native.ts'
import { resetConnection } from '../../../src/basics/net/reset.ts'
import { heard } from '../../support/network/heard.ts'
import { waitFor } from '../../support/wait.ts'

async function opened(
  options: { protocol?: NativeProtocolName; halfCloses?: boolean; answerMs?: number } = {},
) {
  const sent: ConnectionMessage[] = []
  const refusals: string[] = []
  const port = await ClientPort.open({
    protocol: 'postgres',
    halfCloses: true,
    ...options,
    port: 0,
    send: async (message) => {
      sent.push(message)
      await Promise.resolve()
    },
    refused: (reason) => refusals.push(reason),
  })
  return { port, sent, refusals }
}

describe('the port of native clients', () => {
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
})

describe('the end of a TCP client', () => {
  const close = { kind: 'connection-close', connectionId: '1' } as const
  async function client(halfCloses = true, answerMs = 60_000) {
    const { port, sent } = await opened({ protocol: 'tcp', halfCloses, answerMs })
    const socket = connect({ port: port.number, host: '127.0.0.1', allowHalfOpen: true })
    const got = heard(socket)
    await waitFor(() => sent.length === 1)
    const answer = (data: string) =>
      port.receive({ kind: 'connection-data', connectionId: '1', protocol: 'tcp', data: Buffer.from(data) })
    return { port, sent, socket, got, answer }
  }

  it('in one direction is passed on, and the answer arrives', async () => {
    const { port, sent, socket, got, answer } = await client()
    using _ = port
    socket.end('question')
    await waitFor(() => sent.length === 3)
    expect(sent.slice(1)).toMatchObject([{ data: Buffer.from('question') }, { kind: 'connection-end' }])
    answer('answer')
    port.receive({ kind: 'connection-end', connectionId: '1' })
    expect(await got).toBe('answer')
    await waitFor(() => sent.length === 4)
    expect(sent.at(-1)).toEqual(close)
  })

  it('comes after the end of the server, which ends only the other direction', async () => {
    const { port, sent, socket, got, answer } = await client()
    using _ = port
    answer('all')
    port.receive({ kind: 'connection-end', connectionId: '1' })
    expect(await got).toBe('all')
    socket.end('thanks')
    await waitFor(() => sent.length === 3)
    expect(sent.slice(1)).toMatchObject([{ data: Buffer.from('thanks') }, close])
  })

  it('is a reset where the server was lost, and where the port closes', async () => {
    const lost = await client()
    using _ = lost.port
    lost.answer('part')
    await once(lost.socket, 'data')
    lost.port.receive({ ...close, isReset: true })
    expect(await lost.got).toBe('ECONNRESET')
    const { port, got } = await client()
    port.close('the session is over')
    expect(await got).toBe('ECONNRESET')
  })

  it('is a reset where no answer follows for long', async () => {
    const { port, sent, socket, got } = await client(true, 1)
    using _ = port
    socket.end('question')
    expect(await got).toBe('ECONNRESET')
    await waitFor(() => sent.at(-1)?.kind === 'connection-close')
  })

  it('by a reset is told as a reset', async () => {
    const { port, sent, socket } = await client()
    using _ = port
    resetConnection(socket)
    await waitFor(() => sent.length === 2)
    expect(sent.at(-1)).toEqual({ ...close, isReset: true })
  })

  it('in one direction is a reset where the agent cannot pass it on', async () => {
    const { port, sent, socket, got } = await client(false)
    using _ = port
    socket.end('question')
    expect(await got).toBe('ECONNRESET')
    await waitFor(() => sent.length === 3)
    expect(sent.at(-1)).toEqual(close)
  })
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
