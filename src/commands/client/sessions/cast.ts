import { printableJson } from '../../../basics/text/printable.ts'
import type { RecordedSession, RecordedEvent } from '../../../client/rest/sessions.ts'

/** The usual size of a terminal, for sessions without a size. */
const DEFAULT_SIZE = { width: 80, height: 24 }

/** One moment of a session, in seconds from its start. */
export interface Frame {
  readonly seconds: number
  /** Bytes for the terminal, or its new size. */
  readonly kind: 'output' | 'size'
  readonly content: Buffer
}

/** What a terminal would have shown: without input, and with errors as output. */
export function framesOf(events: readonly RecordedEvent[]): Frame[] {
  return events.flatMap(([seconds, kind, content]): Frame[] => {
    if (kind === 'o' || kind === 'e') return [{ seconds, kind: 'output', content }]
    return kind === 'r' && parseSize(content) !== undefined ? [{ seconds, kind: 'size', content }] : []
  })
}

function parseSize(content: Buffer): { width: number; height: number } | undefined {
  const [, width, height] = /^(\d{1,4})x(\d{1,4})$/.exec(content.toString('latin1')) ?? []
  return width === undefined ? undefined : { width: Number(width), height: Number(height) }
}

/** A recording for asciinema (asciicast v2): a header, and one line for each moment. */
export function* asciicast(
  session: RecordedSession,
  frames: readonly Frame[],
): Generator<string, void, undefined> {
  const first = frames.findIndex(({ kind }) => kind === 'size')
  // The first size is the size at the beginning.
  const begin = frames[first]
  yield line({
    version: 2,
    ...((begin && parseSize(begin.content)) ?? DEFAULT_SIZE),
    timestamp: Math.floor(Date.parse(session.startedAt) / 1000) || 0,
    title: `${session.connection} ${session.id}`,
    env: { TERM: 'xterm-256color' },
  })
  // A UTF-8 sequence may begin in one piece and end in the next, but JSON has only whole characters.
  const decoder = new TextDecoder('utf-8')
  const translate = session.verb === 'connect' ? (text: string) => text : returning()
  for (const [i, { seconds, kind, content }] of frames.entries()) {
    if (kind === 'size') {
      if (i !== first) yield line([rounded(seconds), 'r', content.toString('latin1')])
      continue
    }
    const text = translate(decoder.decode(content, { stream: true }))
    if (text !== '') yield line([rounded(seconds), 'o', text])
  }
  const rest = decoder.decode()
  if (rest !== '') yield line([rounded(frames.at(-1)?.seconds ?? 0), 'o', rest])
}

/**
 * Adds carriage returns. Output without a terminal ends its lines with a line feed alone, which a player would show as
 * stairs.
 */
function returning(): (text: string) => string {
  let last = ''
  return (text) => {
    const whole = text.replaceAll(/\n/g, (_, at: number) =>
      (at === 0 ? last : text[at - 1]) === '\r' ? '\n' : '\r\n',
    )
    last = text.at(-1) ?? last
    return whole
  }
}

/** To the microsecond, without binary rounding noise. */
function rounded(seconds: number): number {
  return Number(seconds.toFixed(6))
}

function line(value: unknown): string {
  return `${printableJson(value)}\n`
}
