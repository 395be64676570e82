import { NO_EXIT_CODE } from '../basics/exit-code.ts'
import type { PacketStream } from '../dial/packet-stream.ts'
import { DecodeError, type Packet, sessionIdOf } from '../wire/packet.ts'
import { encodeAgentMessage } from '../wire/messages/from-agent.ts'
import { decodeGatewayPacket } from '../wire/messages/from-gateway.ts'
import type { GatewayMessage, OpenMessage, SessionId } from '../wire/messages/message.ts'
import { endedEntry, endingRefused, type TerminationReason } from './running/ending.ts'
import { isForNativeClients } from './native/opening.ts'
import { NativeSession } from './native/native-session.ts'
import { AgentSession } from './session.ts'
import type { Send, SessionReply, SessionServices, Slots } from './running/services.ts'
import { SystemRequests } from './system/system-requests.ts'

/**
 * Maximum number of open sessions. Most sessions wait for their script. The gateway ends them after 48 hours.
 */
const MAX_SESSIONS = 10_000

/** Maximum number of unsent refusals. They collect in memory while the gateway reads nothing. */
const MAX_UNSENT_REFUSALS = 1000

type Session = AgentSession | NativeSession

/**
 * Passes the packets of one stream to its sessions and system requests. Does not wait until a session has
 * handled its packet.
 */
export class Dispatch {
  readonly #services: SessionServices
  readonly #stream: Pick<PacketStream, 'send' | 'forget'>
  readonly #sessions = new Map<SessionId, { readonly session: Session; readonly over: Promise<void> }>()
  readonly #confirmations = new Confirmations()
  readonly #ended = new Set<SessionId>()
  readonly #system: SystemRequests
  #draining = false
  #isLeaving = false
  #unsentRefusals = 0

  /** @param systemSlots shared by all streams of the agent */
  constructor(services: SessionServices, stream: Pick<PacketStream, 'send' | 'forget'>, systemSlots: Slots) {
    this.#services = services
    this.#stream = stream
    this.#system = new SystemRequests({ services, slots: systemSlots }, this.#send)
  }

  /** Returns the decoded message: the caller handles messages about the whole stream. */
  receive(packet: Packet): GatewayMessage | undefined {
    try {
      const message = decodeGatewayPacket(packet)
      this.#route(message)
      return message
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      this.#malformed(packet, error)
      return undefined
    }
  }

