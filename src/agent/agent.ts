import { setTimeout as delay } from 'node:timers/promises'
import type { GatewayMessage } from '../wire/message.ts'
import { Backoff, HEALTHY_MS } from './backoff.ts'
import { Connection, type ConnectError } from './connection.ts'
import { Dispatch } from './dispatch.ts'
import type { Identity } from './identity.ts'
import type { SessionServices } from './session-services.ts'

/** After the last command has been killed: its output's rest and its close on their way. */
const CLOSES_MS = 5000

/** Each state with what is true in it; `#enter` is the one place that changes it. */
export type AgentState =
  | { readonly name: 'idle' }
  | { readonly name: 'connecting' }
  | { readonly name: 'serving' }
  | { readonly name: 'waiting'; readonly reason: string; readonly ms: number }
  | { readonly name: 'draining' }
  | { readonly name: 'stopped' }

interface Serving {
  readonly connection: Connection
  readonly dispatch: Dispatch
}

/** The agent's life: it serves one stream after the other until it is told to stop. */
export class Agent {
  readonly #identity: Identity
  readonly #services: SessionServices
  readonly #backoff = new Backoff()
  /** Cuts a wait for the next attempt short. */
  readonly #stopping = new AbortController()
  #drained: Promise<void> | undefined
  /** Sessions of lost streams whose commands are still being ended. */
  readonly #leftovers = new Set<Promise<void>>()
  #state: AgentState = { name: 'idle' }
  #serving: Serving | undefined

  constructor(identity: Identity, services: SessionServices) {
    this.#identity = identity
    this.#services = services
  }

  get state(): AgentState {
    return this.#state
  }

  /** Serves until drained or stopped. Every loss of the stream is followed by another attempt, for ever. */
  async run(): Promise<void> {
    while (!this.#leaving()) {
      const reason = await this.#attempt()
      if (!this.#leaving()) await this.#wait(reason)
    }
    await this.#drained
    await Promise.all(this.#leftovers)
    this.#enter({ name: 'stopped' })
  }

  /** Takes no new session, lets the running ones finish, and ends `run`. */
  drain(): void {
    if (this.#leaving()) return
    this.#enter({ name: 'draining' })
    this.#stopping.abort()
    this.#drained = this.#finish(this.#serving)
  }

  /** Ends what runs, now; each session still gets its close. */
  stop(): void {
    const serving = this.#serving
    if (serving === undefined) return
    serving.dispatch.end('agent-stopping')
    // A session that waits for a gateway that reads nothing would wait for ever.
    const drop = () => serving.connection.drop('the gateway does not take the ends of the sessions')
    setTimeout(drop, this.#services.settings.killGraceMs + CLOSES_MS).unref()
  }

  #leaving(): boolean {
    return this.#state.name === 'draining' || this.#state.name === 'stopped'
  }

  async #finish(serving: Serving | undefined): Promise<void> {
    serving?.dispatch.drain()
    await serving?.dispatch.over()
    await serving?.connection.close()
  }

  /** One stream from its opening to its end. @returns why it ended */
  async #attempt(): Promise<ConnectError | undefined> {
    this.#enter({ name: 'connecting' })
    const openedAt = performance.now()
    const connection = await Connection.open(this.#identity)
    const dispatch = new Dispatch(this.#services, (message) => connection.send(message))
    this.#serving = { connection, dispatch }
    // Told to leave while the stream was being opened.
    if (this.#leaving()) this.#drained = this.#finish(this.#serving)
    try {
      for await (const packet of connection.receive()) this.#note(dispatch.receive(packet))
      return connection.error
    } finally {
      this.#serving = undefined
      this.#abandon(dispatch)
      connection.drop('the stream is over')
      if (performance.now() - openedAt >= HEALTHY_MS) this.#backoff.reset()
    }
  }

  /** The gateway has closed these sessions already; their commands end in the background. */
  #abandon(dispatch: Dispatch): void {
    dispatch.end('gateway-lost')
    const over = dispatch.over().then(() => void this.#leftovers.delete(over))
    this.#leftovers.add(over)
  }

  #note(message: GatewayMessage | undefined): void {
    if (message?.kind === 'connected') this.#enter({ name: 'serving' })
  }

  async #wait(error: ConnectError | undefined): Promise<void> {
    const ms = this.#backoff.next()
    this.#enter({ name: 'waiting', reason: advice(error), ms: Math.round(ms) })
    await delay(ms, undefined, { signal: this.#stopping.signal }).catch(() => undefined)
  }

  #enter(state: AgentState): void {
    if (this.#state.name === 'draining' && state.name !== 'stopped') return
    this.#state = state
    const { name, ...fields } = state
    const level = name === 'waiting' ? 'warn' : 'info'
    this.#services.log[level]({ gateway: this.#identity.address, state: name, ...fields }, `agent ${name}`)
  }
}

function advice(error: ConnectError | undefined): string {
  switch (error?.kind) {
    case 'refused':
      return `the gateway refuses this key: ${error.message}. Check the key and the agent's name at the gateway`
    case 'conflict':
      return `${error.message}: another agent uses this key, or the gateway has not yet noticed the end of our last stream`
    case 'lost':
    case undefined:
      return error?.message ?? 'the stream ended'
  }
}
