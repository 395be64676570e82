import { createHash, randomUUID } from 'node:crypto'
import { retryPause, type RetryTiming } from '../../basics/retry-pause.ts'
import type { Logger } from '../../basics/logger.ts'
import type { History } from '../history/history.ts'
import { HistoryAttempts } from '../store/attempts.ts'
import type { Current } from '../settings/settings.ts'
import type { WebhookSettings } from '../settings/webhooks.ts'
import type { EndCause } from '../history/session.ts'
import { stateOf, stateView } from '../sessions/session-state.ts'
import { deliver, type Attempt } from './receiver.ts'
import { webhookBody } from './templates.ts'
import type { WaitingMessage, WebhookRows, WebhookState } from './webhook-rows.ts'

interface WebhookTiming extends RetryTiming {
  readonly pollMs: number
  /** A message is given up when it is older than this and at least `attempts` attempts have failed. */
  readonly ageMs: number
  readonly attempts: number
  /** Maximum number of waiting messages per webhook. If there are more, the oldest are given up. */
  readonly most: number
}

const HOUR_MS = 60 * 60 * 1000
const TIMING: WebhookTiming = {
  pollMs: 500,
  firstMs: 5000,
  longestMs: HOUR_MS,
  ageMs: 72 * HOUR_MS,
  // This many attempts are needed, because all messages seem too old after a clock has jumped ahead.
  attempts: 12,
  most: 10_000,
}
/** Maximum number of parallel messages to one webhook. A failing webhook gets one message at a time. */
const AT_ONCE = 8
/** Pause before a failed write is retried. */
const REST_MS = 60_000

interface WebhookServices {
  readonly history: History
  readonly settings: Current<'webhooks'>
  readonly linkTo: (sid: string) => string
  readonly log: Logger
}

/** State of one webhook's deliveries, in this process. */
interface Lane {
  isBusy: boolean
  /** Number of failures since the last success. */
  failures: number
  restsUntil: number
}

/**
 * Delivers the messages that the history's triggers have written, at least once. A message is removed after
 * its receiver has accepted it. After a kill in between, the message is sent again with the same id.
 */
export class Webhooks {
  readonly #services: WebhookServices
  readonly #timing: WebhookTiming
  readonly #timer: NodeJS.Timeout
  readonly #attempts: HistoryAttempts
  readonly #over = new AbortController()
  readonly #lanes = new Map<string, Lane>()
  readonly #draining = new Set<Promise<void>>()
  #synced: readonly WebhookSettings[] | undefined
  #warning: string | undefined

