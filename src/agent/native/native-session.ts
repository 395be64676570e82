import { onAbort, within } from '../../basics/abort.ts'
import { withFields } from '../../basics/logger.ts'
import { ConnectError } from '../../dial/connect-error.ts'
import type { ConnectionMessage } from '../../wire/messages/native.ts'
import type { OpenMessage, SessionId } from '../../wire/messages/message.ts'
import { NO_BYTES, OutputGate } from '../output/sent-output.ts'
import {
  endedEntry,
  endingOfPort,
  endingOfRefusal,
  endingRefused,
  endingUnstarted,
  INTERNAL_ERROR,
  type CommandEnd,
  type TerminationReason,
} from '../running/ending.ts'
import type { SessionReply, SessionServices } from '../running/services.ts'
import { RefusedError, startedBefore } from '../refused.ts'
import { NativeConnection } from './native-connection.ts'
import { openNative, type Opened } from './opening.ts'

/** Maximum number of open connections of one session. A pool of an application has some dozens. */
const MAX_CONNECTIONS = 1000
/**
 * Number of remembered ids of ended connections. A late packet of an ended connection must not open it again.
 * Clients never reuse ids.
 */
const MAX_SEEN = 10_000
/**
 * Maximum number of a session's bytes that may wait for the stream. Because of this limit, a session with 100
 * connections sends no more than a session with a few.
 */
const MAX_UNSENT_BYTES = 256 * 1024
/** Time in milliseconds for all connections to end. */
const GOODBYE_MS = 3000

type State = 'opening' | 'open' | 'closed'
type Told = Parameters<SessionReply>[0]

/** One session of native clients: a port at the client's side, with many connections to one server. */
export class NativeSession {
  readonly sid: SessionId
  readonly #services: SessionServices
  readonly #reply: SessionReply
  readonly #life = new AbortController()
  /** Closed while the gateway has paused the whole session. */
  readonly #gate = new OutputGate()
  readonly #connections = new Map<
    string,
    { readonly connection: NativeConnection; readonly over: Promise<void> }
  >()
  /** Ids of connections that are over or were refused. */
  readonly #seen = new Set<string>()
  readonly #waiting = { bytes: 0 }
  readonly #bytes = { read: 0, sent: 0 }
  #open: OpenMessage | undefined
  #opened: Opened | undefined
  readonly #pauses: boolean
  readonly #halfCloses: boolean
  /** Whether a client was connected. Before the first one, the gateway may open the session again. */
  #hasStarted = false
  #state: State = 'opening'
  #reason: TerminationReason | undefined
  #refusal: string | undefined
  #unsentBytes = 0
  readonly #senders: (() => void)[] = []

  constructor(open: OpenMessage, services: SessionServices, reply: SessionReply) {
    this.sid = open.sid
    this.#open = open
    this.#pauses = open.pausesConnections === true
    this.#halfCloses = open.halfCloses === true && open.connectionType === 'tcp'
    const { connectionName: connection, userEmail: user } = open.params
    // Each line about native clients names these.
    const log = withFields(services.log, { sid: open.sid, connection, user })
    this.#services = { ...services, log }
    this.#reply = reply
  }

  /** Whether no client is connected. Then the gateway may open the session again. */
  get idle(): boolean {
    return this.#state !== 'closed' && this.#connections.size === 0
  }

  get endReason(): TerminationReason | undefined {
    return this.#reason
  }

  /** Settles when the session is over and all its resources are released. Never rejects. */
  async run(): Promise<void> {
    const startedAt = performance.now()
    const ending = await this.#serve().catch((error: unknown) => this.#failed(error as Error))
    this.#state = 'closed'
    const { read, sent } = this.#bytes
    const durationMs = Math.round(performance.now() - startedAt)
    await this.#close({ ...ending, durationMs, bytes: { ...NO_BYTES, read, sent } })
  }

