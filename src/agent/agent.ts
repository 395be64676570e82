import { onAbort, within } from '../basics/abort.ts'
import { setTimeout as delay } from 'node:timers/promises'
import { ConnectError } from '../dial/connect-error.ts'
import { PacketStream, type Stall } from '../dial/packet-stream.ts'
import { encodeAgentMessage } from '../wire/messages/from-agent.ts'
import type { GatewayMessage } from '../wire/messages/message.ts'
import { Backoff, longestStopMs, type Timing, TIMING } from './connection/timing.ts'
import { Channel } from '../dial/channel.ts'
import { Dispatch } from './dispatch.ts'
import { type GatewayHealth, now } from '../dial/health.ts'
import type { Identity, IdentitySource } from './connection/identity.ts'
import { introduction, unwanted } from './connection/introduction.ts'
import type { MetGateways } from './connection/met-gateways.ts'
import { type LogTail, shipLogs } from './logs.ts'
import { type AgentServices, Slots } from './running/services.ts'
import { MAX_SYSTEM_REQUESTS } from './system/command.ts'
import { between, StateLog, type AgentPhase, type AgentState } from './state.ts'
import type { Proxy } from '../basics/net/proxy.ts'

export interface AgentOptions {
  /** The program's version, for the embedded gateway. */
  readonly version?: string
  /**
   * What happens to running commands when the stream is lost. The gateway has already reported them as
   * failed.
   */
  readonly onDisconnect?: 'terminate' | 'finish'
  /** @param address `host:port` */
  readonly proxyFor?: (address: string) => Proxy | undefined
  readonly timing?: Timing
  readonly logs?: LogTail
  readonly stateChanged?: () => void
  readonly met?: MetGateways
}

interface Serving {
  readonly connection: PacketStream
  readonly dispatch: Dispatch
  /** Aborted when the stream has ended. After that nothing is sent. */
  readonly life: AbortController
  /** Time at which a stopping gateway ends the sessions that still run. */
  gatewayStopsAt?: Date
}

/** Serves one stream after the other until the agent is told to stop. */
export class Agent {
  readonly #identities: IdentitySource
  readonly #services: AgentServices
  readonly #options: AgentOptions
  readonly #timing: Timing
  readonly #backoffs: Readonly<Record<ConnectError['kind'], Backoff>>
  readonly #log: StateLog
  #state: AgentState
  #accepted = 0
  #health: GatewayHealth | undefined
  #serving: Serving | undefined
  /** Aborted to end the wait before the next attempt. */
  #pause = new AbortController()
  #drained: Promise<void> | undefined
  /** Sessions of lost streams, kept until their commands have ended. */
  readonly #leftovers = new Map<Dispatch, Promise<void>>()
  readonly #systemSlots = new Slots(MAX_SYSTEM_REQUESTS, { what: 'system requests' })

