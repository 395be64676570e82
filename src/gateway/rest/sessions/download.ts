import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import type { History } from '../../history/history.ts'
import type { SessionSummary } from '../../history/session.ts'
import { firstOption, type Query } from '../http/query.ts'
import { momentOf, readResultForm, resultOf, type ResultForm } from './session-result.ts'

const TAB = 0x09
const COMMA = 0x2c
const MAX_EXTENSION_CHARACTERS = 10

/** The options of a download that its link repeats, as they were asked for. */
export function downloadOptions(query: Query): [string, string][] {
  const kept = ['newline', 'event-time', 'events'].map((name): [string, string] => [
    name,
    firstOption(query, name) ?? '',
  ])
  return [['extension', extensionOf(query)], ...kept]
}

/** What a session has written, as a file. */
export function sendOutputFile(
  reply: FastifyReply,
  history: History,
  session: SessionSummary,
  query: Query,
): FastifyReply {
  const form = readResultForm(query)
  const extension = extensionOf(query)
  if (extension === 'json')
    return sendFile(reply, session, { extension, pieces: json(history, session, form) })
  const { pieces, length } = resultOf(history, session, form)
  return sendFile(reply, session, {
    extension,
    length,
    pieces: extension === 'csv' ? withCommas(pieces) : pieces,
  })
}

/** The script of a session, as a file. */
export function sendInputFile(
  reply: FastifyReply,
  history: History,
  session: SessionSummary,
  query: Query,
): FastifyReply {
  return sendFile(reply, session, { extension: extensionOf(query), pieces: history.script(session.id) })
}

interface File {
  readonly extension: string
  readonly pieces: Iterable<Buffer | string>
  readonly length?: number | undefined
}

function sendFile(
  reply: FastifyReply,
  session: SessionSummary,
  { extension, pieces, length }: File,
): FastifyReply {
  void reply
    .type('application/octet-stream')
    .header('x-content-type-options', 'nosniff')
    .header('cache-control', 'no-store')
    .header('content-disposition', `attachment; filename=${fileName(session, extension)}`)
  // The first is hoop's name for it.
  if (length !== undefined) void reply.header('accept-length', length).header('content-length', length)
  return reply.send(Readable.from(pieces, { objectMode: false }))
}

/** A name of letters that mean nothing to a header, a shell or a file system, whatever connections are called. */
function fileName({ connection, id, startedAt }: SessionSummary, extension: string): string {
  const time = startedAt
    .toISOString()
    .replace(/[-:]|\..*/g, '')
    .replace('T', '-')
  const name = `${connection}-${id}`.replace(/[^A-Za-z0-9_.-]/g, '_').replace(/^\.+/, '_')
  return `${name}-${time}.${extension}`
}

function extensionOf(query: Query): string {
  const asked = firstOption(query, 'extension') ?? ''
  return asked.replace(/[^A-Za-z0-9]/g, '').slice(0, MAX_EXTENSION_CHARACTERS) || 'txt'
}

function* withCommas(pieces: Iterable<Buffer>): Generator<Buffer> {
  for (const piece of pieces) yield Buffer.from(piece.map((byte) => (byte === TAB ? COMMA : byte)))
}

function* json(history: History, { id, startedAt }: SessionSummary, form: ResultForm): Generator<string> {
  let separator = '['
  for (const { kind, seconds, bytes } of history.events(id)) {
    if (!form.events.has(kind)) continue
    const event = { stream: bytes.toString(), time: momentOf(startedAt, seconds), type: kind }
    yield `${separator}${JSON.stringify(event)}`
    separator = ','
  }
  yield separator === '[' ? '[]' : ']'
}
