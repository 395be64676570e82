import { Buffer } from 'node:buffer'
import { randomUUID } from 'node:crypto'
import { Server, ServerCredentials } from '@grpc/grpc-js'
import { decodeAgentPacket } from '../dist/wire/agent-message.js'
import { encodeGatewayMessage } from '../dist/wire/gateway-message.js'
import { channelOptions, transportService } from '../dist/wire/service.js'

/**
 * A gateway for one agent in the bench's own process that does nothing but the protocol: what is measured through
 * it is the agent. It lets every agent in.
 */
export class ScriptedGateway {
  /** Settles when an agent has its stream. */
  connected
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

  /** What an agent needs to come here. */
  get key() {
    return `grpc://bench:xagt-of-the-bench@127.0.0.1:${this.#port}?mode=standard`
  }

  /**
   * One session from open to close; fails unless it ends with code 0 and without a message.
   * @param {readonly string[]} command
   * @param {string} script
   * @param {'client' | 'client-api'} origin output of `client` is not capped
   * @param {(bytes: Buffer) => void} onOutput stdout and stderr as they come
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
      this.#sessions.set(sid, { script: Buffer.from(script), onOutput, close })
      this.#send(openMessage(sid, command, origin))
    })
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
    stream.on('data', (packet) => this.#receive(decodeAgentPacket(packet)))
    stream.on('error', () => undefined)
    stream.on('end', () => stream.end())
    this.#send({ kind: 'connected' })
    this.#markConnected()
  }

  #receive(message) {
    const session = this.#sessions.get(message.sid)
    if (session === undefined) return
    if (message.kind === 'opened') this.#send({ kind: 'exec', sid: message.sid, stdin: session.script })
    if (message.kind === 'stdout' || message.kind === 'stderr') session.onOutput(message.data)
    if (message.kind === 'closed') session.close(message)
  }

  #send(message) {
    this.#stream.write(encodeGatewayMessage(message))
  }
}

function openMessage(sid, command, origin) {
  const absent = {
    ...{ envVars: new Map(), clientArgs: [], dlpProvider: '', dlpMode: '', dlpInfoTypes: [] },
    ...{ dlpGcpRawCredentialsJson: '', dlpPresidioAnalyzerUrl: '', dlpPresidioAnonymizerUrl: '' },
    ...{ dataMaskingEntityTypesData: undefined, guardRailRules: undefined },
    ...{ analyzerMetricsRules: undefined, aiSessionAnalyzer: undefined },
  }
  const named = { connectionName: 'bench', connectionType: 'command-line', connectionSubType: '' }
  const client = { userId: 'bench', userEmail: 'bench@localhost', clientVerb: 'exec', clientOrigin: origin }
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