  constructor(identities: IdentitySource, services: AgentServices, options: AgentOptions = {}) {
    this.#identities = identities
    this.#services = services
    this.#options = options
    this.#timing = options.timing ?? TIMING
    const { lost, conflict, refused } = this.#timing.backoff
    this.#backoffs = {
      lost: new Backoff(lost),
      conflict: new Backoff(conflict),
      refused: new Backoff(refused),
    }
    this.#log = new StateLog(services.log, this.#timing.conflictLogMs)
    this.#state = this.#stateOf({ name: 'idle' })
  }

  get state(): AgentState {
    return this.#state
  }

  /** The gateway's last answer to a health check; undefined before the first answer. */
  get health(): GatewayHealth | undefined {
    return this.#serving?.connection.health ?? this.#health
  }

  /** The output that waits because a healthy gateway reads nothing; undefined while output flows. */
  get stall(): Stall | undefined {
    return this.#serving?.connection.stall
  }

  get gatewayStopsAt(): Date | undefined {
    return this.#serving?.gatewayStopsAt
  }

  /** Serves streams until the agent is told to stop. After a lost stream, connects again. */
  async run(): Promise<void> {
    while (!this.#leaving()) {
      const error = await this.#attempt()
      if (error !== undefined && !this.#leaving()) await this.#wait(error)
    }
    await this.#drained
    await Promise.all(this.#leftovers.values())
    this.#enter({ name: 'stopped' })
  }

  retry(): void {
    this.#pause.abort()
  }

  /** Lets the running sessions finish, accepts new sessions for some seconds at most, and ends `run`. */
  drain(): void {
    if (this.#leaving()) return
    this.#enter({ name: 'draining' })
    this.#pause.abort()
    this.#drained = this.#finish(this.#serving)
  }

  /** Ends running commands now. The gateway still receives a close for each session. */
  stop(): void {
    for (const dispatch of this.#leftovers.keys()) dispatch.end('agent-stopping')
    const serving = this.#serving
    if (serving === undefined) return
    serving.dispatch.end('agent-stopping')
    // If the gateway reads nothing, the stream is dropped: otherwise the sessions would wait for ever.
    const drop = () => serving.connection.drop('the gateway does not confirm the ends of sessions')
    const dropStalled = () => (this.stall === undefined ? undefined : drop())
    setTimeout(dropStalled, this.#timing.closesMs).unref()
    setTimeout(drop, this.#longestEndMs).unref()
  }

  /** Maximum time in milliseconds to end a command and to report its end. */
  get #longestEndMs(): number {
    return longestStopMs({ drainMs: 0, killGraceMs: this.#services.settings.killGraceMs })
  }

  #leaving(): boolean {
    return this.#state.name === 'draining' || this.#state.name === 'stopped'
  }

  /**
   * Waits for a moment without open sessions, then closes the stream. While it waits, the agent accepts new
   * sessions for some seconds, because a refused request fails. After that moment, the agent answers no
   * request: gateways keep an unanswered request for 15 s and give it to the next agent.
   */
  async #finish(serving: Serving | undefined): Promise<void> {
    if (serving === undefined) return
    const { connection, dispatch, life } = serving
    connection.send(encodeAgentMessage({ kind: 'draining' }))?.catch(() => undefined)
    dispatch.drainSystem()
    if (!(await within(dispatch.over(), this.#timing.lastSessionsMs))) dispatch.drain()
    await dispatch.leave()
    life.abort()
    await connection.close()
  }

  /** Returns why the stream ended or never opened; undefined if the next attempt needs no wait. */
  async #attempt(): Promise<ConnectError | undefined> {
    const identity = this.#identities.refresh()
    this.#options.logs?.hide(identity.token)
    this.#enter({ name: 'connecting' })
    using channel = new Channel(identity, this.#options.proxyFor?.(identity.address))
    try {
      if (identity.embedded && !(await this.#untilWanted(channel, identity))) return undefined
    } catch (error) {
      if (error instanceof ConnectError) return error
      throw error
    }
    const metadata = await introduction(identity, {
      version: this.#options.version ?? '',
      sessions: this.#services.slots.limit,
      longestEndMs: this.#longestEndMs,
      met: this.#options.met?.epochs ?? [],
    })
    const error = await this.#serveStream(new PacketStream(channel, metadata, this.#timing), identity)
    return identity.embedded ? await this.#afterCall(error) : error
  }

  /** Returns false if the wait was interrupted. */
  async #untilWanted(channel: Channel, identity: Identity): Promise<boolean> {
    const { signal } = (this.#pause = new AbortController())
    using _ = onAbort(signal, () => channel[Symbol.dispose]())
    try {
      const polls = unwanted(channel, identity, this.#timing, signal)
      for await (const reason of polls) this.#enter({ name: 'polling', reason })
    } catch (error) {
      if (!signal.aborted) throw error
    }
    return !signal.aborted
  }

  /** Returns why the stream ended. */
  async #serveStream(connection: PacketStream, { embedded }: Identity): Promise<ConnectError> {
    const services = { ...this.#services, embedded }
    const dispatch = new Dispatch(services, connection, this.#systemSlots)
    const serving: Serving = { connection, dispatch, life: new AbortController() }
    this.#serving = serving
    // If the agent was told to stop while the stream was being opened, `drain` found no stream to finish.
    if (this.#leaving()) this.#drained = this.#finish(serving)
    const watching = setInterval(() => this.#lookForStall(), this.#timing.stallMs / 2)
    try {
      await connection.deliver((packet) => {
        const message = dispatch.receive(packet)
        this.#note(message, serving)
      })
      return connection.error ?? new ConnectError('lost', 'the stream ended')
    } finally {
      clearInterval(watching)
      serving.life.abort()
      this.#health = this.health
      this.#serving = undefined
      this.#abandon(dispatch)
      if (this.#servedWell()) this.#backoffs.lost.reset()
    }
  }

  #lookForStall(): void {
    if (this.#log.tellStall(this.stall)) this.#options.stateChanged?.()
  }

  #servedWell(): boolean {
    const { name, since } = this.#state
    return name === 'serving' && performance.now() - since.monotonicMs >= this.#timing.healthyMs
  }

  /** The end of a call with `mode=embedded` is no failure: the agent continues to poll. */
  async #afterCall(error: ConnectError): Promise<ConnectError | undefined> {
    if (this.#state.name !== 'serving') return error
    this.#backoffs.lost.reset()
    this.#enter({ name: 'polling', reason: error.message })
    await this.#sleep(this.#timing.pollEveryMs)
    return undefined
  }

  /** Lets the sessions of a lost stream end in the background. The gateway has closed them already. */
  #abandon(dispatch: Dispatch): void {
    dispatch.resumeAll()
    if (this.#options.onDisconnect === 'finish') dispatch.drain('gateway-lost')
    else dispatch.end('gateway-lost')
    const over = dispatch.over().then(() => {
      dispatch.lost()
      this.#leftovers.delete(dispatch)
    })
    this.#leftovers.set(dispatch, over)
  }

  #note(message: GatewayMessage | undefined, serving: Serving): void {
    if (message?.kind === 'gateway-draining') return this.#noteDraining(message.stopsAt, serving)
    const { connection, life } = serving
    if (message?.kind !== 'connected' || this.#state.name === 'serving') return
    const { logs, met } = this.#options
    // Before the first session of this stream, so that it never runs a session that it might forget.
    if (message.epoch !== undefined) met?.note(message.epoch)
    if (logs !== undefined) void shipLogs(logs, connection, this.#timing.shipLogsMs, life.signal)
    this.#accepted += 1
    this.#backoffs.conflict.reset()
    this.#backoffs.refused.reset()
    this.#enter({ name: 'serving' })
  }

  #noteDraining(stopsAt: Date, serving: Serving): void {
    if (serving.gatewayStopsAt?.getTime() === stopsAt.getTime()) return
    serving.gatewayStopsAt = stopsAt
    const until = stopsAt.toISOString()
    this.#services.log.info({ until }, `the gateway is stopping: running commands can finish until ${until}`)
    this.#options.stateChanged?.()
  }

  async #wait(error: ConnectError): Promise<void> {
    const ms = Math.round(this.#backoffs[error.kind].next())
    this.#enter(between(error, ms))
    const looking = error.kind === 'refused' ? this.#retryWhenRenewed() : undefined
    await this.#sleep(ms)
    clearInterval(looking)
  }

  #retryWhenRenewed(): NodeJS.Timeout {
    return setInterval(() => {
      if (this.#identities.isRenewed()) this.retry()
    }, this.#timing.renewalMs)
  }

  async #sleep(ms: number): Promise<void> {
    const { signal } = (this.#pause = new AbortController())
    await delay(ms, undefined, { signal }).catch(() => undefined)
  }

  /** The only place that changes the state. */
  #enter(phase: AgentPhase): void {
    const { name } = this.#state
    if (name === 'draining' && phase.name !== 'stopped') return
    // The agent polls every few seconds. A repeated answer is no change of state.
    if (name === 'polling' && phase.name === 'polling' && this.#state.reason === phase.reason) return
    this.#state = this.#stateOf(phase)
    this.#log.tell(this.#state)
    this.#options.stateChanged?.()
  }

  #stateOf(phase: AgentPhase): AgentState {
    const gateway = this.#identities.current.address
    return { ...phase, since: now(), gateway, reconnects: Math.max(0, this.#accepted - 1) }
  }
}
