import type { ClientHttp2Session } from 'node:http2'
import { within } from '../basics/abort.ts'
import { CODE_TRAILER, gatewayCode } from '../wire/gateway-codes.ts'
import { hoopWords } from '../wire/gateway-words.ts'
import { decodePreConnect, methods, type PreConnectResponse } from '../wire/service.ts'
import { Call, headersOf } from './call.ts'
import { ConnectError } from './connect-error.ts'
import { Dial } from './dial.ts'
import { FRAME_BYTES, framed } from './frames.ts'
import { openSession } from './session.ts'
import { type CallEnd, nameOf, status, valueOf } from './status.ts'
import type { Destination } from './tls.ts'
import type { Proxy } from '../basics/net/proxy.ts'

/**
 * `answered`: any answer. `silent`: not one byte came. `unknown`: the answer says nothing about the gateway.
 */
export type HealthAnswer = 'answered' | 'silent' | 'unknown'

/** Limit for checks that are open at the same time. */
const MAX_OPEN_CHECKS = 2

/**
 * A method under the path of the gateway's service: proxies that route health checks route this call, too.
 */
const KNOCK = '/protobuf.Transport/Knock'

/**
 * One connection to the gateway, for a stream and the calls beside it. Disposing the channel ends all of
 * them.
 */
export class Channel implements Disposable {
  readonly #destination: Destination
  readonly #dial: Dial
  #session: Promise<ClientHttp2Session> | undefined
  #openCalls = 0
  readonly #openChecks = new Set<Promise<HealthAnswer>>()
  #openKnock: Promise<HealthAnswer> | undefined

  constructor(destination: Destination, proxy: Proxy | undefined) {
    this.#destination = destination
    this.#dial = new Dial(destination, proxy)
  }

  /** The current step of the connection, for the text of a timeout. */
  get stage(): string {
    return this.#dial.stage
  }

  /** Opens the stream of packets. */
  connect(metadata: Readonly<Record<string, string>>): Call {
    return this.#call(methods.connect, metadata)
  }

  /**
   * Asks whether the gateway answers. Needs no credential and never rejects. On a slow line the question
   * waits after megabytes of output, but a gateway that reads them sends window updates, so the gateway does
   * not count as dead. When two questions are open already, waits for their answer.
   * @param isBlocked whether the peer takes nothing: the question may not have left, so the channel knocks,
   * too
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
   * Asks whether a session waits for this agent. When this throws, dispose the channel. A call that takes too
   * long is neither cancelled nor given a gRPC deadline. That would be as dangerous as what `Symbol.dispose`
   * describes: the call's RST_STREAM would wait to be written while the answer is read. After a pause of the
   * machine, timers and answers do come in one turn.
   * @throws ConnectError
   */
  async preConnect(
    metadata: Readonly<Record<string, string>>,
    deadlineMs: number,
  ): Promise<PreConnectResponse> {
    const asked = this.#ask(methods.preConnect, metadata).then(({ answer, end }) => {
      if (end.code !== status.ok || answer === undefined) throw this.errorOf(end)
      return decodePreConnect(answer)
    })
    if (!(await within(asked, deadlineMs))) throw this.timeout(deadlineMs)
    return asked
  }

  /** Turns the end of a call into a ConnectError with a text for people. */
  errorOf({ code: number, details, trailers = {} }: CallEnd): ConnectError {
    const name = nameOf(number)
    const text = details === '' ? (name ?? `status ${number}`) : details
    const code = gatewayCode(valueOf(trailers, CODE_TRAILER))
    if (isRefusal(number) || code === 'too-many-failed-sign-ins')
      return new ConnectError('refused', text, name, code)
    if (code === 'agent-already-connected' || isConflict(number, text))
      return new ConnectError('conflict', text, name, code)
    return new ConnectError('lost', this.#dial.failure ?? text, isOwn(number) ? undefined : name, code)
  }

  #check(): void {
    const answer = this.#ask(methods.healthCheck, {}).then(({ end }) => {
      this.#openChecks.delete(answer)
      return healthAnswer(end)
    })
    this.#openChecks.add(answer)
  }

  /**
   * Calls a method that no gateway has, and sends no message with it. Servers refuse the call when its
   * headers come, and headers always leave. The few bytes of a health check may not leave where the peer
   * counts what a stalled stream holds for the whole connection. Proxies in Go's net/http (Traefik, Caddy)
   * count so, up to 1 MiB.
   */
  async #knock(): Promise<HealthAnswer> {
    const end = await this.#call(KNOCK, {}).ended
    this.#openKnock = undefined
    return healthAnswer(end)
  }

  /** Makes a call with an empty message, whose answer is one message. Never rejects. */
  async #ask(
    path: string,
    metadata: Readonly<Record<string, string>>,
  ): Promise<{ readonly answer: Buffer | undefined; readonly end: CallEnd }> {
    const call = this.#call(path, metadata)
    call.write(framed(Buffer.alloc(FRAME_BYTES)))
    call.end()
    let answer: Buffer | undefined
    for await (const message of call.messages()) answer ??= message
    return { answer, end: await call.ended }
  }

  #call(path: string, metadata: Readonly<Record<string, string>>): Call {
    this.#session ??= this.#open()
    const call = new Call(this.#session, headersOf(path, this.#destination.address, metadata))
    void this.#count(call, this.#session)
    return call
  }

  async #open(): Promise<ClientHttp2Session> {
    const socket = await this.#dial.connect()
    try {
      return await openSession(socket, this.#destination)
    } catch (error) {
      socket.destroy()
      throw new Error(this.#noHttp2((error as Error).message), { cause: error })
    }
  }

  /** Keeps the process alive while calls are open. */
  async #count(call: Call, opening: Promise<ClientHttp2Session>): Promise<void> {
    const session = await opening.catch(() => undefined)
    if (session === undefined) return
    this.#openCalls += 1
    session.ref()
    await call.ended
    this.#openCalls -= 1
    if (this.#openCalls === 0) session.unref()
  }

  #noHttp2(reason: string): string {
    const guess = this.#dial.secure
      ? 'no gateway, or one that demands a client certificate'
      : 'a gateway that wants grpcs://, or none'
    return `no HTTP/2 with ${this.#dial.address} (${reason}): ${guess}`
  }

  timeout(ms: number): ConnectError {
    return new ConnectError('lost', `no answer within ${ms / 1000} s (${this.stage})`)
  }

  /**
   * Ends the connection. The gateway sees that the agent has disconnected; after `call.cancel()` it would see
   * an orderly end.
   *
   * Runs in the next turn of the loop: while Node reads HTTP/2, no callback may end a session that has other
   * streams. nghttp2 would go on with a session that it has freed, which corrupts the heap of the process
   * (Node 20). Nearly all code of this file is called from such callbacks, through promises.
   */
  [Symbol.dispose](): void {
    setImmediate(() => this.#dial.abort())
  }
}

/**
 * An error from the gateway counts as an answer: the gateway may have no health checks. An end of the connection
 * does not.
 */
function healthAnswer({ code }: CallEnd): HealthAnswer {
  return isOwn(code) ? 'unknown' : 'answered'
}

/** Whether it is the status of a call that had no connection, or no longer one. */
function isOwn(code: number): boolean {
  return code === status.unavailable || code === status.cancelled
}

function isRefusal(code: number): boolean {
  return code === status.unauthenticated || code === status.permissionDenied
}

/** Recognises a conflict by the text of hoop's gateway, which has no code for a conflict. */
function isConflict(code: number, text: string): boolean {
  return code === status.failedPrecondition && text.includes(hoopWords.agentAlreadyConnected)
}
