import { setTimeout as delay } from 'node:timers/promises'
import { printableJson } from '../../../basics/text/printable.ts'
import {
  beginningOf,
  fetchEvents,
  type RecordedEvent,
  type RecordedSession,
} from '../../../client/rest/sessions.ts'
import { exitCodeOfSignal, exitCodes, Failure } from '../../exit-codes.ts'
import { asking } from '../asking/asking.ts'
import type { ByteOutput } from '../terminal/output.ts'
import { ScreenReset } from '../terminal/own-terminal.ts'
import { findSession } from './find.ts'

/** The size for sessions that recorded no size. */
const DEFAULT_SIZE = { width: 80, height: 24 }

interface Frame {
  /** Seconds since the beginning of the session. */
  readonly seconds: number
  /** Says what `content` is: bytes for the terminal, or the terminal's new size. */
  readonly kind: 'output' | 'size'
  readonly content: Buffer
}

/** Returns the frames without input. Errors count as output. */
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

/** Yields the format of asciinema (asciicast v2): a header, and then one line per frame. */
export function* asciicast(
  session: RecordedSession,
  frames: readonly Frame[],
): Generator<string, void, undefined> {
  const first = frames.findIndex(({ kind }) => kind === 'size')
  // The first size is the terminal's size at the session's beginning.
  const begin = frames[first]
  yield line({
    version: 2,
    ...((begin && parseSize(begin.content)) ?? DEFAULT_SIZE),
    timestamp: Math.floor(Date.parse(beginningOf(session) || session.start_date) / 1000) || 0,
    title: `${session.connection} ${session.id}`,
    env: { TERM: 'xterm-256color' },
  })
  // A UTF-8 sequence may be cut between two pieces, but JSON must have whole characters. The decoder keeps
  // the rest for the next piece.
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
 * Adds carriage returns. Without a terminal, lines end only in a line feed, and a player would begin each
 * line where the line before has ended.
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

/** Rounds to microseconds, to avoid digits such as 0.30000000000000004. */
function rounded(seconds: number): number {
  return Number(seconds.toFixed(6))
}

function line(value: unknown): string {
  return `${printableJson(value)}\n`
}

interface Pace {
  /** 2 means twice as fast. */
  readonly speed: number
  /** Maximum pause, in milliseconds before the speed is applied. */
  readonly longestPauseMs: number
}

/** Shows the frames with the pauses of the recording. @returns this program's exit code */
async function play(frames: readonly Frame[], stdout: ByteOutput, pace: Pace): Promise<number> {
  const stop = new AbortController()
  const reset = new ScreenReset()
  const show = (content: Buffer) => {
    reset.see(content)
    return stdout.write(content)
  }
  let exitCode = 0
  const leave = (signal: 'SIGINT' | 'SIGTERM') => {
    exitCode = exitCodeOfSignal(signal)
    stop.abort()
  }
  process.on('SIGINT', leave).on('SIGTERM', leave)
  try {
    await playFrames(frames, show, pace, stop.signal)
  } finally {
    process.off('SIGINT', leave).off('SIGTERM', leave)
    await stdout.write(Buffer.from(`${reset.sequence}${stdout.isInLine ? '\r\n' : ''}`))
  }
  return exitCode
}

async function playFrames(
  frames: readonly Frame[],
  show: (content: Buffer) => Promise<void>,
  { speed, longestPauseMs }: Pace,
  signal: AbortSignal,
): Promise<void> {
  let now = 0
  for (const { seconds, kind, content } of frames) {
    const pause = Math.min(Math.max(0, seconds - now) * 1000, longestPauseMs) / speed
    now = Math.max(now, seconds)
    if (pause >= 1) await delay(pause, undefined, { signal }).catch(() => undefined)
    if (signal.aborted) return
    if (kind === 'output') await show(content)
  }
}

export interface ReplayFlags {
  readonly speed: string
  readonly maxPause: string
  readonly cast?: boolean
  readonly profile?: string
}

/** On a terminal, replays the session. Otherwise prints a recording. */
export async function replayCommand(id: string, flags: ReplayFlags): Promise<number> {
  const pace = {
    speed: positive(flags.speed, '--speed'),
    longestPauseMs: positive(flags.maxPause, '--max-pause') * 1000,
  }
  let exitCode: number = exitCodes.done
  await asking(flags.profile, `cannot replay session ${id}`, async (account, stdout) => {
    const session = await findSession(account, id)
    const frames = framesOf(await fetchEvents(account, session.id))
    if (flags.cast !== true && process.stdout.isTTY) exitCode = await play(frames, stdout, pace)
    else for (const line of asciicast(session, frames)) await stdout.write(Buffer.from(line))
  })
  return exitCode
}

function positive(text: string, flag: string): number {
  const number = /^\d{1,6}(\.\d{1,3})?$/.test(text) ? Number(text) : 0
  if (number > 0) return number
  throw new Failure(`the value of ${flag} is a number such as 2 or 0.5`, exitCodes.usage)
}
