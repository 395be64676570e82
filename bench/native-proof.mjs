#!/usr/bin/env node
// The reference of bench/native.mjs: native PostgreSQL connections over hoop's protocol, in minimal code for
// plain Node. As in production there are three processes (a client's port, a gateway and an agent) and two
// streams of gRPC. There is no login, policy, record, limit or pause. The client sends one message per
// packet, as hoop's command line does. The agent sends one message per packet (`messages`), or all complete
// messages of a read in one packet (`joined`). With the gateway `own`, our own agent is used, with the login
// of TARGET.
import { Buffer } from 'node:buffer'
import { connect, createServer } from 'node:net'
import process from 'node:process'
import { fileURLToPath, URL } from 'node:url'
import { credentials, loadPackageDefinition, Metadata, Server, ServerCredentials } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'

const HOST = '127.0.0.1'
const SESSION = 'gateway.session_id'
const CONNECTION = 'client.connection_id'
const [role, way, at, server] = process.argv.slice(2)
const proto = fileURLToPath(new URL('../proto/transport.proto', import.meta.url))
const { Transport } = loadPackageDefinition(
  loadSync(proto, { keepCase: true, defaults: true, bytes: Buffer }),
).protobuf

if (role === 'gateway') await serveGateway()
if (role === 'agent') serveServer(streamTo(at, 'agent'), Number(server), way === 'joined')
if (role === 'client') listen(streamTo(at, 'client'))

/** Forwards packets between an agent and clients. Each client is a session. */
async function serveGateway() {
  const own = way === 'own' ? await import('./native-opening.mjs') : undefined
  const grpc = new Server()
  const sessions = new Map()
  let agent
  const serveAgent = (stream) => {
    agent = stream
    if (own !== undefined) stream.write(own.connected)
    stream.on('data', (packet) => sessions.get(String(packet.spec[SESSION]))?.(packet))
  }
  const serveClient = (stream) => {
    const session = Buffer.from(`session-${sessions.size}`)
    const pass = (packet) => stream.write(packet)
    const read = () =>
      stream.on('data', ({ type, spec, payload }) =>
        agent.write({ type, spec: { ...spec, [SESSION]: session }, payload }),
      )
    if (own === undefined) {
      sessions.set(String(session), pass)
      read()
      return
    }
    sessions.set(String(session), ({ type }) => {
      if (type !== own.OPENED) throw new Error(`the agent did not open the session: ${type}`)
      sessions.set(String(session), pass)
      read()
    })
    agent.write(own.opening(String(session), JSON.parse(process.env.TARGET)))
  }
  const Connect = (stream) => {
    stream.on('error', () => undefined)
    if (String(stream.metadata.get('origin')[0]) === 'agent') serveAgent(stream)
    else serveClient(stream)
  }
  grpc.addService(Transport.service, { Connect })
  grpc.bindAsync(`${HOST}:0`, ServerCredentials.createInsecure(), (_, port) => say(port))
}

function streamTo(port, origin) {
  const metadata = new Metadata()
  metadata.set('origin', origin)
  const stream = new Transport(`${HOST}:${port}`, credentials.createInsecure()).Connect(metadata)
  return stream.on('error', () => process.exit())
}

/** The agent's side, with a connection to the server for each connection of a client. */
function serveServer(stream, port, isJoined) {
  const sockets = new Map()
  const open = (key, spec) => {
    const messages = new Messages(false)
    const send = (payload) => stream.write({ type: 'ClientPGConnectionWrite', spec, payload })
    const socket = connect({ host: HOST, port, noDelay: true }).on('error', () => undefined)
    socket.on('data', (bytes) => {
      const whole = messages.cut(bytes)
      if (!isJoined) whole.forEach(send)
      else if (whole.length > 0) send(Buffer.concat(whole))
    })
    socket.on('close', () =>
      stream.write({ type: 'ClientTCPConnectionClose', spec, payload: Buffer.alloc(0) }),
    )
    sockets.set(key, socket)
    return socket
  }
  stream.on('data', ({ type, spec, payload }) => {
    const key = `${spec[SESSION]}/${spec[CONNECTION]}`
    if (type === 'AgentCloseTCPConnection') sockets.get(key)?.end()
    else (sockets.get(key) ?? open(key, spec)).write(payload)
  })
  say(0)
}

/** The client's side: a port whose clients are connections of one session. */
function listen(stream) {
  const clients = new Map()
  stream.on('data', ({ type, spec, payload }) => {
    const client = clients.get(String(spec[CONNECTION]))
    if (type === 'ClientTCPConnectionClose') client?.end()
    else client?.write(payload)
  })
  const port = createServer({ noDelay: true }, (client) => {
    const connection = Buffer.from(String(clients.size))
    clients.set(String(connection), client)
    const messages = new Messages(true)
    const send = (type, payload) => stream.write({ type, spec: { [CONNECTION]: connection }, payload })
    client.on('data', (bytes) => {
      for (const message of messages.cut(bytes)) send('AgentPGConnectionWrite', message)
    })
    client.on('error', () => undefined)
    client.on('close', () => send('AgentCloseTCPConnection', Buffer.alloc(0)))
  })
  port.listen(0, HOST, () => say(port.address().port))
}

/** Splits bytes into whole messages, and keeps an incomplete message. */
class Messages {
  #rest = Buffer.alloc(0)
  #isStartup

  /** @param isStartup whether the first message has no type */
  constructor(isStartup) {
    this.#isStartup = isStartup
  }

  cut(bytes) {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    const whole = []
    let from = 0
    for (;;) {
      const head = this.#isStartup ? 0 : 1
      if (all.length - from < head + 4) break
      const length = head + all.readUInt32BE(from + head)
      if (all.length - from < length) break
      whole.push(all.subarray(from, from + length))
      this.#isStartup = false
      from += length
    }
    this.#rest = all.subarray(from)
    return whole
  }
}

function say(port) {
  process.stdout.write(`${port}\n`)
}