  /** Accepts no new session, and ends sessions that wait for their script. Running sessions continue. */
  drain(reason: TerminationReason = 'agent-stopping'): void {
    this.#draining = true
    // After a lost stream, nobody would receive the answers of system requests.
    if (reason === 'gateway-lost') this.#system.end(reason)
    else this.#system.drain()
    for (const { session } of this.#sessions.values()) if (session.idle) session.end(reason)
  }

  /** Still accepts hooks, which belong to sessions. */
  drainSystem(): void {
    this.#system.drain()
  }

  /** Called at the end of the stream: the gateway cannot send a resume any more. */
  resumeAll(): void {
    for (const { session } of this.#sessions.values()) session.resumeForGood()
  }

  end(reason: TerminationReason): void {
    this.#draining = true
    this.#system.end(reason)
    for (const { session } of this.#sessions.values()) session.end(reason)
  }

  /** Settles when no session and no system request is left. */
  async over(): Promise<void> {
    while (this.#sessions.size > 0 || this.#system.size > 0)
      await Promise.all([this.#system.over(), ...[...this.#sessions.values()].map(({ over }) => over)])
  }

  /**
   * Waits until no session and no system request is left. After that, the agent does not answer openings: a
   * gateway gives an unanswered session to the next agent, but an answered session would end with the stream.
   */
  async leave(): Promise<void> {
    // Sessions that are opened while the wait resolves are awaited as well.
    while (this.#sessions.size > 0 || this.#system.size > 0) await this.over()
    this.#isLeaving = true
  }

  /**
   * Journals the closes that the gateway never confirmed. Call after the stream and all sessions have ended.
   */
  lost(): void {
    for (const sid of this.#confirmations.lost()) this.#services.record({ event: 'unconfirmed', sid })
  }

  #route(message: GatewayMessage): void {
    switch (message.kind) {
      case 'open':
        return this.#open(message)
      case 'exec':
        return this.#toSession(message.sid, (session) => session.startScript(message.stdin))
      case 'close':
        return this.#close(message.sid)
      case 'input':
        return this.#toSession(message.sid, (session) => session.type(message.data))
      case 'resize':
        return this.#commandOf(message.sid)?.resize(message)
      case 'connection-data':
      case 'connection-close':
      case 'connection-end':
      case 'connection-pause':
      case 'connection-resume':
        return this.#nativePacket(message)
      case 'pause':
        return this.#sessions.get(message.sid)?.session.pause()
      case 'resume':
        return this.#sessions.get(message.sid)?.session.resume()
      case 'native-proxy':
        return this.#refuse(message.sid, unserved(message.type))
      case 'system':
        return this.#systemRequest(message)
      case 'unsupported':
        return this.#services.log.debug({ sid: message.sid, kind: message.kind }, 'packet ignored')
      case 'connected':
      case 'feature-flags':
      case 'gateway-draining':
        return
    }
  }

  #open(message: OpenMessage): void {
    const { sid } = message
    if (this.#isLeaving)
      return this.#services.log.info(
        { sid },
        'session not answered: this agent is leaving, so the gateway gives the session to the next agent',
      )
    const unavailable = this.#unavailable()
    if (unavailable !== undefined) return this.#refuseOpening(message, unavailable)
    const earlier = this.#sessions.get(sid)?.session
    // An approved review opens its session a second time (protocol.md 4.7). Native sessions may be idle after
    // their start.
    if (earlier !== undefined && (!earlier.idle || this.#services.started?.has(sid) === true))
      return this.#services.log.warn({ sid }, 'ignored a second opening of a running session')
    const { connectionName: connection, clientOrigin: origin, clientVerb: verb } = message.params
    this.#services.log.info({ sid, connection, origin, verb }, 'session opened')
    this.#recordOpening(message)
    const Served = isForNativeClients(message) ? NativeSession : AgentSession
    this.#runSession(new Served(message, this.#services, this.#sendFor), earlier)
  }

  #commandOf(sid: SessionId): AgentSession | undefined {
    const session = this.#sessions.get(sid)?.session
    return session instanceof AgentSession ? session : undefined
  }

  /** Packets for an ended session get no answer. Bytes for a session that never existed are refused. */
  #nativePacket(message: Extract<GatewayMessage, { readonly connectionId: string }>): void {
    const session = this.#sessions.get(message.sid)?.session
    if (session instanceof NativeSession) return session.receive(message)
    const isLate = this.#confirmations.has(message.sid) || this.#ended.has(message.sid)
    if (message.kind === 'connection-data' && !isLate) this.#refuse(message.sid, unserved(message.protocol))
  }

  #rememberEnded(sid: SessionId): void {
    this.#ended.add(sid)
    const [oldest] = this.#ended
    if (this.#ended.size > MAX_ENDED && oldest !== undefined) this.#ended.delete(oldest)
  }

  #recordOpening({ sid, params, connectionType: type }: OpenMessage): void {
    const { connectionName: connection, clientOrigin: origin, clientVerb: verb, userId, userEmail } = params
    this.#services.record({ event: 'opened', sid, connection, type, origin, verb, userId, userEmail })
  }

  #refuseOpening(message: OpenMessage, text: string): void {
    const { sid } = message
    this.#refuse(sid, text)
    // If the session exists, it records its end itself.
    if (this.#sessions.has(sid)) return
    this.#recordOpening(message)
    this.#services.record(endedEntry(sid, endingRefused(text), true))
  }

  readonly #send: Send = (message) => this.#stream.send(encodeAgentMessage(message))

  /** A close is remembered until the gateway confirms it. */
  readonly #sendFor: SessionReply = (message) => {
    // The gateway does not confirm the end of a session that it closed itself.
    const isOurs =
      message.kind === 'closed' && this.#sessions.get(message.sid)?.session.endReason !== 'closed-by-gateway'
    const forgotten = isOurs ? this.#confirmations.sent(message.sid) : undefined
    if (forgotten !== undefined) this.#services.record({ event: 'unconfirmed', sid: forgotten })
    return this.#send(message)
  }

  #close(sid: SessionId): void {
    if (this.#confirmations.confirm(sid)) this.#services.record({ event: 'confirmed', sid })
    else {
      this.#sessions.get(sid)?.session.end('closed-by-gateway')
      // Unsent packets would keep the session in memory until the gateway reads.
      this.#stream.forget(sid)
    }
  }

  #unavailable(): string | undefined {
    if (this.#draining) return 'this agent is stopping and accepts no new sessions'
    return this.#sessions.size < MAX_SESSIONS
      ? undefined
      : `this agent already holds ${MAX_SESSIONS} sessions`
  }

  #runSession(session: Session, earlier: Session | undefined): void {
    const over = session.run().then(() => {
      if (this.#sessions.get(session.sid)?.session !== session) return
      this.#sessions.delete(session.sid)
      if (session instanceof NativeSession) this.#rememberEnded(session.sid)
    })
    this.#sessions.set(session.sid, { session, over })
    earlier?.end('closed-by-gateway')
  }

  /**
   * Gives no answer to input for a session that has just ended. Refuses input for a session that never
   * existed.
   */
  #toSession(sid: SessionId, pass: (session: AgentSession) => void): void {
    const session = this.#sessions.get(sid)?.session
    if (session instanceof AgentSession) pass(session)
    else if (session === undefined && !this.#confirmations.has(sid))
      this.#refuse(sid, 'internal error, connection params not found')
  }

  /**
   * Ignores a request that has the id of a session: with such a request a client could run any command.
   * Gateways drop such a packet if a client sends it.
   */
  #systemRequest({ sid, request }: Extract<GatewayMessage, { kind: 'system' }>): void {
    if (!this.#sessions.has(sid) && !this.#confirmations.has(sid)) return this.#system.receive(sid, request)
    this.#services.log.warn({ sid }, "a system request came with a session's id and was ignored")
  }

  /**
   * Closes a session that the agent does not serve. Otherwise the session's client would wait for ever. A
   * running session continues.
   */
  #refuse(sid: SessionId, message: string): void {
    this.#services.log.warn({ sid, reason: message }, 'session refused')
    const session = this.#sessions.get(sid)?.session
    if (session !== undefined) return session.refuse(message)
    void this.#sendRefusal(sid, message)
  }

  async #sendRefusal(sid: SessionId, message: string): Promise<void> {
    if (this.#unsentRefusals >= MAX_UNSENT_REFUSALS) {
      this.#services.log.warn({ sid }, 'cannot send a refusal: the gateway accepts no packets')
      return
    }
    this.#unsentRefusals += 1
    const closed = { kind: 'closed', sid, exitCode: NO_EXIT_CODE, message } as const
    await this.#send({ ...closed, truncatedBytes: 0, redactedBytes: 0 })?.catch(() => undefined)
    this.#unsentRefusals -= 1
  }

  #malformed(packet: Packet, error: DecodeError): void {
    const sid = sessionIdOf(packet)
    this.#services.log.warn({ sid, type: packet.type, field: error.field }, 'malformed packet')
    if (sid !== undefined) this.#refuse(sid, `malformed ${packet.type}: ${error.message}`)
  }
}

function unserved(type: string): string {
  // hoop's gateway allows no exec for types tcp and ssh.
  const instead = /^(?:Agent)?(TCP|SSH)/i.test(type)
    ? "this connection needs hoop's own agent"
    : "use hoop exec or runbook-agent connect, or hoop's own agent"
  return `the protocol of a native client (${type}) is not supported, only commands, runbooks and terminals: ${instead}`
}

/** Number of ended sessions that are remembered, because packets for them may still arrive. */
const MAX_ENDED = 1000

/**
 * Number of unconfirmed closes that are remembered. A gateway confirms a close within a round trip. The limit
 * is reached only if a gateway never confirms.
 */
const MAX_WAITING = 10_000

/**
 * Remembers the unconfirmed closes of one stream. The gateway answers each close with a close for the same
 * session (protocol.md 0.6). Only this answer proves that the gateway knows how the session ended.
 */
class Confirmations {
  readonly #waiting = new Set<SessionId>()

  /** Remembers a close. If there are too many, forgets the oldest close and returns its session. */
  sent(sid: SessionId): SessionId | undefined {
    this.#waiting.add(sid)
    const [oldest] = this.#waiting
    if (this.#waiting.size <= MAX_WAITING || oldest === undefined) return undefined
    this.#waiting.delete(oldest)
    return oldest
  }

  /** Whether a close is unconfirmed. Packets for its session may still arrive. */
  has(sid: SessionId): boolean {
    return this.#waiting.has(sid)
  }

  /** Returns whether the gateway's close confirms a close of the agent. */
  confirm(sid: SessionId): boolean {
    return this.#waiting.delete(sid)
  }

  /** Returns the sessions whose end the gateway may not know. */
  lost(): SessionId[] {
    const unconfirmed = [...this.#waiting]
    this.#waiting.clear()
    return unconfirmed
  }
}