  receive(message: ConnectionMessage): void {
    const { connectionId } = message
    const connection = this.#connections.get(connectionId)?.connection
    switch (message.kind) {
      case 'connection-data':
        if (message.protocol !== this.#opened?.type) return this.#refuseConnection(connectionId)
        return (connection ?? this.#connect(connectionId))?.receive(message.data)
      case 'connection-close':
        return connection?.hangUp(message.isReset)
      case 'connection-end':
        return connection?.endInput()
      case 'connection-pause':
        return connection?.pause()
      case 'connection-resume':
        return connection?.resume()
    }
  }

  pause(): void {
    this.#gate.pause()
  }

  resume(): void {
    this.#gate.resume()
  }

  /** Call at the end of the stream, because the gateway cannot send a resume any more. */
  resumeForGood(): void {
    this.#gate.openForGood()
  }

  /** Closes a session without clients, with exit code 254 and the message. */
  refuse(message: string): void {
    if (!this.idle) return
    this.#refusal ??= message
    this.#life.abort()
  }

  /** The first reason wins. */
  end(reason: TerminationReason): void {
    this.#reason ??= reason
    this.#gate.openForGood()
    this.#life.abort()
  }

  async #serve(): Promise<CommandEnd> {
    const open = this.#open
    this.#open = undefined
    if (open === undefined) return this.#ending()
    const { signal } = this.#life
    const { slots, settings, started } = this.#services
    if (started?.has(this.sid) === true) throw startedBefore()
    const opened = await openNative(open, this.#services, signal)
    if (signal.aborted) return this.#ending()
    using slot = slots.take()
    if (slot === undefined) throw new RefusedError(slots.full)
    this.#opened = opened
    this.#state = 'open'
    const { connectionType, requestPort } = open
    const { maxDurationMs } = settings
    const late =
      maxDurationMs === undefined ? undefined : setTimeout(() => this.end('timeout'), maxDurationMs)
    try {
      const told = { connectionType, requestPort, command: '' }
      await this.#reply({ kind: 'opened', sid: this.sid, ...told, halfCloses: true })
      await new Promise<void>((resolve) => onAbort(signal, resolve))
    } finally {
      clearTimeout(late)
      await this.#disconnect()
    }
    return this.#ending()
  }

  /** Ends all connections, and waits until their servers are disconnected. */
  async #disconnect(): Promise<void> {
    const reason = new Error(endingUnstarted(this.#reason ?? 'closed-by-gateway').message)
    // If the stream is lost or the gateway has closed the session, no message reaches the clients.
    const isHeard = this.#reason === 'agent-stopping' || this.#reason === 'timeout'
    const all = [...this.#connections.values()]
    for (const { connection } of all) connection.end(reason)
    if (!isHeard) for (const { connection } of all) connection.hangUp()
    const over = Promise.all(all.map((one) => one.over))
    if (await within(over, GOODBYE_MS)) return
    for (const { connection } of all) void connection.close()
    await within(over, GOODBYE_MS)
  }

  /** Returns undefined if the session is over, the id was used before, or there are too many connections. */
  #connect(id: string): NativeConnection | undefined {
    const opened = this.#opened
    if (opened === undefined || this.#life.signal.aborted || this.#seen.has(id) || !this.#starts())
      return undefined
    if (this.#connections.size >= MAX_CONNECTIONS) {
      this.#remember(id)
      this.#services.log.warn(
        { connections: MAX_CONNECTIONS },
        'native connection refused: the session has too many connections',
      )
      this.#tellClosed(id)
      return undefined
    }
    const { sid } = this
    const session = {
      sid,
      protocol: opened.type,
      pauses: this.#pauses,
      halfCloses: this.#halfCloses,
      waiting: this.#waiting,
      takeMasked: () => opened.rules?.takeMasked(),
      send: (told: Told) => this.#send(told),
    }
    const connection = new NativeConnection(id, session)
    this.#connections.set(id, { connection, over: this.#follow(connection, opened) })
    return connection
  }

  /** Ends the session if it was started on another stream meanwhile. */
  #starts(): boolean {
    if (!this.#hasStarted && this.#services.started?.begin(this.sid) === false) this.end('started-before')
    else this.#hasStarted = true
    return this.#hasStarted
  }

  /** Never rejects. */
  async #follow(connection: NativeConnection, { protocol }: Opened): Promise<void> {
    const { log } = this.#services
    const { id: connectionId, bytes } = connection
    const startedAt = performance.now()
    try {
      await protocol.serve(connection)
    } catch (error) {
      const { message, stack } = error as Error
      log.error({ connectionId, error: message, stack }, 'native connection failed: this is a bug')
    }
    await connection.close()
    this.#connections.delete(connectionId)
    this.#remember(connectionId)
    this.#bytes.read += bytes.received
    this.#bytes.sent += bytes.sent
    const ms = Math.round(performance.now() - startedAt)
    log.debug({ connectionId, ms, ...bytes }, 'native connection closed')
  }

  /**
   * Refuses a connection of a client with another protocol. hoop's tunnel sends the bytes of all databases as
   * TCP.
   */
  #refuseConnection(id: string): void {
    if (this.#opened === undefined || this.#connections.has(id) || this.#seen.has(id)) return
    this.#remember(id)
    this.#services.log.warn({ connectionId: id }, 'native connection of another protocol refused')
    this.#tellClosed(id)
  }

  #remember(id: string): void {
    this.#seen.add(id)
    const [oldest] = this.#seen
    if (this.#seen.size > MAX_SEEN && oldest !== undefined) this.#seen.delete(oldest)
  }

  #tellClosed(connectionId: string): void {
    void this.#send({ kind: 'connection-close', sid: this.sid, connectionId })
  }

  /**
   * Sends a message. The connections of the session take turns. Never rejects: the end of the stream ends the
   * session.
   */
  #send(message: Told): Promise<void> | undefined {
    const bytes = message.kind === 'connection-data' ? message.data.length : 0
    if (this.#hasToWait(bytes)) return this.#sendLater(message, bytes)
    const turn = this.#reply(message)
    return turn && this.#passed(turn, bytes)
  }

  #hasToWait(bytes: number): boolean {
    return this.#gate.isClosed || (bytes > 0 && this.#unsentBytes > MAX_UNSENT_BYTES)
  }

