import { credentials, Metadata, status, type ClientDuplexStream, type ServiceError } from '@grpc/grpc-js'
import { encodeAgentMessage } from '../wire/agent-message.ts'
import type { AgentMessage } from '../wire/message.ts'
import type { Packet } from '../wire/packet.ts'
import { channelOptions, TransportClient } from '../wire/service.ts'
import type { Identity } from './identity.ts'
import { introduction } from './introduction.ts'

/** The stream could not be had or has ended. `kind` decides what the agent says and how long it waits. */
export class ConnectError extends Error {
  override readonly name = 'ConnectError'
  readonly kind: 'refused' | 'conflict' | 'lost'

  constructor(kind: ConnectError['kind'], message: string) {
    super(message)
    this.kind = kind
  }
}

/** The gateway's first packet must come within this time: grpc-js has no limit of its own. */
const DIAL_MS = 20_000
/** As hoop's agent does; the gateway ignores it, proxies between the two do not (protocol.md 3.1). */
const KEEPALIVE_MS = 10_000
/** Bytes given to gRPC and not yet written: grpc-js itself counts messages, whatever their size. */
const MAX_IN_FLIGHT_BYTES = 1024 * 1024
/** A gateway that takes no byte for this long is gone, even if its connection stands. */
const STALL_MS = 60_000
/** How long an orderly end may take before the socket is dropped. */
const CLOSE_MS = 2000

const ENDED = 'the gateway ended the stream'
/** What a packet costs besides its payload, roughly. */
const PACKET_OVERHEAD_BYTES = 256

const options = {
  ...channelOptions,
  // grpc-js would acknowledge 1 MiB of writes that it has not sent, to be able to repeat them.
  'grpc.enable_retries': 0,
  'grpc.per_rpc_retry_buffer_size': 0,
  // A channel of its own for each attempt: a shared one would wait by its own backoff of up to 120 s.
  'grpc.use_local_subchannel_pool': 1,
  'grpc.primary_user_agent': 'runbook-agent',
} as const

/** One stream to the gateway. */
export class Connection {
  readonly #client: TransportClient
  readonly #call: ClientDuplexStream<Packet, Packet>
  readonly #keepalive: NodeJS.Timeout
  readonly #closed: Promise<void>
  #error: ConnectError | undefined
  #inFlightBytes = 0
  readonly #writers: (() => void)[] = []

  /** Opens the stream; whether the gateway takes it shows on the first packet received. */
  static async open(identity: Identity): Promise<Connection> {
    const metadata = new Metadata()
    for (const [key, value] of Object.entries(await introduction(identity))) metadata.set(key, value)
    const channel = identity.tls ? credentials.createSsl() : credentials.createInsecure()
    // grpc-js would send a key in the clear to the proxy of http_proxy, even for the loopback.
    const client = new TransportClient(identity.address, channel, {
      ...options,
      'grpc.enable_http_proxy': identity.tls ? 1 : 0,
    })
    return new Connection(client, metadata)
  }

  private constructor(client: TransportClient, metadata: Metadata) {
    this.#client = client
    this.#call = client.Connect(metadata)
    // grpc-js ends every call with a status; `close` it emits only after some ends.
    this.#closed = new Promise((resolve) => this.#call.once('status', () => resolve()))
    this.#call.on('error', (error) => this.#end(connectError(error as ServiceError)))
    this.#call.on('status', () => this.#end(new ConnectError('lost', ENDED)))
    const keepalive = () => void this.send({ kind: 'keepalive' }).catch(() => undefined)
    this.#keepalive = setInterval(keepalive, KEEPALIVE_MS)
    keepalive()
  }

  /** Packets in order, until the stream ends; `error` says why it did. */
  async *receive(): AsyncGenerator<Packet, void, undefined> {
    const dial = setTimeout(() => this.drop(`no answer within ${DIAL_MS / 1000} s`), DIAL_MS)
    try {
      for await (const packet of this.#call) {
        clearTimeout(dial)
        yield packet as Packet
      }
    } catch (error) {
      this.#end(connectError(error as ServiceError))
    } finally {
      clearTimeout(dial)
      this.#end(new ConnectError('lost', ENDED))
    }
  }

  /** Why the stream ended; undefined while it lasts. */
  get error(): ConnectError | undefined {
    return this.#error
  }

  /** Settles when there is room for the next message: awaiting it is the whole backpressure. @throws ConnectError */
  async send(message: Exclude<AgentMessage, { kind: 'unsupported' }>): Promise<void> {
    this.#refuseWhenEnded()
    const packet = encodeAgentMessage(message)
    const bytes = packet.payload.length + PACKET_OVERHEAD_BYTES
    this.#inFlightBytes += bytes
    this.#call.write(packet, () => this.#written(bytes))
    while (this.#inFlightBytes > MAX_IN_FLIGHT_BYTES) {
      await this.#room()
      this.#refuseWhenEnded()
    }
  }

  /** The orderly end, after the closes are out. */
  async close(): Promise<void> {
    this.#call.end()
    const drop = setTimeout(() => this.drop('closing took too long'), CLOSE_MS)
    await this.#closed
    clearTimeout(drop)
    this.#client.close()
  }

  async #room(): Promise<void> {
    const stalled = setTimeout(
      () => this.drop(`the gateway has taken nothing for ${STALL_MS / 1000} s`),
      STALL_MS,
    )
    await new Promise<void>((resolve) => this.#writers.push(resolve))
    clearTimeout(stalled)
  }

  /** grpc-js swallows writes on an ended call without a word. */
  #refuseWhenEnded(): void {
    if (this.#error !== undefined) throw this.#error
  }

  #written(bytes: number): void {
    this.#inFlightBytes -= bytes
    if (this.#inFlightBytes <= MAX_IN_FLIGHT_BYTES) this.#wakeWriters()
  }

  #wakeWriters(): void {
    for (const wake of this.#writers.splice(0)) wake()
  }

  /** Ends the stream at once, whatever is on its way. */
  drop(reason: string): void {
    this.#end(new ConnectError('lost', reason))
    this.#call.cancel()
  }

  /** The first reason wins. */
  #end(error: ConnectError): void {
    this.#error ??= error
    clearInterval(this.#keepalive)
    this.#wakeWriters()
    this.#client.close()
  }
}

function connectError(error: ServiceError): ConnectError {
  const text = error.details === '' ? error.message : error.details
  if (error.code === status.UNAUTHENTICATED || error.code === status.PERMISSION_DENIED)
    return new ConnectError('refused', text)
  if (error.code === status.FAILED_PRECONDITION && text.includes('already connected'))
    return new ConnectError('conflict', text)
  return new ConnectError('lost', text)
}
