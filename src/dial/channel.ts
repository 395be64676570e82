import {
  CallCredentials,
  ChannelCredentials,
  experimental,
  Metadata,
  status,
  type ChannelOptions,
  type ClientDuplexStream,
  type ServiceError,
} from '@grpc/grpc-js'
import { within } from '../basics/within.ts'
import { CODE_TRAILER, gatewayCode } from '../wire/gateway-codes.ts'
import { hoopWords } from '../wire/gateway-words.ts'
import type { Packet } from '../wire/packet.ts'
import { channelOptions, TransportClient, type PreConnectResponse } from '../wire/service.ts'
import { ConnectError } from './connect-error.ts'
import { Dial } from './dial.ts'
import type { Destination } from './destination.ts'
import type { Proxy } from './tunnel.ts'

/** `answered` with whatever it was; `silent` when not a byte came; `unknown` says nothing about the gateway. */
export type HealthAnswer = 'answered' | 'silent' | 'unknown'

/** Questions that may be open at once. */
const MAX_OPEN_CHECKS = 2

const options = {
  ...channelOptions,
  // grpc-js would acknowledge 1 MiB of writes that it has not sent, to be able to repeat them.
  'grpc.enable_retries': 0,
  'grpc.per_rpc_retry_buffer_size': 0,
  // A channel of its own for each attempt: a shared one would wait by its own backoff of up to 120 s.
  'grpc.use_local_subchannel_pool': 1,
  'grpc.primary_user_agent': 'runbook-agent',
  // The way through a proxy is ours: grpc-js reads other variables, and would take it with a key in the clear.
  'grpc.enable_http_proxy': 0,
} as const

/** What Node itself says of a stream comes without metadata. */
type CallError = Omit<ServiceError, 'metadata'> & Partial<Pick<ServiceError, 'metadata'>>

/** What grpc-js says when there was never a connection that it could use. */
const NO_CONNECTION =
  /^No connection established\. Last error: (?:Error: )?(.*?)(?: \(\d{4}-\S+Z\))?\. Resolution note: *$/s

/** Where the resolver finds the channel's own dial. */
const DIAL = 'runbook-agent.dial'

/** One connection to the gateway, for a stream and the calls beside it. Disposing it ends all at once. */
export class Channel implements Disposable {
  readonly #client: TransportClient
  readonly #dial: Dial
  readonly #openChecks = new Set<Promise<HealthAnswer>>()

  constructor(destination: Destination, proxy: Proxy | undefined) {
    this.#dial = new Dial(destination, proxy)
    this.#client = new TransportClient(`${SCHEME}:${destination.address}`, new DialCredentials(this.#dial), {
      ...options,
      [DIAL]: this.#dial,
    })
  }

  /** How far the way to the gateway has come, for the text of a timeout. */
  get stage(): string {
    return this.#dial.stage
  }

  connect(metadata: Readonly<Record<string, string>>): ClientDuplexStream<Packet, Packet> {
    return this.#client.Connect(metadataOf(metadata))
  }

  /**
   * Needs no credential. Never rejects. On a slow line the question waits behind megabytes of output, and the gateway
   * that takes them is not dead: as it reads, it answers with window updates. Where two questions are open already,
   * they are waited for.
   */
  async healthCheck(deadlineMs: number): Promise<HealthAnswer> {
    const received = this.#dial.bytesReceived
    if (this.#openChecks.size < MAX_OPEN_CHECKS) this.#check()
    const answer = Promise.race(this.#openChecks)
    if (await within(answer, deadlineMs)) return answer
    return this.#dial.bytesReceived > received ? 'unknown' : 'silent'
  }

  /**
   * Asks whether somebody waits for this agent; to be disposed when it throws. A call that takes too long is not
   * cancelled and has no deadline of gRPC's. Both are as dangerous as what `Symbol.dispose` tells of: the RST_STREAM
   * waits to be written while the answer is read, and after a pause of the machine timers and answers do come in one
   * turn. @throws ConnectError
   */
  async preConnect(
    metadata: Readonly<Record<string, string>>,
    deadlineMs: number,
  ): Promise<PreConnectResponse> {
    const asked = new Promise<PreConnectResponse>((resolve, reject) => {
      this.#client.PreConnect({}, metadataOf(metadata), (error, response) =>
        response === undefined ? reject(this.errorOf(error)) : resolve(response),
      )
    })
    if (!(await within(asked, deadlineMs))) throw this.timeout(deadlineMs)
    return asked
  }

  /** What an error of a call means, in words. */
  errorOf(error: CallError | null): ConnectError {
    const text = error?.details === '' ? error.message : (error?.details ?? 'no answer')
    const name = error === null ? undefined : status[error.code]
    const code = gatewayCode(error?.metadata?.get(CODE_TRAILER)[0])
    if (error?.code === status.UNAUTHENTICATED || error?.code === status.PERMISSION_DENIED)
      return new ConnectError('refused', text, name, code)
    if (code === 'agent-already-connected' || isConflict(error?.code, text))
      return new ConnectError('conflict', text, name, code)
    // What grpc-js says itself when there is no connection, or none any more.
    const isOurs = error?.code === status.UNAVAILABLE || error?.code === status.CANCELLED
    return new ConnectError('lost', this.#dial.failure ?? this.#plain(text), isOurs ? undefined : name, code)
  }

  /** Without what grpc-js puts around the reason, and with more where it has none. */
  #plain(text: string): string {
    const [, reason] = NO_CONNECTION.exec(text) ?? []
    if (reason === undefined || this.#dial.stage !== 'connected') return reason ?? text
    const guess = this.#dial.secure
      ? 'no gateway, or one that demands a client certificate'
      : 'a gateway that wants grpcs://, or none'
    return `no HTTP/2 with ${this.#dial.address} (${reason}): ${guess}`
  }

  #check(): void {
    const answer = new Promise<HealthAnswer>((resolve) => {
      this.#client.HealthCheck({}, {}, (error) => {
        this.#openChecks.delete(answer)
        // A gateway that knows no health check is there all the same. What grpc-js itself says is no answer.
        const isOurs = error?.code === status.UNAVAILABLE || error?.code === status.CANCELLED
        resolve(isOurs ? 'unknown' : 'answered')
      })
    })
    this.#openChecks.add(answer)
  }

  timeout(ms: number): ConnectError {
    return new ConnectError('lost', `no answer within ${ms / 1000} s (${this.stage})`)
  }

  /**
   * The gateway sees that the agent has disconnected; after `call.cancel()` it would see an orderly end.
   *
   * With the next turn of the loop: what is called while Node reads HTTP/2 must not end a session that has other
   * streams. nghttp2 would go on with one that it has freed, and the heap of the process is corrupt (Node 20). And
   * nearly everything here is called from there, by way of promises.
   */
  [Symbol.dispose](): void {
    setImmediate(() => {
      this.#dial.abort()
      this.#client.close()
    })
  }
}

