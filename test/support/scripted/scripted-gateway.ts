import {
  Server,
  ServerCredentials,
  type sendUnaryData,
  type ServerDuplexStream,
  type ServerUnaryCall,
} from '@grpc/grpc-js'
import type { Packet } from '../../../src/wire/packet.ts'
import { channelOptions, transportService } from '../../../src/wire/service.ts'
import { found } from '../wait.ts'

type Stream = ServerDuplexStream<Packet, Packet>

interface PreConnectAnswer {
  readonly status: string
  readonly message?: string
}

export interface GatewayOptions {
  /** A free one when left out. */
  readonly port?: number
  /** Plaintext when left out. */
  readonly credentials?: ServerCredentials
}

/** A gateway that does nothing by itself: a test sends packets and looks at what comes. Real gRPC on 127.0.0.1. */
export class ScriptedGateway implements AsyncDisposable {
  readonly received: Packet[] = []
  readonly metadata: Record<string, string>[] = []
  readonly port: number
  readonly #server: Server
  /** Answers a new stream; the default accepts it as the gateway does. */
  onStream: (stream: Stream) => void = (stream) => this.accept(stream)
  /** Sees every packet as it comes. */
  onPacket: (packet: Packet) => void = () => undefined
  stream: Stream | undefined
  /** Health checks that came. */
  healthChecks = 0
  /** Of them, those that were left unanswered and then cancelled, by the agent or with its connection. */
  cancelledHealthChecks = 0
  /** Leaves health checks unanswered: all, or the next one. */
  isSilent: boolean | 'once' = false
  onHealthCheck: (done: sendUnaryData<{ status: string }>) => void = (done) => done(null, { status: 'OK' })
  /** The authorization of each pre-connect. */
  readonly preConnects: string[] = []
  onPreConnect: () => PreConnectAnswer = () => ({ status: 'BACKOFF' })

  static async start({ port = 0, credentials }: GatewayOptions = {}): Promise<ScriptedGateway> {
    const server = new Server(channelOptions)
    const holder: { gateway?: ScriptedGateway } = {}
    server.addService(transportService, {
      Connect: (stream: Stream) => holder.gateway?.connected(stream),
      HealthCheck: (call: ServerUnaryCall<unknown, unknown>, done: sendUnaryData<{ status: string }>) =>
        holder.gateway?.checked(call, done),
      PreConnect: ({ metadata }: ServerUnaryCall<unknown, unknown>, done: sendUnaryData<PreConnectAnswer>) =>
        holder.gateway?.asked(String(metadata.get('authorization')), done),
    })
    const bound = await new Promise<number>((resolve, reject) => {
      const credentialsOrNone = credentials ?? ServerCredentials.createInsecure()
      server.bindAsync(`127.0.0.1:${port}`, credentialsOrNone, (error, bound) =>
        error ? reject(error) : resolve(bound),
      )
    })
    return (holder.gateway = new ScriptedGateway(server, bound))
  }

  private constructor(server: Server, port: number) {
    this.#server = server
    this.port = port
  }

  key(name = 'testagent'): string {
    return `grpc://${name}:xagt-0123456789@127.0.0.1:${this.port}?mode=standard`
  }

  accept(stream: Stream): void {
    stream.write({ type: 'AgentGatewayConnectOK', spec: {}, payload: Buffer.alloc(0) })
    stream.write({
      type: 'GatewayFeatureFlagUpdate',
      spec: { 'feature-flags': Buffer.from('{"beta.x":true}') },
      payload: Buffer.alloc(0),
    })
  }

  send(type: string, spec: Record<string, Buffer | string>, payload: Uint8Array | string = ''): void {
    const bytes = Object.fromEntries(Object.entries(spec).map(([key, value]) => [key, Buffer.from(value)]))
    this.stream?.write({ type, spec: bytes, payload: Buffer.from(payload) })
  }

  /** Packets of one session in order, keepalives left out. */
  of(sid: string): Packet[] {
    return this.received.filter(({ spec }) => String(spec['gateway.session_id']) === sid)
  }

  /** What a session has written, on one stream or both. */
  written(sid: string, ...streams: ('stdout' | 'stderr')[]): string {
    const types = (streams.length === 0 ? (['stdout', 'stderr'] as const) : streams).map(
      (stream) => `ClientWrite${stream === 'stdout' ? 'Stdout' : 'Stderr'}`,
    )
    return String(
      Buffer.concat(this.of(sid).flatMap(({ type, payload }) => (types.includes(type) ? payload : []))),
    )
  }

  /** Takes nothing of the stream any more, as hoop's gateway while one of its clients does not read. */
  stopReading(): void {
    this.stream?.pause()
  }

  readAgain(): void {
    this.stream?.resume()
  }

  async closeOf(sid: string): Promise<Packet> {
    return found(() => this.of(sid).find(({ type }) => type === 'ClientSessionClose'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stream?.end()
    this.#server.forceShutdown()
    await Promise.resolve()
  }

  /** Takes no new connection (GOAWAY) and lets the streams that stand go on. */
  retire(): void {
    this.#server.tryShutdown(() => undefined)
  }

  private checked(call: ServerUnaryCall<unknown, unknown>, done: sendUnaryData<{ status: string }>): void {
    this.healthChecks += 1
    const { isSilent } = this
    if (isSilent === 'once') this.isSilent = false
    if (isSilent === false) this.onHealthCheck(done)
    else call.on('cancelled', () => (this.cancelledHealthChecks += 1))
  }

  private asked(authorization: string, done: sendUnaryData<PreConnectAnswer>): void {
    this.preConnects.push(authorization)
    done(null, this.onPreConnect())
  }

  private connected(stream: Stream): void {
    this.stream = stream
    this.metadata.push(
      Object.fromEntries(
        Object.entries(stream.metadata.getMap()).map(([key, value]) => [key, String(value)]),
      ),
    )
    stream.on('data', (packet: Packet) => {
      this.received.push(packet)
      this.onPacket(packet)
    })
    stream.on('error', () => undefined)
    stream.on('end', () => stream.end())
    this.onStream(stream)
  }
}
