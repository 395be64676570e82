import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import type { History } from '../../history/history.ts'
import type { EventKind, SessionSummary } from '../../history/session.ts'

type Query = Readonly<Record<string, unknown>>

interface Form {
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
  const form = readForm(query)
  reply.type('text/plain; charset=utf-8').header('x-content-type-options', 'nosniff')
  const plain = session.status === 'done' && isPlain(form)
  if (plain) reply.header('content-length', session.outputBytes)
  const pieces = plain ? history.outputPieces(session.id) : formatted(history, session, form)
  return reply.send(Readable.from(pieces, { objectMode: false }))
}

function readForm(query: Query): Form {
  const asked = typeof query['events'] === 'string' ? query['events'].split(',') : []
  const events = LETTERS.filter((letter) => asked.includes(letter))
  return {
    events: new Set(events.length === 0 ? ['o', 'e'] : events),
    newline: query['newline'] === '1',
    time: query['event-time'] === '1',
  }
}

function isPlain({ events, newline, time }: Form): boolean {
  return !newline && !time && !events.has('i') && events.size === 2
}

function* formatted(history: History, { id, startedAt }: SessionSummary, form: Form): Generator<Buffer> {
  for (const { kind, seconds, bytes } of history.events(id)) {
    if (!form.events.has(kind)) continue
    if (form.time) yield Buffer.from(`${moment(startedAt, seconds)} `)
    yield bytes
    if (form.newline) yield NEWLINE
  }
}

/** Go's RFC3339, in whole seconds. */
function moment(startedAt: Date, seconds: number): string {
  const at = new Date(startedAt.getTime() + Math.trunc(seconds) * 1000)
  return at.toISOString().replace(/\.\d+Z$/, 'Z')
}