function metadataOf(values: Readonly<Record<string, string>>): Metadata {
  const metadata = new Metadata()
  for (const [key, value] of Object.entries(values)) metadata.set(key, value)
  return metadata
}

const SCHEME = 'runbook-agent'

/** Resolves once: a channel lives as long as its stream. */
class DialResolver implements experimental.Resolver {
  readonly #listener: experimental.ResolverListener
  readonly #dial: Dial
  #asked = false
  #destroyed = false

  static getDefaultAuthority(target: experimental.GrpcUri): string {
    return target.path
  }

  constructor(_: experimental.GrpcUri, listener: experimental.ResolverListener, options: ChannelOptions) {
    this.#listener = listener
    this.#dial = options[DIAL] as Dial
  }

  updateResolution(): void {
    if (this.#asked) return
    this.#asked = true
    void this.#resolve()
  }

  destroy(): void {
    this.#destroyed = true
  }

  /** grpc-js hands each address to `net.connect` as the object it is, the dial's signal in it included. */
  async #resolve(): Promise<void> {
    const result = await this.#dial.addresses().then(
      (addresses) =>
        experimental.statusOrFromValue<experimental.Endpoint[]>(
          addresses.map((address) => ({ addresses: [address] })),
        ),
      (error: unknown) =>
        experimental.statusOrFromError<experimental.Endpoint[]>({
          code: status.UNAVAILABLE,
          details: (error as Error).message,
        }),
    )
    if (!this.#destroyed) this.#listener(result, {}, null, '')
  }
}

experimental.registerResolver(SCHEME, DialResolver)

/** Has the dial do with a connected socket what grpc-js would do without a proxy and without texts of ours. */
class DialCredentials extends ChannelCredentials {
  readonly #dial: Dial

  constructor(dial: Dial) {
    super()
    this.#dial = dial
  }

  override _isSecure(): boolean {
    return this.#dial.secure
  }

  override _equals(other: ChannelCredentials): boolean {
    return other === this
  }

  override _createSecureConnector(): experimental.SecureConnector {
    return {
      connect: async (socket) => ({ socket: await this.#dial.lead(socket), secure: this.#dial.secure }),
      waitForReady: () => Promise.resolve(),
      getCallCredentials: () => CallCredentials.createEmpty(),
      destroy: () => undefined,
    }
  }
}

/** Of a gateway of hoop, which has no code for it. */
function isConflict(grpcStatus: number | undefined, text: string): boolean {
  return grpcStatus === status.FAILED_PRECONDITION && text.includes(hoopWords.agentAlreadyConnected)
}
