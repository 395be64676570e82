import { credentials, Metadata, type ClientDuplexStream, type ServiceError } from '@grpc/grpc-js'
import type { Packet } from '../../../src/wire/packet.ts'
import { channelOptions, TransportClient } from '../../../src/wire/service.ts'
import { found, waitFor } from '../wait.ts'

/** An agent that does nothing by itself: a test sends packets and looks at what comes. */
export class ScriptedAgent implements AsyncDisposable {
  readonly received: Packet[] = []
  error: ServiceError | undefined
  ended = false
  /** Called with each packet that comes. */
  onPacket: ((packet: Packet) => void) | undefined
  readonly #client: TransportClient
  readonly #call: ClientDuplexStream<Packet, Packet>

  constructor(grpc: string, metadata: Record<string, string>) {
    this.#client = new TransportClient(
      grpc.replace('grpc://', ''),
      credentials.createInsecure(),
      channelOptions,
    )
    const values = new Metadata()
    for (const [key, value] of Object.entries(metadata)) values.set(key, value)
    this.#call = this.#client.Connect(values)
    this.#call.on('data', (packet: Packet) => {
      this.received.push(packet)
      this.onPacket?.(packet)
    })
    this.#call.on('error', (error) => (this.error = error as ServiceError))
    this.#call.on('status', () => (this.ended = true))
  }

  static async connected(
    agentUrl: string,
    more: Readonly<Record<string, string>> = {},
  ): Promise<ScriptedAgent> {
    const agent = new ScriptedAgent(`grpc://${new URL(agentUrl).host}`, {
      origin: 'agent',
      authorization: `Bearer ${agentUrl}`,
      ...more,
    })
    await waitFor(() => agent.received.length >= 2)
    return agent
  }

  send(type: string, spec: Record<string, string>, payload: string | Buffer = ''): void {
    const bytes = Object.fromEntries(Object.entries(spec).map(([key, value]) => [key, Buffer.from(value)]))
    this.#call.write({ type, spec: bytes, payload: Buffer.from(payload) })
  }

  /** The next packet of a type; gives its session id. */
  async packet(type: string): Promise<{ packet: Packet; sid: string }> {
    const packet = await found(() => this.received.find((one) => one.type === type))
    return { packet, sid: String(packet.spec['gateway.session_id']) }
  }

  /** Reads no more until `resume`. */
  pause(): void {
    this.#call.pause()
  }

  resume(): void {
    this.#call.resume()
  }

  halfClose(): void {
    this.#call.end()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#call.cancel()
    await waitFor(() => this.ended)
    this.#client.close()
  }
}
