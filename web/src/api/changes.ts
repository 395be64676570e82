import { signal, type Signal } from '@preact/signals'
import { endEarly } from './early.ts'
import { followEvents } from './event-stream.ts'

/**
 * Kinds of objects. The gateway announces only that an object of the kind has changed, and the views then
 * read the objects again.
 */
export type Topic = 'sessions' | 'reviews' | 'agents' | 'batches' | 'schedules'

const TOPICS: readonly Topic[] = ['sessions', 'reviews', 'agents', 'batches', 'schedules']

const counts = Object.fromEntries(TOPICS.map((topic) => [topic, signal(0)])) as Record<Topic, Signal<number>>

/** Whether the page gets changes live at the moment. */
export const isLive = signal(true)

/** When a stopping gateway ends the running sessions. */
export const stopsAt = signal<string | undefined>(undefined)

/** Returns a number that grows with each change, and subscribes the caller to it. */
export function changesOf(topics: readonly Topic[]): number {
  return topics.reduce((sum, topic) => sum + counts[topic].value, 0)
}

export async function followChanges(ended: AbortSignal): Promise<void> {
  let wasOpen = false
  await followEvents(
    {
      path: '/api/changes',
      state: (state) => {
        // The gateway did not announce changes while the connection was lost, so all views read again.
        if (state === 'open' && wasOpen) announce(TOPICS)
        // The rows that first.ts asked for are older than the stream.
        if (state === 'open' && !wasOpen && endEarly()) announce(['sessions'])
        if (state === 'open') stopsAt.value = undefined
        wasOpen ||= state === 'open'
        isLive.value = state !== 'lost'
      },
      take: (messages) => {
        announce(messages.flatMap(({ data }) => topicsIn(data)))
        return Promise.resolve(false)
      },
    },
    ended,
  ).catch(() => {
    isLive.value = false
  })
}

function announce(topics: readonly Topic[]): void {
  for (const topic of new Set(topics)) counts[topic].value++
}

function topicsIn(data: string): Topic[] {
  const { topics, stops_at: stops } = JSON.parse(data) as { topics?: readonly string[]; stops_at?: string }
  if (stops !== undefined) stopsAt.value = stops
  return TOPICS.filter((topic) => topics?.includes(topic))
}
