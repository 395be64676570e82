import { setImmediate } from 'node:timers/promises'
import { onAbort } from '../../basics/abort.ts'
import type { AgentMessage, GatewayMessage, OpenMessage, SessionId } from '../../wire/messages/message.ts'
import type { AgentSettings } from '../settings/settings.ts'
import { Wakeup } from '../../basics/wakeup.ts'

export type GatewayOutbound = Exclude<
  GatewayMessage,
  { readonly kind: 'unsupported' | 'native-proxy' | 'system' }
>

interface AgentLink {
  send(message: GatewayOutbound): void
  /**
   * Settles when the stream accepts more bytes, or the agent is gone. Senders of small messages need not
   * wait.
   */
  room(): Promise<void>
  /** Ends the stream with the error for an unknown key. */
  refuse(): void
}

export class AgentLostError extends Error {
  override readonly name = 'AgentLostError'
}

/** A connected agent: one stream, many sessions. */
export class AgentStream {
  /** The agent's settings when it connected. */
  readonly agent: AgentSettings
  /**
   * Maximum time in ms that the agent needs to end a command and to report this end. Undefined if the agent
   * does not report this time.
   */
  readonly longestEndMs: number | undefined
  readonly #link: AgentLink
  readonly #sessions = new Map<SessionId, Handover<AgentMessage>>()
  #lost: AgentLostError | undefined
  #whenIdle: () => void = () => undefined

  constructor(agent: AgentSettings, link: AgentLink, longestEndMs?: number) {
    this.agent = agent
    this.longestEndMs = longestEndMs
    this.#link = link
  }

  get name(): string {
    return this.agent.name
  }

  get sessionCount(): number {
    return this.#sessions.size
  }

  send(message: GatewayOutbound): void {
    this.#link.send(message)
  }

  room(): Promise<void> {
    return this.#link.room()
  }

  /** Yields the agent's messages for the session until `over`. @throws AgentLostError */
  async *open(message: OpenMessage, over: AbortSignal): AsyncGenerator<AgentMessage, void, undefined> {
    if (this.#lost !== undefined) throw this.#lost
    const messages = new Handover<AgentMessage>(over)
    this.#sessions.set(message.sid, messages)
    try {
      this.send(message)
      yield* messages
    } finally {
      this.#sessions.delete(message.sid)
      if (this.#sessions.size === 0) this.#whenIdle()
    }
  }

  async retire(): Promise<void> {
    do {
      if (this.#sessions.size > 0) await new Promise<void>((resolve) => (this.#whenIdle = resolve))
      // A caller that got this stream a moment ago may open a session now.
      await setImmediate()
    } while (this.#sessions.size > 0)
    this.#link.refuse()
  }

  /** Settles when the session has read the message. Drops messages of unknown sessions, as in hoop. */
  async receive(message: AgentMessage): Promise<void> {
    if ('sid' in message && message.sid !== undefined) await this.#sessions.get(message.sid)?.give(message)
  }

  end(reason: string): void {
    this.#lost ??= new AgentLostError(reason)
    for (const messages of this.#sessions.values()) messages.fail(this.#lost)
  }
}

/** Passes items to one reader, one by one. Each giver waits until the reader is done with its item. */
export class Handover<T> implements AsyncIterable<T> {
  readonly #given: { readonly item: T; readonly taken: () => void }[] = []
  readonly #over: AbortSignal
  #error: Error | undefined
  #hasLeft = false
  readonly #wakeup = new Wakeup()

  constructor(over: AbortSignal) {
    this.#over = over
    onAbort(over, () => this.#wakeup.wake())
  }

  async give(item: T): Promise<void> {
    if (this.#over.aborted || this.#hasLeft) return
    await new Promise<void>((taken) => {
      this.#given.push({ item, taken })
      this.#wakeup.wake()
    })
  }

  /** Gives the reader this error after the items that were given before. */
  fail(error: Error): void {
    this.#error ??= error
    this.#wakeup.wake()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    try {
      while (!this.#over.aborted) {
        const next = this.#given[0]
        if (next === undefined) await this.#more()
        else {
          yield next.item
          this.#given.shift()
          next.taken()
        }
      }
    } finally {
      this.#hasLeft = true
      for (const { taken } of this.#given.splice(0)) taken()
    }
  }

  async #more(): Promise<void> {
    if (this.#error !== undefined) throw this.#error
    await this.#wakeup.woken()
  }
}
