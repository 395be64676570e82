import {
  CallCredentials,
  ChannelCredentials,
  experimental,
  InterceptingCall,
  Metadata,
  status,
  type ChannelOptions,
  type ClientDuplexStream,
  type ServiceError,
} from '@grpc/grpc-js'
import { within } from '../basics/abort.ts'
import { CODE_TRAILER, gatewayCode } from '../wire/gateway-codes.ts'
import { hoopWords } from '../wire/gateway-words.ts'
import type { Packet } from '../wire/packet.ts'
import { channelOptions, TransportClient, type PreConnectResponse } from '../wire/service.ts'
import { ConnectError } from './connect-error.ts'
import { Dial } from './dial.ts'
import type { Destination } from './tls.ts'
import type { Proxy } from '../basics/net/proxy.ts'

/**
 * `answered`: the gateway gave any answer. `silent`: not one byte was received. `unknown`: the result says
 * nothing about the gateway.
 */
export type HealthAnswer = 'answered' | 'silent' | 'unknown'

const MAX_OPEN_CHECKS = 2

/** This path belongs to the gateway's service, so proxies that route health checks also route this call. */
const KNOCK = '/protobuf.Transport/Knock'

const options = {
  ...channelOptions,
  // With retries, grpc-js would acknowledge 1 MiB of writes that it has not sent.
  'grpc.enable_retries': 0,
  'grpc.per_rpc_retry_buffer_size': 0,
  // Each attempt has its own connection. A shared connection would wait for grpc-js's own backoff of up to
  // 120 s.
  'grpc.use_local_subchannel_pool': 1,
  'grpc.primary_user_agent': 'runbook-agent',
  // The dial connects through proxies. grpc-js must not: it reads other variables, and would use a proxy
  // without TLS, too.
  'grpc.enable_http_proxy': 0,
} as const

/** An error of Node itself has no metadata. */
type CallError = Omit<ServiceError, 'metadata'> & Partial<Pick<ServiceError, 'metadata'>>

/** The text of grpc-js for a connection that was never usable. */
const NO_CONNECTION =
  /^No connection established\. Last error: (?:Error: )?(.*?)(?: \(\d{4}-\S+Z\))?\. Resolution note: *$/s

/** The channel option in which the resolver finds the channel's own dial. */
const DIAL = 'runbook-agent.dial'

interface Connected {
  readonly call: ClientDuplexStream<Packet, Packet>
  /** `written` is called when the packet has left this process. */
  readonly write: (packet: Packet, written: () => void) => void
}

/** One connection to the gateway. Disposing the channel ends the stream and all calls. */
export class Channel implements Disposable {
  readonly #client: TransportClient
  readonly #dial: Dial
  readonly #openChecks = new Set<Promise<HealthAnswer>>()
  #openKnock: Promise<HealthAnswer> | undefined

