import type { FastifyInstance } from 'fastify'
import type { Agents } from '../../agents/agents.ts'
import type { History } from '../../history/history.ts'
import type { Sessions } from '../../sessions/sessions.ts'
import { HistoryError } from '../../store/errors.ts'
import { EventStreams, STREAM_KEEPALIVE, KEEPALIVE_MS } from '../event-streams.ts'
import type { RestServices } from '../services.ts'
import { Wakeup } from '../../../basics/wakeup.ts'

/** Tells the page which lists to load again. All callers get the same topics, and no data of the lists. */
export function changesRoute(app: FastifyInstance, { history, agents, sessions }: RestServices): void {
  const feed = new ChangeFeed(history, agents, sessions)
  const streams = new EventStreams('changes')
  app.addHook('preClose', async () => streams.close())
  app.get('/api/changes', { exposeHeadRoute: false }, (request, reply) => {
    streams.checkRoom(request.user.name)
    return streams.send(request, reply, feed.listen(), (listener, closing) =>
      changesText(listener, closing, sessions),
    )
  })
}

async function* changesText(
  listener: ChangeListener,
  closing: AbortSignal,
  sessions: Pick<Sessions, 'stopsAt'>,
): AsyncGenerator<string, void, undefined> {
  yield ': connected\n\n'
  if (sessions.stopsAt !== undefined) yield changed([], sessions.stopsAt)
  for (;;) {
    const topics = await listener.next(KEEPALIVE_MS, closing)
    if (topics.length > 0) yield changed(topics, sessions.stopsAt)
    else if (closing.aborted) return
    else yield STREAM_KEEPALIVE
  }
}

/**
 * @param stopsAt time when the gateway ends the running sessions; undefined if the gateway is not stopping
 */
function changed(topics: readonly string[], stopsAt: number | undefined): string {
  const stops = stopsAt === undefined ? {} : { stops_at: new Date(stopsAt).toISOString() }
  return `event: changed\ndata: ${JSON.stringify({ topics, ...stops })}\n\n`
}

/** Period of checks while there are listeners. Changes within one period count as one. */
const LOOK_MS = 1000

/** The state of each list of the page, as a short text per topic. */
type Standing = Readonly<Record<string, string>>

/** Looks for changes once per period, for all listeners together. */
export class ChangeFeed {
  readonly #history: Pick<History, 'changes'>
  readonly #agents: Pick<Agents, 'names' | 'state'>
  readonly #sessions: Pick<Sessions, 'stopsAt'>
  readonly #listeners = new Set<ChangeListener>()
  #timer: NodeJS.Timeout | undefined
  #last: Standing = {}

  constructor(
    history: Pick<History, 'changes'>,
    agents: Pick<Agents, 'names' | 'state'>,
    sessions: Pick<Sessions, 'stopsAt'>,
  ) {
    this.#sessions = sessions
    this.#history = history
    this.#agents = agents
  }

  /** The caller has to dispose the listener. */
  listen(): ChangeListener {
    // If others already listen, the new listener may get a change from up to `LOOK_MS` ago.
    if (this.#listeners.size === 0) this.#last = this.#standing()
    const listener = new ChangeListener(() => this.#forget(listener))
    this.#listeners.add(listener)
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref()
    return listener
  }

  #look(): void {
    const now = this.#standing()
    const topics = Object.keys(now).filter((topic) => now[topic] !== this.#last[topic])
    this.#last = now
    if (topics.length > 0) for (const listener of this.#listeners) listener.tell(topics)
  }

  /** If the history cannot be read, its last known state is used. */
  #standing(): Standing {
    const agents = this.#agents.names.map((name) => `${name}:${this.#agents.state(name)}`).join()
    const rest = { agents, gateway: String(this.#sessions.stopsAt) }
    try {
      const counts = Object.entries(this.#history.changes)
      return { ...Object.fromEntries(counts.map(([topic, count]) => [topic, String(count)])), ...rest }
    } catch (error) {
      if (!(error instanceof HistoryError)) throw error
      return { ...this.#last, ...rest }
    }
  }

  #forget(listener: ChangeListener): void {
    this.#listeners.delete(listener)
    if (this.#listeners.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}

/**
 * Collects the changed topics until the listener takes them. Each topic is stored once, so a slow listener
 * needs no more memory.
 */
class ChangeListener implements Disposable {
  readonly #leave: () => void
  readonly #topics = new Set<string>()
  readonly #wakeup = new Wakeup()

  constructor(leave: () => void) {
    this.#leave = leave
  }

  tell(topics: readonly string[]): void {
    for (const topic of topics) this.#topics.add(topic)
    this.#wakeup.wake()
  }

  /** Returns an empty list after `ms`, or when the signal aborts. */
  async next(ms: number, signal: AbortSignal): Promise<readonly string[]> {
    if (this.#topics.size === 0) await this.#wakeup.wokenWithin(ms, signal)
    const topics = [...this.#topics]
    this.#topics.clear()
    return topics
  }

  [Symbol.dispose](): void {
    this.#leave()
  }
}
