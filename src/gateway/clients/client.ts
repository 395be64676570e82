import { oneLine } from '../../basics/text/printable.ts'
import type { HttpCode, RpcCode } from '../../contract/statuses.ts'
import { STATUSES } from '../../wire/gateway-codes.ts'
import { RequestRefused } from '../refusals/request-refused.ts'
import { encodeAgentMessage } from '../../wire/messages/from-agent.ts'
import { decodeClientPacket, type ClientMessage } from '../../wire/messages/from-client.ts'
import { isNativeProxy } from '../../wire/messages/from-gateway.ts'
import type { OpenedMessage } from '../../wire/messages/message.ts'
import { DecodeError, type Packet } from '../../wire/packet.ts'
import type { ClientCall } from '../agents/client-call.ts'
import type { GatewaySession, SessionEnd, SessionMessage } from '../sessions/session.ts'
import type { SessionRequest } from '../sessions/session-request.ts'
import { deferred } from '../../basics/deferred.ts'

export class Client {
  readonly #call: ClientCall
  readonly #packets: AsyncIterator<Packet, void>
  readonly #request: SessionRequest
  readonly #session: GatewaySession
  readonly #unread: Unread
  #isPaused = false
  /** Settles when the agent is ready. The agent drops messages that arrive earlier. */
  readonly #opened = deferred()

  constructor(
    call: ClientCall,
    packets: AsyncIterator<Packet, void>,
    { request, session }: { readonly request: SessionRequest; readonly session: GatewaySession },
    unread: Unread,
  ) {
    this.#call = call
    this.#packets = packets
    this.#request = request
    this.#session = session
    this.#unread = unread
  }

  /** Settles when the session is over and the client knows its end. */
  async serve(): Promise<void> {
    void this.#call.over.then(() => this.#session.leave())
    await Promise.all([this.#deliver(), this.#forward()])
    await this.#call.over
  }

  async #deliver(): Promise<void> {
    for await (const message of this.#session.run()) {
      if (message.kind === 'opened') this.#open(message)
      else this.#output(message)
    }
    this.#tell(await this.#session.ended)
  }

  #open(message: OpenedMessage): void {
    const { verb, port } = this.#request
    // By this type, hoop's client decides whether it opens a terminal or a port. `command-line` means a
    // terminal.
    const connectionType = verb === 'connect' && port === undefined ? 'command-line' : message.connectionType
    // hoop's gateway sends the command line here. Some users may not read the command line, so this gateway
    // sends the name of the connection.
    const command = this.#request.connection.name
    this.#call.send(encodeAgentMessage({ ...message, connectionType, command }))
    this.#opened.resolve()
  }

  /** Sends without waiting, because a client that does not read must not block other clients of the agent. */
  #output(message: Exclude<SessionMessage, OpenedMessage>): void {
    this.#call.send(encodeAgentMessage(shownToClients(message)))
    const fault = this.#unread.fault(this.#call)
    if (fault !== undefined) this.#session.fail('client-not-reading', fault)
    else if (!this.#isPaused && this.#unread.isHigh(this.#call)) void this.#pause()
  }

  /** Pauses the agent until the client has read most of its output. */
  async #pause(): Promise<void> {
    this.#isPaused = true
    this.#session.pause()
    await this.#unread.low(this.#call)
    this.#isPaused = false
    this.#session.resume()
  }

  /** Forwards packets as fast as the agent accepts them. Settles when the client has left. */
  async #forward(): Promise<void> {
    await Promise.race([this.#opened.promise, this.#call.over])
    try {
      for (;;) {
        const { done, value } = await this.#packets.next()
        if (done === true) break
        this.#take(decodeClient(value))
        await this.#session.room()
      }
      this.#session.leave()
    } catch (error) {
      if (error instanceof StreamRefused) {
        this.#session.fail(error.code, error.message)
        return
      }
      this.#session.fail('internal-error', 'internal error')
      throw error
    }
  }

  /** Forwards only messages that the verb allows, because a client can write anything into a packet. */
  #take(message: ClientMessage): void {
    const { verb, script, port } = this.#request
    const session = this.#session
    if ('connectionId' in message) {
      if (port !== undefined) return session.connection(message)
      throw new StreamRefused(
        'not-served',
        'this session runs a script or a terminal and serves no native connections',
      )
    }
    if (message.kind === 'unsupported' && isNativeProxy(message.type))
      throw new StreamRefused(
        'not-served',
        `this gateway serves no native connections of this type (${message.type}): use runbook-agent connect for a terminal`,
      )
    if (verb === 'exec' && message.kind === 'exec') {
      if (!message.stdin.equals(script))
        throw new StreamRefused(
          'invalid-request',
          'the script differs from the script with which the session was opened',
        )
      session.exec(script)
    }
    if (port !== undefined) return
    if (verb === 'connect' && message.kind === 'input') session.type(message.data)
    if (verb === 'connect' && message.kind === 'resize') session.resize(message)
  }

  #tell({ closed, failure }: SessionEnd): void {
    if (closed !== undefined) this.#call.send(encodeAgentMessage(closed))
    if (failure === undefined) this.#call.end()
    else this.#call.fail(failure.code, failure.reason)
  }
}

