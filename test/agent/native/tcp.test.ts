import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { HoopPort } from '../../support/native/hoop-port.ts'
import { openSpec, tcpParams } from '../../support/scripted/open.ts'
import { agentForEachTest, gateway, running } from '../../support/sites/each-agent.ts'
import { resetConnection } from '../../../src/basics/net/reset.ts'
import { heard } from '../../support/network/heard.ts'
import { found, waitFor } from '../../support/wait.ts'
import type { ConnectionParams } from '../../../src/wire/params.ts'

agentForEachTest()

interface Listening extends Server {
  readonly port: number
  readonly sockets: ReadonlySet<Socket>
}

async function listening(serve: (socket: Socket) => void, allowHalfOpen = false): Promise<Listening> {
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen }, (socket) => {
    // The agent tries the port once before it opens the session, and hangs up without a byte.
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
    sockets.add(socket)
    serve(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return Object.assign(server, { port: (server.address() as AddressInfo).port, sockets })
}

function open(sid: string, port: number, more: Partial<ConnectionParams> = {}): void {
  gateway.send('AgentSessionOpen', openSpec(sid, { ...tcpParams(port), ...more }))
}

const tcp = { word: 'TCP', sid: 's', greets: true }
const ofType = (type: string) => gateway.of('s').filter((packet) => packet.type === type)
const idOf = (packet: { spec: Record<string, Buffer> }) => String(packet.spec['client.connection_id'])

describe('a session of native tcp connections', () => {
  it('carries bytes of several connections both ways, and tells each end apart', async () => {
    await using server = await listening((socket) => socket.pipe(socket))
    open('s', server.port)
    await using port = await HoopPort.open(gateway, tcp)
    await port.opened()
    const clients = Array.from({ length: 12 }, () => connect(port.port, '127.0.0.1'))
    await Promise.all(
      clients.map(async (client, at) => {
        const sent = Buffer.alloc(300_000, `${at},`)
        client.write(sent)
        let got = Buffer.alloc(0)
        for await (const bytes of client) {
          got = Buffer.concat([got, bytes as Buffer])
          if (got.length >= sent.length) break
        }
        expect(got.equals(sent)).toBe(true)
      }),
    )
    // Connection 1 is closed by now, and 10, 11 and 12 were not closed with it.
    await waitFor(() => server.sockets.size === 0)
    const [opened] = ofType('ClientSessionOpenOK')
    expect(String(opened?.spec['gateway.connection_type'])).toBe('tcp')
  })

  it('passes on the last bytes of a server that closes, and then its end', async () => {
    await using server = await listening((socket) => socket.end('bye'))
    open('s', server.port)
    await using port = await HoopPort.open(gateway, tcp)
    await port.opened()
    expect(await text(connect(port.port, '127.0.0.1'))).toBe('bye')
    await waitFor(() => port.closedByAgent.length === 1)
    // Twice is as good as once, and bytes behind it open nothing anew.
    port.hangUp('1')
    port.hangUp('1')
    port.write('1', 'late')
    expect(await text(connect(port.port, '127.0.0.1'))).toBe('bye')
    expect(port.closedByAgent).toEqual(['1', '2'])
  })

  it('gives the server the last bytes of a client that hangs up at once, and says nothing to it', async () => {
    const got: string[] = []
    await using server = await listening((socket) => void text(socket).then((all) => got.push(all)))
    open('s', server.port)
    await using port = await HoopPort.open(gateway, tcp)
    await port.opened()
    connect(port.port, '127.0.0.1').end('last words')
    await waitFor(() => got.includes('last words'))
    expect(port.closedByAgent).toEqual([])
  })

  it('closes what it cannot connect, and only that', async () => {
    const server = await listening((socket) => socket.pipe(socket))
    open('s', server.port)
    await using port = await HoopPort.open(gateway, tcp)
    await port.opened()
    const client = connect(port.port, '127.0.0.1')
    client.write('x')
    await once(client, 'data')
    server.close()
    expect(await text(connect(port.port, '127.0.0.1'))).toBe('')
    client.write('y')
    expect(String((await once(client, 'data'))[0])).toBe('y')
    client.destroy()
  })

  it('ends its connections without a word when the gateway closes the session', async () => {
    await using server = await listening((socket) => socket.resume())
    open('s', server.port)
    await using port = await HoopPort.open(gateway, tcp)
    await port.opened()
    connect(port.port, '127.0.0.1')
    connect(port.port, '127.0.0.1')
    await waitFor(() => server.sockets.size === 2)
    gateway.send('AgentSessionClose', { 'gateway.session_id': 's' })
    gateway.send('AgentSessionClose', { 'gateway.session_id': 's' })
    await waitFor(() => server.sockets.size === 0)
    port.write('1', 'late')
    await found(() => running.entries.find((entry) => entry.event === 'ended'))
    expect([ofType('ClientSessionClose'), port.closedByAgent]).toEqual([[], []])
  })

  it('does not read on for one client that has paused, and serves the others', async () => {
    const large = Buffer.alloc(6_000_000, 'x')
    await using server = await listening((socket) => socket.end(large))
    open('s', server.port)
    await using port = await HoopPort.open(gateway, tcp)
    await port.opened()
    const ids = { 'gateway.session_id': 's', 'client.connection_id': '1' }
    gateway.send('AgentTCPConnectionWrite', { ...ids, 'tcp.server_connect': '' })
    gateway.send('AgentConnectionPause', ids)
    const bytesOf = (id: string) =>
      ofType('ClientTCPConnectionWrite').reduce(
        (sum, packet) => (idOf(packet) === id ? sum + packet.payload.length : sum),
        0,
      )
    gateway.send('AgentTCPConnectionWrite', { ...ids, 'client.connection_id': '2', 'tcp.server_connect': '' })
    await waitFor(() => bytesOf('2') === large.length)
    expect(bytesOf('1')).toBeLessThan(2_000_000)
    gateway.send('AgentConnectionResume', ids)
    await waitFor(() => bytesOf('1') === large.length)
  })

  it('asks a client that can be paused to wait for a server that does not read', async () => {
    await using server = await listening((socket) => socket.pause())
    const read = () => server.sockets.forEach((socket) => socket.resume())
    open('s', server.port)
    await using port = await HoopPort.open(gateway, tcp)
    await port.opened()
    port.write('1', 'x')
    const mebibyte = Buffer.alloc(1024 * 1024)
    for (let sent = 0; sent < 56; sent += 1) port.write('1', mebibyte)
    // It has not said that it can be paused, so beyond 32 MiB its connection ends.
    await waitFor(() => port.closedByAgent.length === 1)
    read()
    gateway.send('AgentSessionClose', { 'gateway.session_id': 's' })
    const asked = openSpec('p', tcpParams(server.port))
    gateway.send('AgentSessionOpen', { ...asked, 'client.pauses_connections': '1' })
    await waitFor(() => gateway.of('p').length === 1)
    const ids = { 'gateway.session_id': 'p', 'client.connection_id': '1' }
    for (let sent = 0; sent < 20; sent += 1) gateway.send('AgentTCPConnectionWrite', ids, mebibyte)
    const told = () => gateway.of('p').map(({ type }) => type)
    await waitFor(() => told().includes('ClientConnectionPause'))
    read()
    await waitFor(() => told().includes('ClientConnectionResume'))
    gateway.send('AgentSessionClose', { 'gateway.session_id': 'p' })
  })

  it('has a thousand connections at most, and refuses one more alone', async () => {
    await using server = await listening((socket) => socket.pipe(socket))
    open('s', server.port)
    await found(() => ofType('ClientSessionOpenOK')[0])
    const write = (id: number, payload: string) =>
      gateway.send(
        'AgentTCPConnectionWrite',
        { 'gateway.session_id': 's', 'client.connection_id': String(id) },
        Buffer.from(payload),
      )
    for (let id = 1; id <= 1001; id += 1) write(id, 'x')
    const closed = () => ofType('ClientTCPConnectionClose').map(idOf)
    await waitFor(() => closed().length > 0)
    await waitFor(() => ofType('ClientTCPConnectionWrite').length === 1000)
    expect(closed()).toEqual(['1001'])
    expect(server.sockets.size).toBe(1000)
    gateway.send('AgentSessionClose', { 'gateway.session_id': 's' })
    await waitFor(() => server.sockets.size === 0)
  })

  describe('whose client can end one direction', () => {
    const ids = { 'gateway.session_id': 's', 'client.connection_id': '1' }
    const told = () => gateway.of('s').map(({ type, spec }) => type + String(spec['tcp.reset'] ?? ''))
    async function dialled(server: Listening) {
      const asked = openSpec('s', tcpParams(server.port))
      gateway.send('AgentSessionOpen', { ...asked, 'client.half_closes': '1' })
      const opened = await found(() => ofType('ClientSessionOpenOK')[0])
      expect(String(opened.spec['agent.half_closes'])).toBe('1')
      gateway.send('AgentTCPConnectionWrite', { ...ids, 'tcp.server_connect': '' })
    }
    const halfOpen = (serve: (socket: Socket) => void) => listening(serve, true)

    it('passes the end of the client on, and then the answer and the end of the server', async () => {
      await using server = await halfOpen((socket) => {
        void heard(socket).then((asked) => socket.end(`answer to ${asked}`))
      })
      await dialled(server)
      gateway.send('AgentTCPConnectionWrite', ids, Buffer.from('question'))
      gateway.send('AgentConnectionEnd', ids)
      await waitFor(() => told().includes('ClientTCPConnectionClose'))
      expect(String(ofType('ClientTCPConnectionWrite')[0]?.payload)).toBe('answer to question')
      expect(told().slice(-2)).toEqual(['ClientConnectionEnd', 'ClientTCPConnectionClose'])
    })

    it('passes the end of the server on, and then what the client still sends', async () => {
      const got: string[] = []
      await using server = await halfOpen((socket) => {
        socket.end('hello')
        void heard(socket).then((said) => got.push(said))
      })
      await dialled(server)
      await waitFor(() => told().includes('ClientConnectionEnd'))
      gateway.send('AgentTCPConnectionWrite', ids, Buffer.from('late'))
      gateway.send('AgentConnectionEnd', ids)
      await waitFor(() => got.includes('late'))
      await waitFor(() => told().includes('ClientTCPConnectionClose'))
    })

    it('passes on that the server is lost, and the bytes before', async () => {
      await using server = await listening((socket) => {
        socket.once('data', () => {
          socket.write('part')
          resetConnection(socket)
        })
      })
      await dialled(server)
      gateway.send('AgentTCPConnectionWrite', ids, Buffer.from('x'))
      await waitFor(() => told().some((one) => one.startsWith('ClientTCPConnectionClose')))
      expect(told().slice(-2)).toEqual(['ClientTCPConnectionWrite', 'ClientTCPConnectionClose1'])
    })

    it('passes on that the server is lost after its end, when the client sends', async () => {
      await using server = await halfOpen((socket) => {
        socket.end('hello').once('data', () => {
          resetConnection(socket)
          gateway.send('AgentTCPConnectionWrite', ids, Buffer.from('y'))
        })
      })
      await dialled(server)
      await waitFor(() => told().includes('ClientConnectionEnd'))
      gateway.send('AgentTCPConnectionWrite', ids, Buffer.from('x'))
      await waitFor(() => told().includes('ClientTCPConnectionClose1'))
    })

    it('passes the reset of the client on', async () => {
      const lost: unknown[] = []
      await using server = await listening((socket) => {
        socket.once('data', () => gateway.send('AgentCloseTCPConnection', { ...ids, 'tcp.reset': '1' }))
        socket.on('error', (error: NodeJS.ErrnoException) => lost.push(error.code))
      })
      await dialled(server)
      gateway.send('AgentTCPConnectionWrite', ids, Buffer.from('x'))
      await waitFor(() => lost.length > 0)
      expect(lost).toEqual(['ECONNRESET'])
    })
  })

  it('is refused at its opening where rules would have to be enforced', async () => {
    await using server = await listening((socket) => socket.end())
    const rules = [{ name: 'no', rules: [{ type: 'deny_words_list', words: ['x'] }] }]
    open('s', server.port, { guardRailRules: Buffer.from(JSON.stringify({ input_rules: rules })) })
    const refused = await gateway.closeOf('s')
    expect(String(refused.spec['client.exit_code'])).toBe('254')
    expect(String(refused.payload)).toContain('the native tcp proxy does not support guardrail enforcement')
    const masking = Buffer.from(
      JSON.stringify([{ supported_entity_types: [{ entity_types: ['EMAIL_ADDRESS'] }] }]),
    )
    open('m', server.port, { dlpProvider: 'mspresidio', dataMaskingEntityTypesData: masking })
    expect(String((await gateway.closeOf('m')).payload)).toMatch(
      /does not support masking enforcement; remove the masking from this connection, or use a connection of another type$/,
    )
  })

  it('is refused at its opening when nobody listens', async () => {
    const server = await listening((socket) => socket.end())
    const { port } = server
    server.close()
    open('s', port)
    expect(String((await gateway.closeOf('s')).payload)).toMatch(/connection refused$/)
    expect(ofType('ClientSessionOpenOK')).toEqual([])
  })
})
