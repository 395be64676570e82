import { Buffer } from 'node:buffer'
import { randomUUID } from 'node:crypto'
import { Server, ServerCredentials } from '@grpc/grpc-js'
import { decodeAgentPacket } from '../dist/wire/messages/from-agent.js'
import { encodeGatewayMessage } from '../dist/wire/messages/from-gateway.js'
import { channelOptions, transportService } from '../dist/wire/service.js'

/**
 * A gateway for one agent in the process of the benchmark. It only implements the protocol, so that the figures are
 * the agent's. It accepts every agent.
 */
export class ScriptedGateway {
  /** Settles when an agent has opened its stream. */
  connected
  /** Received packets of sessions. Keepalives and logs are not counted, because they depend on time. */
  received = { packets: 0, bytes: 0 }
  #server = new Server(channelOptions)
  #sessions = new Map()
  #markConnected
  #stream
  #port

  static async start() {
    const gateway = new ScriptedGateway()
    await gateway.#listen()
    return gateway
  }

  constructor() {
    this.connected = new Promise((resolve) => (this.#markConnected = resolve))
    this.#server.addService(transportService, {
      Connect: (stream) => this.#accept(stream),
      HealthCheck: (_, done) => done(null, { status: 'OK' }),
      PreConnect: (_, done) => done(null, { status: 'BACKOFF' }),
    })
  }

  /** The key with which an agent connects to this gateway. */
  get key() {
    return `grpc://bench:xagt-of-the-bench@127.0.0.1:${this.#port}?mode=standard`
  }

  /**
   * Runs one session from open to close. Fails if the session does not end with code 0, or ends with a message.
   * @param {readonly string[]} command
   * @param {string} script
   * @param {'client' | 'client-api'} origin output of `client` is not capped
   * @param {(bytes: Buffer) => void} onOutput receives stdout and stderr as they arrive
   */
  execute(command, script, origin, onOutput) {
    const sid = randomUUID()
    return new Promise((resolve, reject) => {
      const close = ({ exitCode, message }) => {
        this.#sessions.delete(sid)
        this.#send({ kind: 'close', sid })
        if (exitCode === 0 && message === '') resolve()
        else reject(new Error(`${command.join(' ')} ended with ${exitCode}: ${message}`))
      }
      const open = () => this.#send({ kind: 'exec', sid, stdin: Buffer.from(script) })
      this.#sessions.set(sid, { open, onOutput, close })
      this.#send(openMessage(sid, command, origin))
    })
  }

  /**
   * Opens a console whose program first writes `ready`.
   * @param {readonly string[]} command
   * @returns {Promise<{ trip(key: Buffer): Promise<Buffer>, end(): Promise<void> }>} `trip` types a key and waits for
   *   what comes back
   */
  async console(command) {
    const sid = randomUUID()
    let arrived
    let shown = ''
    const ready = new Promise((resolve) => {
      arrived = (bytes) => (shown += bytes.toString()).includes('ready') && resolve()
    })
    const closed = new Promise((resolve) => {
      const open = () => {
        this.#send({ kind: 'input', sid, data: Buffer.from('\n') })
        this.#send({ kind: 'resize', sid, rows: 24, cols: 80 })
      }
      this.#sessions.set(sid, { open, onOutput: (bytes) => arrived(bytes), close: resolve })
    })
    this.#send(openMessage(sid, command, 'client', 'connect'))
    await ready
    return {
      trip: (key) => {
        const answer = new Promise((resolve) => (arrived = resolve))
        this.#send({ kind: 'input', sid, data: key })
        return answer
      },
      end: async () => {
        this.#send({ kind: 'close', sid })
        await closed
        this.#sessions.delete(sid)
      },
    }
  }

  stop() {
    this.#stream?.end()
    this.#server.forceShutdown()
  }

  async #listen() {
    this.#port = await new Promise((resolve, reject) => {
      this.#server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(port),
      )
    })
  }

  #accept(stream) {
    this.#stream = stream
    stream.on('data', (packet) => {
      this.#count(packet)
      this.#receive(decodeAgentPacket(packet))
    })
    stream.on('error', () => undefined)
    stream.on('end', () => stream.end())
    this.#send({ kind: 'connected' })
    this.#markConnected()
  }

  /** Counts the bytes of a packet, without the bytes of the field tags. */
  #count({ type, spec, payload }) {
    if (spec['gateway.session_id'] === undefined) return
    const entries = Object.entries(spec).map(([key, value]) => key.length + value.length)
    this.received.packets++
    this.received.bytes += entries.reduce((sum, length) => sum + length, type.length + payload.length)
  }

  #receive(message) {
    const session = this.#sessions.get(message.sid)
    if (session === undefined) return
    if (message.kind === 'opened') session.open()
    if (message.kind === 'stdout' || message.kind === 'stderr') session.onOutput(message.data)
    if (message.kind === 'closed') session.close(message)
  }

  #send(message) {
    this.#stream.write(encodeGatewayMessage(message))
  }
}

function openMessage(sid, command, origin, verb = 'exec') {
  const absent = {
    envVars: new Map(),
    clientArgs: [],
    dlpProvider: '',
    dlpMode: '',
    dlpInfoTypes: [],
    dlpGcpRawCredentialsJson: '',
    dlpPresidioAnalyzerUrl: '',
    dlpPresidioAnonymizerUrl: '',
    dataMaskingEntityTypesData: undefined,
    guardRailRules: undefined,
    analyzerMetricsRules: undefined,
    aiSessionAnalyzer: undefined,
  }
  const named = { connectionName: 'bench', connectionType: 'command-line', connectionSubType: '' }
  const client = { userId: 'bench', userEmail: 'bench@localhost', clientVerb: verb, clientOrigin: origin }
  const params = { ...absent, ...named, ...client, cmdList: command }
  return {
    kind: 'open',
    sid,
    connectionType: 'command-line',
    requestPort: '',
    params,
    clientEnvVars: new Map(),
  }
}