  constructor(destination: Destination, proxy: Proxy | undefined) {
    this.#dial = new Dial(destination, proxy)
    this.#client = new TransportClient(`${SCHEME}:${destination.address}`, new DialCredentials(this.#dial), {
      ...options,
      [DIAL]: this.#dial,
    })
  }

  /** The current step of the connection, for the text of a timeout. */
  get stage(): string {
    return this.#dial.stage
  }

  /** Only the returned `write` may write to the call. */
  connect(metadata: Readonly<Record<string, string>>): Connected {
    const unwritten: (() => void)[] = []
    const call = this.#client.Connect(metadataOf(metadata), {
      interceptors: [(options, next) => new EagerCall(next(options), () => unwritten.shift()?.())],
    })
    const write: Connected['write'] = (packet, written) => {
      unwritten.push(written)
      call.write(packet)
    }
    return { call, write }
  }

  /**
   * Asks whether the gateway answers. The question needs no credential and never rejects. If two questions
   * are already open, no third one is sent: the function waits for their answer. On a slow line, a question
   * may wait after megabytes of output. A gateway that reads this output sends window updates, so it does not
   * count as dead.
   * @param isBlocked whether the peer reads nothing: then the question may not have left, so `#knock` is
   * called, too
   */
  async healthCheck(deadlineMs: number, isBlocked = false): Promise<HealthAnswer> {
    const received = this.#dial.bytesReceived
    if (this.#openChecks.size < MAX_OPEN_CHECKS) this.#check()
    if (isBlocked) this.#openKnock ??= this.#knock()
    const answer = Promise.race([...this.#openChecks, ...(this.#openKnock ? [this.#openKnock] : [])])
    if (await within(answer, deadlineMs)) return answer
    return this.#dial.bytesReceived > received ? 'unknown' : 'silent'
  }

  /**
   * Asks whether a session waits for this agent. If this function throws, dispose the channel. A call that
   * takes too long is not cancelled and has no gRPC deadline: its RST_STREAM would wait to be written while
   * the answer is read. After a pause of the machine, timers and answers do run in the same turn.
   * `Symbol.dispose` describes the danger.
   * @throws ConnectError
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

  errorOf(error: CallError | null): ConnectError {
    const text = error?.details === '' ? error.message : (error?.details ?? 'no answer')
    const name = error === null ? undefined : status[error.code]
    const code = gatewayCode(error?.metadata?.get(CODE_TRAILER)[0])
    if (isRefusal(error?.code) || code === 'too-many-failed-sign-ins' || code === 'gateway-superseded')
      return new ConnectError('refused', text, name, code)
    if (code === 'agent-already-connected' || isConflict(error?.code, text))
      return new ConnectError('conflict', text, name, code)
    // grpc-js itself uses these codes if the connection failed or was lost.
    const isOurs = error?.code === status.UNAVAILABLE || error?.code === status.CANCELLED
    return new ConnectError('lost', this.#dial.failure ?? this.#plain(text), isOurs ? undefined : name, code)
  }

  /**
   * Returns a readable reason. If the connection succeeded but HTTP/2 failed, the text also has a guess about
   * the cause.
   */
  #plain(text: string): string {
    const [, reason] = NO_CONNECTION.exec(text) ?? []
    if (reason === undefined || this.#dial.stage !== 'connected') return reason ?? text
    const guess = this.#dial.secure
      ? 'this is no gateway, or the gateway demands a client certificate'
      : 'this is no gateway, or the gateway needs grpcs://'
    return `no HTTP/2 with ${this.#dial.address} (${reason}): ${guess}`
  }

  #check(): void {
    const answer = new Promise<HealthAnswer>((resolve) => {
      this.#client.HealthCheck({}, {}, (error) => {
        this.#openChecks.delete(answer)
        resolve(healthAnswer(error))
      })
    })
    this.#openChecks.add(answer)
  }

  /**
   * Calls a method that no gateway has. Servers refuse the call by its headers, and headers can always be
   * sent. A health check also has a body, whose bytes may be stuck behind a stalled stream: proxies based on
   * Go's net/http (Traefik, Caddy) count a stream's bytes for the whole connection, up to 1 MiB.
   */
  #knock(): Promise<HealthAnswer> {
    const nothing = () => Buffer.alloc(0)
    return new Promise((resolve) => {
      this.#client.makeClientStreamRequest(KNOCK, nothing, nothing, (error) => {
        this.#openKnock = undefined
        resolve(healthAnswer(error))
      })
    })
  }

  timeout(ms: number): ConnectError {
    return new ConnectError('lost', `no answer within ${ms / 1000} s (${this.stage})`)
  }

  /**
   * Ends the connection. The gateway then sees that the agent has disconnected. After `call.cancel()`, the
   * gateway would see an orderly end. The connection ends in the next turn, because no callback may end an
   * HTTP/2 session with other streams while Node reads from it: nghttp2 would continue with a freed session
   * and corrupt the heap (Node 20). Nearly all code of this file is called from such callbacks, through
   * promises.
   */
  [Symbol.dispose](): void {
    setImmediate(() => {
      this.#dial.abort()
      this.#client.close()
    })
  }
}

/**
 * Judges the result of a health check. An error from the gateway is an answer, because a gateway may have no
 * health checks. An error of grpc-js is no answer.
 */
function healthAnswer(error: ServiceError | null): HealthAnswer {
  const isOurs = error?.code === status.UNAVAILABLE || error?.code === status.CANCELLED
  return isOurs ? 'unknown' : 'answered'
}

function metadataOf(values: Readonly<Record<string, string>>): Metadata {
  const metadata = new Metadata()
  for (const [key, value] of Object.entries(values)) metadata.set(key, value)
  return metadata
}

/**
 * Accepts a message while earlier messages are being sent. grpc-js itself asks for the next message only
 * after the previous one has left, which costs a turn of the event loop.
 */
class EagerCall extends InterceptingCall {
  readonly #written: () => void
  /** Whether grpc-js has a connection for the call. Without a connection, grpc-js keeps only one message. */
  #isConnected = false

  /** @param written called once for each message, in order, when the message has left this process */
  constructor(call: ConstructorParameters<typeof InterceptingCall>[0], written: () => void) {
    super(call)
    this.#written = written
  }

  override sendMessageWithContext(
    context: Parameters<InterceptingCall['sendMessageWithContext']>[0],
    message: unknown,
  ): void {
    const isEager = this.#isConnected
    const callback = () => {
      this.#isConnected = true
      this.#written()
      if (!isEager) context.callback?.()
    }
    super.sendMessageWithContext({ ...context, callback }, message)
    if (isEager) context.callback?.()
  }
}

const SCHEME = 'runbook-agent'

/**
 * Passes the dial's addresses to grpc-js. One lookup is enough, because a channel lives as long as its
 * stream.
 */
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

  /**
   * An address object can contain the dial's signal, because grpc-js passes the object unchanged to
   * `net.connect`.
   */
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

/**
 * Lets the dial prepare a connected socket, because grpc-js supports neither our proxies nor our error texts.
 */
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

function isRefusal(grpcStatus: number | undefined): boolean {
  return grpcStatus === status.UNAUTHENTICATED || grpcStatus === status.PERMISSION_DENIED
}

/** Recognises the conflict by hoop's text, because hoop's gateway has no code for a conflict. */
function isConflict(grpcStatus: number | undefined, text: string): boolean {
  return grpcStatus === status.FAILED_PRECONDITION && text.includes(hoopWords.agentAlreadyConnected)
}
