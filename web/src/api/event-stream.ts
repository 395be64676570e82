import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { asRefused, fetched, isAbort, Refused } from './request.ts'

/** Pauses before each reconnect. The last one repeats. */
const PAUSES_MS = [250, 1000, 2000, 5000] as const
/**
 * Maximum silence. The gateway sends bytes every 30 s, so a silent stream is dead. This happens when a tab
 * slept.
 */
const SILENCE_MS = 45_000

interface Following {
  readonly path: string
  /** Returns the id of the event after which the stream continues. */
  readonly after?: () => string | undefined
  /**
   * Takes the events. The reader waits for the promise before it reads more (back-pressure). The promise
   * resolves to true after the last event.
   */
  readonly take: (messages: readonly EventSourceMessage[]) => Promise<boolean>
  readonly state: (state: StreamState) => void
}

export type StreamState = 'connecting' | 'open' | 'lost' | 'over'

/**
 * Reads server-sent events until `take` returns true, and reconnects. Does not read in a hidden tab, because
 * all tabs of a browser share six connections to a gateway. The browser's `EventSource` is not used: it has
 * no back-pressure, and stops at the first answer that is not an event stream.
 * @throws Refused when the gateway refuses the stream permanently
 */
export async function followEvents(following: Following, signal: AbortSignal): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    if (attempt === 0) following.state('connecting')
    const outcome = await readWhileSeen(following, signal)
    if (outcome === 'unseen') {
      attempt = -1
      continue
    }
    if (outcome === 'over') following.state('over')
    if (outcome === 'over' || outcome === 'given up') return
    following.state('lost')
    if (outcome === 'read') attempt = 0
    await pause(PAUSES_MS[Math.min(attempt, PAUSES_MS.length - 1)] ?? 0, signal)
  }
}

type Outcome = 'over' | 'read' | 'failed' | 'given up' | 'unseen'

async function readWhileSeen(following: Following, outer: AbortSignal): Promise<Outcome> {
  const unseen = new AbortController()
  const look = () => {
    if (document.hidden) unseen.abort()
  }
  while (document.hidden && !outer.aborted) await pause(undefined, outer)
  document.addEventListener('visibilitychange', look)
  try {
    const outcome = await readOnce(following, AbortSignal.any([outer, unseen.signal]))
    return unseen.signal.aborted && outcome === 'given up' && !outer.aborted ? 'unseen' : outcome
  } finally {
    document.removeEventListener('visibilitychange', look)
  }
}

async function readOnce(following: Following, outer: AbortSignal): Promise<Outcome> {
  const silence = new Silence()
  let wasRead = false
  try {
    const after = following.after?.()
    const response = await fetched('GET', following.path, {
      signal: AbortSignal.any([outer, silence.signal]),
      ...(after !== undefined && { headers: { 'last-event-id': after } }),
    })
    following.state('open')
    for await (const messages of batches(response, silence)) {
      wasRead = true
      if (await following.take(messages)) return 'over'
    }
  } catch (error) {
    if (outer.aborted) return 'given up'
    if (isForGood(error)) throw error
  } finally {
    silence.end()
  }
  if (outer.aborted) return 'given up'
  return wasRead ? 'read' : 'failed'
}

/** Whether a retry cannot help. After 429 it may help, because another tab may end its stream. */
function isForGood(error: unknown): boolean {
  if (isAbort(error)) return false
  const { status } = asRefused(error)
  return error instanceof Refused && status >= 400 && status < 500 && status !== 429 && status !== 408
}

/**
 * Yields the events of each received piece. The list is empty for a piece without an event, such as a
 * comment.
 */
async function* batches(response: Response, silence: Silence): AsyncGenerator<EventSourceMessage[]> {
  const reader = (response.body ?? new ReadableStream<Uint8Array<ArrayBuffer>>()).getReader()
  const decoder = new TextDecoder()
  let messages: EventSourceMessage[] = []
  const parser = createParser({ onEvent: (message) => messages.push(message) })
  try {
    for (;;) {
      silence.begins()
      const { done, value } = await reader.read()
      silence.ends()
      if (done) return
      messages = []
      parser.feed(decoder.decode(value, { stream: true }))
      yield messages
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

class Silence {
  readonly #controller = new AbortController()
  #timer: ReturnType<typeof setTimeout> | undefined

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  begins(): void {
    this.#timer = setTimeout(() => this.#controller.abort(), SILENCE_MS)
  }

  ends(): void {
    clearTimeout(this.#timer)
  }

  /** Also aborts a running request. */
  end(): void {
    this.ends()
    this.#controller.abort()
  }
}

/** Waits for `ms` (or without a limit), until the machine is online again or the user opens the tab. */
async function pause(ms: number | undefined, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => {
    const once = new AbortController()
    const end = () => {
      clearTimeout(timer)
      once.abort()
      resolve()
    }
    const timer = ms === undefined ? undefined : setTimeout(end, ms)
    window.addEventListener('online', end, { signal: once.signal })
    document.addEventListener('visibilitychange', end, { signal: once.signal })
    signal.addEventListener('abort', end, { signal: once.signal })
  })
}