  async #sendLater(message: Told, bytes: number): Promise<void> {
    while (this.#hasToWait(bytes)) {
      if (this.#gate.isClosed) await this.#gate.passed()
      else await new Promise<void>((resolve) => this.#senders.push(resolve))
    }
    await this.#passed(this.#reply(message), bytes)
  }

  async #passed(turn: Promise<void> | undefined, bytes: number): Promise<void> {
    this.#unsentBytes += bytes
    try {
      await turn
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error
    } finally {
      this.#unsentBytes -= bytes
      this.#senders.shift()?.()
    }
  }

  #ending(): CommandEnd {
    if (this.#refusal !== undefined && this.#reason === undefined) return endingRefused(this.#refusal)
    const reason = this.#reason ?? 'closed-by-gateway'
    return this.#opened === undefined ? endingUnstarted(reason) : endingOfPort(reason)
  }

  #failed(error: Error): CommandEnd {
    if (error === this.#life.signal.reason) return this.#ending()
    if (error instanceof ConnectError) return endingUnstarted(this.#reason ?? 'gateway-lost')
    const refused = endingOfRefusal(error)
    if (refused !== undefined) return refused
    const { message, stack } = error
    this.#services.log.error({ error: message, stack }, 'session failed: this is a bug')
    return endingRefused(INTERNAL_ERROR, 'failed')
  }

  /** Records the end. If the gateway has closed the session, it expects no close, so none is sent. */
  async #close(ending: CommandEnd): Promise<void> {
    const { exitCode, message, refusal, reason, bytes } = ending
    const { sid } = this
    const { log, record } = this.#services
    const broken = this.#opened?.rules?.broken ?? []
    const endReason = reason ?? (ending.outcome === 'refused' ? 'refused' : undefined)
    let isSent = false
    if (this.#reason !== 'closed-by-gateway') {
      const counts = { truncatedBytes: 0, redactedBytes: 0 }
      const why = endReason === undefined ? {} : { endReason }
      const masked = this.#opened?.rules?.takeLastMasked()
      try {
        await this.#reply({
          kind: 'closed',
          sid,
          exitCode,
          message,
          ...counts,
          ...why,
          ...(masked !== undefined && { masked }),
          // hoop's gateway keeps what a close has, and nothing of the packets of refusals (protocol.md 4.8).
          ...(broken.length > 0 && { guardrails: broken.map(({ info }) => info) }),
        })
        isSent = true
      } catch {
        // The stream has ended. The journal records that the close was not sent.
      }
    }
    if (refusal !== undefined) log.warn({ reason: refusal }, 'session refused')
    record(endedEntry(sid, { ...ending, blocked: broken[0] }, isSent))
    log.info({ exitCode, reason, ...bytes }, 'session of native clients closed')
  }
}
