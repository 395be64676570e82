import { ask } from '../api/request.ts'
import { followEvents, type StreamState } from '../api/event-stream.ts'
import type { Block, OutputEvent } from './block.ts'
import { rowsOf, type OutputRecord } from './record.ts'
import { turn, TURN_MS } from './turn.ts'
import type { Row } from './ansi/row.ts'

interface Watching {
  readonly state: (state: StreamState) => void
  /** Gets the number of bytes that were not recorded. */
  readonly missing: (bytes: number) => void
  readonly output: (event: OutputEvent) => void
}

/** Adds a session's output to the record, live, until its end. @throws Refused */
export async function followOutput(
  id: string,
  record: OutputRecord,
  { state, missing, output }: Watching,
  signal: AbortSignal,
): Promise<void> {
  await followEvents(
    {
      path: `/api/sessions/${encodeURIComponent(id)}/stream`,
      after: () => (record.place === '' ? undefined : record.place),
      state,
      take: async (messages) => {
        let began = performance.now()
        for (const { event, data, id: place } of messages) {
          if (event === 'session_end') return true
          if (event === 'incomplete') missing((JSON.parse(data) as { missing_bytes: number }).missing_bytes)
          if (event !== 'event') continue
          const written = { ...(JSON.parse(data) as OutputEvent), place: place ?? record.place }
          record.add([written])
          output(written)
          if (performance.now() - began < TURN_MS) continue
          await turn()
          began = performance.now()
        }
        return false
      },
    },
    signal,
  )
}

interface OutputRange {
  readonly events: readonly OutputEvent[]
  readonly next: string | number
  readonly over: boolean
}

/** Maximum number of bytes that the gateway sends in one answer. */
const MAX_RANGE_BYTES = 1024 * 1024

/** Reads a block again. @throws Refused */
export async function readBlock(id: string, block: Block, signal?: AbortSignal): Promise<Row[]> {
  const events: OutputEvent[] = []
  let left = block.skip + block.bytes
  for (let from = block.from; left > 0;) {
    const asked = new URLSearchParams({
      ...(from !== '' && { from }),
      bytes: String(Math.min(left, MAX_RANGE_BYTES)),
    })
    const path = `/api/sessions/${encodeURIComponent(id)}/output?${asked.toString()}`
    const range = await ask<OutputRange>('GET', path, signal && { signal })
    events.push(...range.events)
    left -= range.events.reduce((sum, { type, payload }) => sum + outputBytes(type, payload), 0)
    if (range.events.length === 0) break
    from = String(range.next)
  }
  return rowsOf(block, events)
}

function outputBytes(type: string, payload: string): number {
  if (type !== 'o' && type !== 'e') return 0
  return (payload.length / 4) * 3 - (payload.endsWith('==') ? 2 : payload.endsWith('=') ? 1 : 0)
}
