import { bytesOf, decodeBase64Text } from '../../api/base64.ts'
import { ask } from '../../api/request.ts'
import { inTurns } from '../../output/turn.ts'

export type Happening =
  | { readonly at: number; readonly kind: 'output'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly at: number; readonly kind: 'size'; readonly cols: number; readonly rows: number }

export interface Recording {
  readonly happenings: readonly Happening[]
  /** Length in seconds. */
  readonly length: number
}

/** Maximum size of the screen. A recording may contain any size, and a huge screen uses up the memory. */
const [MOST_COLS, MOST_ROWS] = [1000, 500]

export type RecordedEvent = readonly [seconds: number, kind: string, base64: string]

/** @throws Refused */
export async function readRecording(id: string, signal: AbortSignal): Promise<Recording> {
  const path = `/api/sessions/${encodeURIComponent(id)}?expand=event_stream,resize`
  const { event_stream: events = [] } = await ask<{ event_stream?: readonly RecordedEvent[] }>('GET', path, {
    signal,
  })
  return await inTurns(recordingOf(events), signal)
}

/** Decodes a recording in steps. */
export function* recordingOf(events: readonly RecordedEvent[]): Generator<void, Recording, void> {
  const happenings: Happening[] = []
  for (const event of events) {
    const decoded = happening(event)
    if (decoded !== undefined) happenings.push(decoded)
    yield
  }
  return { happenings, length: happenings.at(-1)?.at ?? 0 }
}

function happening([at, kind, base64]: RecordedEvent): Happening | undefined {
  if (kind === 'o' || kind === 'e') return { at, kind: 'output', bytes: bytesOf(base64) }
  if (kind !== 'r') return undefined
  const [cols = NaN, rows = NaN] = decodeBase64Text(base64).split('x').map(Number)
  if (!(cols > 0 && rows > 0)) return undefined
  return { at, kind: 'size', cols: Math.min(cols, MOST_COLS), rows: Math.min(rows, MOST_ROWS) }
}

/** Returns the number of events until the given time. */
export function happenedBy({ happenings }: Recording, seconds: number): number {
  let [low, high] = [0, happenings.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((happenings[middle]?.at ?? 0) <= seconds) low = middle + 1
    else high = middle
  }
  return low
}
