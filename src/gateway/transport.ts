import {
  Server,
  ServerCredentials,
  status,
  type ServerDuplexStream,
  type sendUnaryData,
  type ServerUnaryCall,
} from '@grpc/grpc-js'
import { decodeAgentPacket } from '../wire/agent-message.ts'
import { encodeGatewayMessage } from '../wire/gateway-message.ts'
import type { Packet } from '../wire/packet.ts'
import { channelOptions, transportService } from '../wire/service.ts'
import { AgentStream, type Agents } from './agents.ts'
import type { Logger } from '../basics/logger.ts'
import type { Address } from './settings/address.ts'

type Stream = ServerDuplexStream<Packet, Packet>

/** grpc-go's: a peer that answers no ping within 20 s is gone. Agents behind a dead network free their name by it. */
const serverOptions = {
  ...channelOptions,
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 20_000,
} as const

/** How long streams may take to end in good order when the gateway stops. */
const CLOSE_MS = 1000

/** `protobuf.Transport` for agents. */
export class Transport {
  readonly #server = new Server(serverOptions)
  readonly #streams = new Set<Stream>()
  readonly #agents: Agents
  readonly #log: Logger

  constructor(agents: Agents, log: Logger) {
    this.#agents = agents
    this.#log = log
    this.#server.addService(transportService, {
      Connect: (stream: Stream) => this.#connect(stream),
      HealthCheck: (_: unknown, done: sendUnaryData<{ status: string }>) => done(null, { status: 'OK' }),
      PreConnect: (_: ServerUnaryCall<unknown, unknown>, done: sendUnaryData<never>) =>
        done({ code: status.UNIMPLEMENTED, details: 'this gateway serves agents with mode=standard only' }),
    })
  }

  /** @returns the port, the real one when 0 was asked for */
  listen({ host, port }: Address): Promise<number> {
    const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      )
    })
  }

  /** Ends every stream, then the server. */
  async close(): Promise<void> {
    for (const stream of this.#streams) stream.end()
    const force = setTimeout(() => this.#server.forceShutdown(), CLOSE_MS)
    await new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()))
    clearTimeout(force)
  }

  #connect(stream: Stream): void {
    const refusal = this.#refusal(stream)
    if (refusal !== undefined) return refuse(stream, refusal.code, refusal.details)
    const authentication = this.#agents.authenticate(header(stream, 'authorization'))
    if (authentication.kind === 'unknown')
      return refuse(stream, status.UNAUTHENTICATED, 'invalid authentication')
    if (authentication.kind === 'name-differs') {
      return refuse(stream, status.UNAUTHENTICATED, 'invalid authentication, mismatch dsn attributes')
    }
    const agent = new AgentStream(
      authentication.name,
      (message) => void stream.write(encodeGatewayMessage(message)),
    )
    if (!this.#agents.connect(agent))
      return refuse(stream, status.FAILED_PRECONDITION, 'agent already connected')
    this.#serve(stream, agent)
  }

  /** The checks that come before the credential (protocol.md 1.4). */
  #refusal(stream: Stream): { code: status; details: string } | undefined {
    const origin = header(stream, 'origin')
    if (origin === undefined) return { code: status.INVALID_ARGUMENT, details: 'missing client origin' }
    if (origin === 'client')
      return {
        code: status.UNIMPLEMENTED,
        details: 'this gateway serves no command line clients yet: use its REST API',
      }
    return origin === 'agent'
      ? undefined
      : { code: status.UNAUTHENTICATED, details: 'invalid authentication' }
  }

  #serve(stream: Stream, agent: AgentStream): void {
    this.#streams.add(stream)
    this.#log.info({ agent: agent.name, hostname: header(stream, 'hostname') }, 'agent connected')
    stream.on('data', (packet: Packet) => agent.receive(decodeAgentPacket(packet)))
    const over = (reason: string) => {
      if (!this.#streams.delete(stream)) return
      this.#agents.disconnect(agent, reason)
      this.#log.info({ agent: agent.name, reason }, 'agent disconnected')
    }
    // A lost connection ends the readable side as well, a moment before it is called cancelled.
    stream.on('end', () =>
      setImmediate(() => {
        over('EOF')
        stream.end()
      }),
    )
    stream.on('cancelled', () => over('agent has disconnected'))
    stream.on('error', (error) => over(error.message))
    stream.on('close', () => over('agent has disconnected'))
    agent.send({ kind: 'connected' })
    agent.send({ kind: 'feature-flags', flags: new Map() })
  }
}

function header(stream: Stream, name: string): string | undefined {
  const [value] = stream.metadata.get(name)
  return value === undefined ? undefined : String(value)
}

function refuse(stream: Stream, code: status, details: string): void {
  stream.emit('error', { code, details })
}
