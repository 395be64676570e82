import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import type { History } from '../../history/history.ts'
import type { EventKind, SessionSummary } from '../../history/session.ts'
import { firstOption, type Query } from '../http/query.ts'

export interface ResultForm {
  readonly events: ReadonlySet<EventKind>
  readonly newline: boolean
  readonly time: boolean
}

const LETTERS = ['i', 'o', 'e'] as const
const NEWLINE = Buffer.from('\n')

/**
 * What a session has written so far, byte for byte, read from the history as fast as the caller takes it: one page of 2
 * MiB is in memory at a time. With hoop's options `events` (i, o, e), `newline=1` (after each event) and `event-time=1`
 * (before each event).
 */
export function sendResult(
  reply: FastifyReply,
  history: History,
  session: SessionSummary,
  query: Query,
): FastifyReply {
  const { pieces, length } = resultOf(history, session, readResultForm(query))
  reply.type('text/plain; charset=utf-8').header('x-content-type-options', 'nosniff')
  if (length !== undefined) reply.header('content-length', length)
  return reply.send(Readable.from(pieces, { objectMode: false }))
}

interface Result {
  readonly pieces: Iterable<Buffer>
  /** Undefined where it is not known before all is read. */
  readonly length: number | undefined
}

/** In the form that was asked for. */
export function resultOf(history: History, session: SessionSummary, form: ResultForm): Result {
  const isPlainEnd = session.status === 'done' && isPlain(form)
  return isPlainEnd
    ? { pieces: history.outputPieces(session.id), length: session.outputBytes }
    : { pieces: formatted(history, session, form), length: undefined }
}

export function readResultForm(query: Query): ResultForm {
  const asked = (firstOption(query, 'events') ?? '').split(',')
  const events = LETTERS.filter((letter) => asked.includes(letter))
  return {
    events: new Set(events.length === 0 ? ['o', 'e'] : events),
    newline: firstOption(query, 'newline') === '1',
    time: firstOption(query, 'event-time') === '1',
  }
}

function isPlain({ events, newline, time }: ResultForm): boolean {
  return !newline && !time && !events.has('i') && events.size === 2
}

function* formatted(
  history: History,
  { id, startedAt }: SessionSummary,
  form: ResultForm,
): Generator<Buffer> {
  for (const { kind, seconds, bytes } of history.events(id)) {
    if (!form.events.has(kind)) continue
    if (form.time) yield Buffer.from(`${momentOf(startedAt, seconds)} `)
    yield bytes
    if (form.newline) yield NEWLINE
  }
}

/** Go's RFC3339, in whole seconds. */
export function momentOf(startedAt: Date, seconds: number): string {
  const at = new Date(startedAt.getTime() + Math.trunc(seconds) * 1000)
  return at.toISOString().replace(/\.\d+Z$/, 'Z')
}
