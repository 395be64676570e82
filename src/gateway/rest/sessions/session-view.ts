import { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import type { FastifyReply } from 'fastify'
import type { ListedSession, ShownSession } from '../../../contract/session-shape.ts'
import type { History } from '../../history/history.ts'
import type { SessionSummary, SessionEvent, EventKind } from '../../history/session.ts'
import type { Users } from '../../people/identities/users.ts'
import { refused } from '../../refusals/request-refused.ts'
import { timeOf } from '../../identity.ts'
import { approvedAtOf, reviewInSession } from '../../reviews/review.ts'
import type { Repositories } from '../../runbooks/repositories.ts'
import {
  FIRST_DIGEST_LABEL,
  FIRST_OF_LABEL,
  FIRST_TARGET_LABEL,
  firstRunView,
} from '../../sessions/first-run.ts'
import { MCP_ARGUMENTS_LABEL, MCP_TOKEN_LABEL, mcpOrigin } from '../../sessions/mcp-labels.ts'
import { stateView } from '../../sessions/session-state.ts'
import type { Sessions } from '../../sessions/sessions.ts'
import { firstOption, type Query } from '../mount.ts'
import { ORGANIZATION } from '../../../contract/words.ts'
import type { RestServices } from '../services.ts'

/** `withOutput`: whether the user may see the output. */
export interface SessionOfUser {
  readonly session: SessionSummary
  readonly withOutput: boolean
}

type Viewing = Pick<RestServices, 'history' | 'users' | 'sessions' | 'repositories'>

interface Listing {
  readonly users: Pick<Users, 'isConnection'>
  readonly sessions: Pick<Sessions, 'stateOf'>
  readonly repositories: Pick<Repositories, 'called'>
}

/** A session in the form of hoop's list. */
export function listedSession(services: Listing, session: SessionSummary): ListedSession {
  return { ...summary(services, session), script: null }
}

function summary(
  { users, sessions, repositories }: Listing,
  session: SessionSummary,
): Omit<ListedSession, 'script'> {
  const { connection, sessionBatchId, correlationId } = session
  const { runbookTitle } = session.labels
  return {
    id: session.id,
    org_id: ORGANIZATION,
    script_size: session.scriptSize ?? null,
    // Users have only names here, so hoop's other fields also contain the name.
    user: session.user,
    user_id: session.user,
    user_name: session.user,
    identity_type: 'user',
    connection,
    role_name: connection,
    // Empty if the connection of a past session no longer exists.
    resource_name: users.isConnection(connection) ? connection : '',
    connection_tags: session.origin === 'client-api-runbooks' ? null : (session.connectionTags ?? {}),
    type: session.connectionType,
    connection_subtype: session.connectionSubtype ?? '',
    review: session.review === undefined ? null : reviewInSession(session.review),
    verb: session.verb,
    port: session.isPort === true,
    origin: session.origin,
    labels: orNull(labelsOf(session, repositories)),
    ...(runbookTitle !== undefined && { runbook_title: runbookTitle }),
    ...machineOf(session.labels),
    ...(session.reason !== undefined && { reason: session.reason }),
    metadata: orNull(session.metadata),
    ...(sessionBatchId !== undefined && { session_batch_id: sessionBatchId }),
    ...(correlationId !== undefined && { correlation_id: correlationId }),
    status: session.status,
    state: stateView(sessions.stateOf(session)),
    exit_code: session.exitCode ?? null,
    start_date: session.startedAt.toISOString(),
    approved_at: timeOf(session.review && approvedAtOf(session.review)),
    began_at: session.beganAt?.toISOString() ?? null,
    end_date: session.endedAt?.toISOString() ?? null,
    event_size: session.outputBytes,
    truncated_bytes: session.truncatedBytes,
    redacted_bytes: session.redactedBytes,
    ai_analysis: null,
    integrations_metadata: integrations(session.issue),
    jira_transition: session.issue?.move ?? null,
    guardrails_info:
      session.guardrails === undefined
        ? null
        : (JSON.parse(session.guardrails) as ListedSession['guardrails_info']),
    metrics: session.status === 'done' ? metrics(session) : null,
    ...(isShort(session) && { is_shortened: true as const }),
  }
}

function machineOf(labels: SessionSummary['labels']): Pick<ListedSession, 'machine'> {
  const machine = mcpOrigin(labels)
  return machine === undefined ? {} : { machine }
}

const MAX_LINE = 160

/** The beginning of a script, by which a user recognizes the session in a list. Reads one piece of the script. */
export function scriptLine(
  history: Pick<History, 'script'>,
  { id, verb, origin }: SessionSummary,
): Pick<ListedSession, 'script_line'> {
  if (verb !== 'exec' || origin === 'client-api-runbooks') return {}
  for (const piece of history.script(id)) {
    const line = (/\S.*/.exec(piece.toString('utf8'))?.[0] ?? '').slice(0, MAX_LINE)
    // Half of a character would be left where the cut is within it.
    return line === '' ? {} : { script_line: line.replace(/[\uD800-\uDBFF]$/, '').trimEnd() }
  }
  return {}
}

/** Broken rules are recorded only if there are some, so an empty list stands for a long one. */
function isShort({ isShort: isRequestShort, guardrails }: SessionSummary): boolean {
  return isRequestShort === true || guardrails === '[]'
}

/**
 * Returns hoop's labels without the title, which is a separate field, and without hashes and ids of tokens. Old
 * records name a local folder by its path. The present name replaces the path, so that the page finds the
 * runbook's form.
 */
function labelsOf(
  session: SessionSummary,
  repositories: Listing['repositories'],
): Readonly<Record<string, string>> {
  const {
    runbookTitle: _title,
    [FIRST_DIGEST_LABEL]: _digest,
    [FIRST_TARGET_LABEL]: _target,
    // `machine` has the other labels of a tool.
    [MCP_ARGUMENTS_LABEL]: _arguments,
    [MCP_TOKEN_LABEL]: _token,
    ...labels
  } = session.labels
  const { runbookRepository: recorded } = labels
  const known = recorded === undefined ? undefined : repositories.called(recorded)
  return known === undefined ? labels : { ...labels, runbookRepository: known.key }
}

/** Returns null for an empty object, because hoop's gateway never shows one. */
function orNull<Fields extends object>(fields: Fields): Fields | null {
  return Object.keys(fields).length === 0 ? null : fields
}

const NOTHING_MASKED = { err_count: 0, info_types: {}, total_redact_count: 0, transformed_bytes: 0 }

/** As in hoop's gateway, only ended sessions have metrics. */
function metrics({
  masking,
  outputBytes,
  truncatedBytes,
}: SessionSummary): NonNullable<ListedSession['metrics']> {
  return {
    data_masking: masking === undefined ? NOTHING_MASKED : (JSON.parse(masking) as typeof NOTHING_MASKED),
    event_size: outputBytes,
    truncated: truncatedBytes > 0,
  }
}

function integrations(issue: SessionSummary['issue']): ListedSession['integrations_metadata'] {
  return issue === undefined ? null : { jira_issue_key: issue.key, jira_issue_url: issue.url }
}

/**
 * Answers as hoop does (protocol.md 10.4). The answer contains the script, unless the option `expand` names
 * only other parts. The history is read as fast as the caller reads the answer.
 */
export function sendSession(
  reply: FastifyReply,
  services: Viewing,
  { session, withOutput }: SessionOfUser,
  query: Query,
): FastifyReply {
  const { history } = services
  const expand = (firstOption(query, 'expand') ?? '').split(',').filter((part) => part !== '')
  const withScript = expand.length === 0 || expand.includes('session_input')
  const script = jsonText('utf8', withScript ? history.script(session.id) : [])
  const options = { form: firstOption(query, 'event_stream'), sizes: expand.includes('resize') }
  const events =
    withOutput && expand.includes('event_stream') ? eventStream(history, session.id, options) : undefined
  reply.type('application/json; charset=utf-8')
  const described = {
    ...summary(services, session),
    ...pairView(services, session),
    may_read_output: withOutput,
  }
  return reply.send(Readable.from(view(described, script, events), { objectMode: false }))
}

/** The run before this one, and the run after it, if the runbook belongs to a pair. */
function pairView(services: Viewing, { id, labels }: SessionSummary): Pick<ShownSession, 'first' | 'second'> {
  const { [FIRST_OF_LABEL]: file } = labels
  const first = firstRunView(services, labels)
  if (file === undefined) return first
  const session = services.history.read(({ reviews }) => reviews.facts.secondOf(id, file)) ?? null
  return { ...first, second: { file, session } }
}

function* view(
  described: object,
  script: Iterable<string>,
  events: Iterable<string> | undefined,
): Generator<string, void> {
  yield `${JSON.stringify(described).slice(0, -1)},"script":{"data":`
  yield* script
  yield '}'
  if (events !== undefined) {
    yield ',"event_stream":['
    yield* events
    yield ']'
  }
  yield '}'
}

interface StreamOptions {
  readonly form: unknown
  /** Whether to include changes of the terminal's size, which hoop's clients do not know. */
  readonly sizes: boolean
}

/**
 * Returns the elements of `event_stream` (protocol.md 10.4). The record is read page by page, because it may
 * be larger than the longest string. In hoop, `raw-queries` is for sessions in a database's own protocol, and
 * other sessions are answered with the events. This gateway answers with the events for all sessions.
 * @throws RequestRefused 422 for an unknown form
 */
function eventStream(history: History, id: string, { form, sizes }: StreamOptions): Iterable<string, void> {
  switch (form) {
    case 'utf8':
    case 'base64':
      return jsonText(form, history.outputPieces(id))
    case undefined:
    case '':
    case 'raw-queries':
      return listed(history.events(id, sizes ? 'terminal' : 'stream'))
    default:
      throw refused('invalid-request/event-stream')
  }
}

function* listed(events: Iterable<SessionEvent>): Generator<string, void> {
  let separator = ''
  for (const { seconds, kind, bytes } of events) {
    yield separator + JSON.stringify([seconds, kind, bytes.toString('base64')])
    separator = ','
  }
}

/** Yields one JSON string in pieces, because a record may be longer than the longest JavaScript string. */
function* jsonText(form: 'utf8' | 'base64', pieces: Iterable<Buffer>): Generator<string, void> {
  const decoder = new StringDecoder(form)
  yield '"'
  for (const piece of pieces) yield escaped(decoder.write(piece))
  yield `${escaped(decoder.end())}"`
}

/** Escapes the text for JSON, without quotes around it. */
function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}

export interface ResultForm {
  readonly events: ReadonlySet<EventKind>
  readonly newline: boolean
  readonly time: boolean
}

const LETTERS = ['i', 'o', 'e'] as const
const NEWLINE = Buffer.from('\n')

/**
 * Sends the output so far, byte for byte. The output is read as fast as the caller reads, with one page of 2
 * MiB in memory. hoop's options are `events` (i, o, e), `newline=1` (after each event) and `event-time=1`
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
  /** Undefined if the length is not known before everything is read. */
  readonly length: number | undefined
}

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

function* formatted(history: History, { id, clockAt }: SessionSummary, form: ResultForm): Generator<Buffer> {
  for (const { kind, seconds, bytes } of history.events(id)) {
    if (!form.events.has(kind)) continue
    if (form.time) yield Buffer.from(`${momentOf(clockAt, seconds)} `)
    yield bytes
    if (form.newline) yield NEWLINE
  }
}

/** Returns the time in Go's format RFC3339, in whole seconds. */
export function momentOf(clockAt: Date, seconds: number): string {
  const at = new Date(clockAt.getTime() + Math.trunc(seconds) * 1000)
  return at.toISOString().replace(/\.\d+Z$/, 'Z')
}