  constructor(services: WebhookServices, timing = TIMING) {
    this.#services = services
    this.#attempts = new HistoryAttempts(
      services.log,
      'cannot read or write the history; webhooks wait until a retry succeeds',
    )
    this.#timing = timing
    this.#attempts.try(() => this.#sync())
    this.#timer = setInterval(() => this.tick(), timing.pollMs)
  }

  get all(): readonly WebhookSettings[] {
    return this.#services.settings.value.webhooks
  }

  /** Text for operators. Undefined if all is well. */
  get warning(): string | undefined {
    return this.#warning
  }

  /** Begins to deliver waiting messages. */
  tick(): void {
    this.#attempts.try(() => {
      this.#sync()
      const states = new Map(this.#read((webhooks) => webhooks.states()).map((state) => [state.name, state]))
      this.#warning = this.#warningOf(states)
      for (const webhook of this.all) this.#look(webhook, states.get(webhook.name))
    })
  }

  isFailing(name: string): boolean {
    return (this.#lanes.get(name)?.failures ?? 0) > 0
  }

  /** Sends a message without content. If the receiver accepts this message, a disabled webhook is enabled. */
  async test(webhook: WebhookSettings): Promise<Attempt> {
    const { name, template } = webhook
    const message = { event: 'webhook.test', at: Date.now(), facts: {}, link: this.#services.linkTo('') }
    const id = `msg_${randomUUID().replaceAll('-', '')}`
    const attempt = await deliver(webhook, { id, body: webhookBody(template, message) }, this.#over.signal)
    if (attempt.outcome !== 'delivered') return attempt
    this.#lanes.delete(name)
    if (
      this.#read((webhooks) => webhooks.states()).some((one) => one.name === name && one.disabledAt !== null)
    )
      this.#write((webhooks) => {
        webhooks.enable(name)
        this.#subscribe(webhooks)
      })
    return attempt
  }

  /** Settles when no delivery uses the history any more. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#over.abort()
    await Promise.all(this.#draining)
  }

  /** Creates states of webhooks that are new or have another URL. Removes webhooks that are gone. */
  #sync(): void {
    const wanted = this.all
    if (this.#synced === wanted) return
    const known = new Map(this.#read((webhooks) => webhooks.states()).map((state) => [state.name, state]))
    this.#write((webhooks) => {
      for (const name of known.keys()) if (!wanted.some((one) => one.name === name)) webhooks.forget(name)
      for (const { name, url } of wanted) {
        const hash = createHash('sha256').update(url.reveal()).digest('hex')
        if (known.get(name)?.urlSha256 !== hash) webhooks.begin(name, hash)
      }
      this.#subscribe(webhooks)
    })
    this.#synced = wanted
  }

  #subscribe(webhooks: WebhookRows): void {
    const disabled = new Set(
      webhooks.states().flatMap(({ name, disabledAt }) => (disabledAt === null ? [] : [name])),
    )
    const active = this.all.filter(({ name }) => !disabled.has(name))
    webhooks.subscribe(
      active.flatMap(({ name: webhook, events, connections = [''] }) =>
        events.flatMap((event) => connections.map((connection) => ({ webhook, event, connection }))),
      ),
    )
  }

  #look(webhook: WebhookSettings, state: WebhookState | undefined): void {
    const { name } = webhook
    const lane = this.#laneOf(name)
    if (lane.isBusy || state?.disabledAt !== null) return
    this.#trim(name)
    if (Date.now() < lane.restsUntil && lane.restsUntil <= this.#horizon) return
    lane.isBusy = true
    const draining = this.#drain(webhook, lane).finally(() => {
      lane.isBusy = false
      this.#draining.delete(draining)
    })
    this.#draining.add(draining)
  }

  #trim(name: string): void {
    const { most } = this.#timing
    if (this.#read((webhooks) => webhooks.count(name)) <= most) return
    const dropped = this.#write((webhooks) => webhooks.trim(name, most))
    const reason = `more than ${most} messages wait`
    this.#services.log.warn({ webhook: name, dropped, reason }, 'webhook: messages given up')
  }

  /** Delivers until nothing is due, the receiver fails, or the settings change. Never rejects. */
  async #drain(webhook: WebhookSettings, lane: Lane): Promise<void> {
    for (let goesOn = !this.#over.signal.aborted; goesOn && this.all.includes(webhook);) {
      const limit = lane.failures > 0 ? 1 : AT_ONCE
      const due = this.#attempts.try(() =>
        this.#read((webhooks) => webhooks.due(webhook.name, Date.now(), this.#horizon, limit)),
      )
      if (due === undefined || due.length === 0) return
      const attempts = await Promise.all(
        due.map(async (message) => [message, await this.#send(webhook, message)] as const),
      )
      // After a stop nothing is written, so the next gateway sends these messages again.
      goesOn = !this.#isOver && this.#settle(webhook, lane, attempts)
    }
  }

  #send(
    { template, ...webhook }: WebhookSettings,
    { id, event, at, facts }: WaitingMessage,
  ): Promise<Attempt> {
    const known = withState(event, JSON.parse(facts) as Readonly<Record<string, unknown>>)
    const link = this.#services.linkTo(String(known['id']))
    const body = webhookBody(template, { event, at, facts: known, link })
    return deliver({ ...webhook, template }, { id, body }, this.#over.signal)
  }

  /** Writes the results in one transaction. @returns false after a failure */
  #settle(
    { name }: WebhookSettings,
    lane: Lane,
    attempts: readonly (readonly [WaitingMessage, Attempt])[],
  ): boolean {
    const failed = attempts.map(([, attempt]) => attempt).find(({ outcome }) => outcome !== 'delivered')
    const isWritten = this.#attempts.try(() => {
      this.#write((webhooks) => {
        for (const [message, attempt] of attempts) this.#settleOne(webhooks, name, message, attempt)
        this.#subscribe(webhooks)
      })
      return true
    })
    if (failed === undefined || failed.outcome === 'delivered') this.#hasTaken(name, lane)
    else this.#hasFailed(name, lane, failed)
    if (isWritten !== true) lane.restsUntil = Date.now() + REST_MS
    return isWritten === true && failed === undefined
  }

  #settleOne(
    webhooks: WebhookRows,
    name: string,
    { id, at, attempts }: WaitingMessage,
    attempt: Attempt,
  ): void {
    const now = Date.now()
    if (attempt.outcome === 'delivered') return webhooks.delivered(name, id, now)
    if (attempt.outcome === 'gone') return webhooks.disable(name, now, attempt.reason)
    const isOld = now - at > this.#timing.ageMs && attempts + 1 >= this.#timing.attempts
    webhooks.retry(name, id, now + retryPause(this.#timing, attempts), attempt.reason, now)
    if (isOld) webhooks.giveUp(name, id)
  }

  #hasTaken(name: string, lane: Lane): void {
    if (lane.failures > 0) this.#services.log.info({ webhook: name }, 'webhook: the receiver is back')
    lane.failures = 0
    lane.restsUntil = 0
  }

  #hasFailed(name: string, lane: Lane, attempt: Exclude<Attempt, { outcome: 'delivered' }>): void {
    const { outcome, reason } = attempt
    if (outcome === 'gone') this.#services.log.error({ webhook: name, reason }, 'webhook: disabled')
    else if (lane.failures === 0)
      this.#services.log.warn({ webhook: name, reason }, 'webhook: not delivered; will retry')
    const said = outcome === 'failed' ? attempt.waitMs : undefined
    lane.restsUntil = Date.now() + (said ?? retryPause(this.#timing, lane.failures))
    lane.failures += 1
  }

  #warningOf(states: ReadonlyMap<string, WebhookState>): string | undefined {
    const faults = this.all.flatMap(({ name }) => {
      if (states.get(name)?.disabledAt != null) return [`webhook ${name} is disabled`]
      return this.isFailing(name) ? [`webhook ${name} does not accept its messages`] : []
    })
    return faults.length === 0 ? undefined : `${faults.join(', ')}: see the log`
  }

  /** The latest possible due time. Only a wrong clock sets a later one. */
  get #horizon(): number {
    return Date.now() + 2 * this.#timing.longestMs
  }

  get #isOver(): boolean {
    return this.#over.signal.aborted
  }

  #laneOf(name: string): Lane {
    const lane = this.#lanes.get(name) ?? { isBusy: false, failures: 0, restsUntil: 0 }
    this.#lanes.set(name, lane)
    return lane
  }

  #read<T>(read: (webhooks: WebhookRows) => T): T {
    return this.#services.history.read(({ webhooks }) => read(webhooks))
  }

  #write<T>(write: (webhooks: WebhookRows) => T): T {
    return this.#services.history.write(({ webhooks }) => write(webhooks))
  }
}

/** Adds the state to a message about an ended session. Page and command line show the same text. */
function withState(
  event: string,
  { cause, ...facts }: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  if (event !== 'session.finished' && event !== 'session.failed') return facts
  const exitCode = typeof facts['exit_code'] === 'number' ? facts['exit_code'] : undefined
  const state = stateOf({ status: 'done', exitCode, ...(cause != null && { cause: cause as EndCause }) })
  return { ...facts, state: stateView(state) }
}