/** Removes facts about masking and broken rules, which are only for the record. */
function shownToClients(
  message: Exclude<SessionMessage, OpenedMessage>,
): Exclude<SessionMessage, OpenedMessage> {
  if (message.kind === 'stdout' || message.kind === 'stderr') {
    const { kind, sid, data } = message
    return { kind, sid, data }
  }
  if (message.kind !== 'connection-data') return message
  const { kind, sid, connectionId, protocol, data } = message
  return { kind, sid, connectionId, protocol, data }
}

/** @throws StreamRefused that names the malformed place */
export function decodeClient(packet: Packet): ClientMessage {
  try {
    return decodeClientPacket(packet)
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    throw new StreamRefused('invalid-request', `malformed ${packet.type}: ${error.message}`)
  }
}

const MiB = 1024 * 1024

/** Bytes of output that clients have not read yet. */
const UNREAD = {
  /** Above this number, the gateway asks the agent to pause. */
  high: MiB,
  /** Below this number, the gateway lets the agent resume. */
  low: MiB / 4,
  /**
   * Above this number for one client, its session ends. If the agent pauses, unread output stays below `high`
   * plus 5 MiB on the way.
   */
  most: 16 * MiB,
  /** Above this number for all clients together, the sessions of clients above `high` end. */
  mostOfAll: 256 * MiB,
} as const

export class Unread {
  readonly #calls: ReadonlyMap<ClientCall, unknown>

  constructor(calls: ReadonlyMap<ClientCall, unknown>) {
    this.#calls = calls
  }

  isHigh({ unsentBytes }: ClientCall): boolean {
    return unsentBytes > UNREAD.high
  }

  /** Settles when the client has read enough, or has left. */
  async low(call: ClientCall): Promise<void> {
    await call.room(UNREAD.low)
  }

  /** Returns why the client's session has to end. */
  fault(call: ClientCall): string | undefined {
    const { high, most, mostOfAll } = UNREAD
    if (call.unsentBytes <= high) return undefined
    if (call.unsentBytes > most)
      return `the client does not read: ${most / MiB} MiB of output are unread, and the agent does not pause`
    const all = [...this.#calls.keys()].reduce((sum, { unsentBytes }) => sum + unsentBytes, 0)
    return all > mostOfAll
      ? `clients do not read: ${mostOfAll / MiB} MiB of output are unread in total`
      : undefined
  }
}

/**
 * The message may quote the client. The message is shortened, because a status that is too long never
 * arrives.
 */
export class StreamRefused extends Error {
  override readonly name = 'StreamRefused'
  readonly code: RpcCode

  constructor(code: RpcCode, details: string) {
    super(oneLine(details))
    this.code = code
  }
}

/** Converts a RequestRefused into a StreamRefused. Returns other errors unchanged. */
export function streamRefusal(error: Error): Error {
  if (!(error instanceof RequestRefused)) return error
  return new StreamRefused(isRpcCode(error.code) ? error.code : 'invalid-request', error.message)
}

function isRpcCode(code: HttpCode | RpcCode): code is RpcCode {
  return 'grpc' in STATUSES[code]
}
