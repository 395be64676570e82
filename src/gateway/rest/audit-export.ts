import { setImmediate } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { auditStreamContract, type AuditEntryAnswer } from '../../contract/audit.ts'
import type { AuditWords } from '../../contract/audit-words.ts'
import type { AuditQuery } from '../people/audit/audit-rows.ts'
import { auditQuery } from '../people/audit/routes.ts'
import { shownEntry } from '../../contract/audit-chain.ts'
import { csvLine } from './csv.ts'
import { EventStreams } from './event-streams.ts'
import { readOptions, type Query } from './mount.ts'
import type { RestServices } from './services.ts'

/** Each stream keeps one step's entries in memory for a slow reader, at most about 6 MiB. */
const LIMITS = { streams: 8, ofOneUser: 2, reserved: 0, pieceMs: 60_000, closingMs: 1000 }
/** Entries per step. */
const STEP = 500

interface Format {
  readonly type: string
  readonly head: string
  readonly line: (entry: AuditEntryAnswer, words: AuditWords) => string
}

/** Columns in the order of the CSV file. */
const COLUMNS: readonly (readonly [string, Format['line']])[] = [
  ['time', ({ created_at: time }) => time],
  ['user', ({ actor }) => actor],
  ['token', ({ token_name: token }) => token],
  ['did', (entry, words) => words.did(entry)],
  ['action', ({ action }) => action],
  ['type', ({ resource_type: type }) => type],
  ['id', ({ resource_id: id }) => id],
  ['result', ({ outcome }) => (outcome ? 'ok' : 'failed')],
  ['status', ({ http_status: status }) => (status === 0 ? '' : String(status))],
  ['method', ({ http_method: method }) => method],
  ['path', ({ http_path: path }) => path],
  ['address', ({ client_ip: address }) => address],
  ['error', ({ error_message: error }) => error],
  ['details', ({ request_payload_redacted: details }) => (details === null ? '' : JSON.stringify(details))],
  ['stage', ({ stage }) => stage],
  ['claimed agent', ({ claimed_agent: agent = '' }) => agent],
]

const FORMATS: Readonly<Record<'jsonl' | 'csv', Format>> = {
  jsonl: { type: 'application/x-ndjson', head: '', line: (entry) => `${JSON.stringify(entry)}\n` },
  csv: {
    type: 'text/csv; charset=utf-8',
    head: csvLine(['entry', ...COLUMNS.map(([name]) => name)]),
    line: csvEntry,
  },
}

/** Adds the route of the export. An export begins with the oldest entry. */
export function auditExportRoute(
  app: FastifyInstance,
  { history, audit }: RestServices,
  words: AuditWords,
): void {
  const streams = new EventStreams('exports', LIMITS)
  const { path, query: options } = auditStreamContract.exportLines
  app.addHook('preClose', () => streams.close())
  // There is no HEAD, because fastify would read the whole export for it.
  app.get<{ Querystring: Query }>(path, { exposeHeadRoute: false }, (request, reply) => {
    const asked = readOptions(options, request.query)
    const { format = 'jsonl', ...filters } = asked
    streams.checkRoom(request.user.name)
    const isFiltered = Object.values(filters).some((value) => value !== undefined)
    const wanted = {
      query: isFiltered || format === 'csv' ? auditQuery(asked) : undefined,
      until: audit.head.sequence,
    }
    void reply.header('content-disposition', `attachment; filename=audit-log-${today()}.${format}`)
    const source = { [Symbol.dispose]: () => undefined }
    const read = (_: Disposable, closing: AbortSignal) =>
      pieces({ history, words }, wanted, FORMATS[format], closing)
    return streams.send(request, reply, source, read, FORMATS[format].type)
  })
}

/**
 * Yields the export piece by piece. Throws when the gateway stops, because an export that is cut off must not
 * look complete.
 */
async function* pieces(
  { history, words }: Pick<RestServices, 'history'> & { readonly words: AuditWords },
  { query, until }: { readonly query: AuditQuery | undefined; readonly until: number },
  { head, line }: Format,
  closing: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  if (head !== '') yield head
  const first = history.read(({ audit }) => audit.anchor().sequence)
  for (let after = first; after < until; after += STEP) {
    if (closing.aborted) throw new Error('the export was cut off')
    const last = Math.min(after + STEP, until)
    const found = history.read(({ audit }) => audit.step(query, after, last))
    const text = found.map((link) => line(shownEntry(link), words)).join('')
    if (text !== '') yield text
    await setImmediate()
  }
}

function today(): string {
  return new Date().toISOString().slice(0, 10)
}

function csvEntry(entry: AuditEntryAnswer, words: AuditWords): string {
  return csvLine([String(entry.sequence), ...COLUMNS.map(([, of]) => of(entry, words))])
}
