import * as v from 'valibot'
import { needed, type Contract, type Frozen } from './contract.ts'
import { anyMap } from './executions.ts'
import { OutputRangeShape, StatementsShape } from './session-output.ts'
import { ListedSessionShape, SessionShape } from './session-shape.ts'
import { END_STATES, OUTCOMES, SESSION_KINDS, SESSION_ORDERS } from './session-state.ts'
import {
  about,
  file,
  moment,
  nothing,
  numberOption,
  readOption,
  plainOption,
  text,
  wholeCount,
} from './words.ts'

const DownloadLinkShape = v.strictObject({
  download_url: needed(about('address of the file, for one request', text)),
  expire_at: about('when the address expires', moment),
})

const SessionListShape = v.strictObject({
  data: about('sessions, in the order of `sort`', v.array(ListedSessionShape)),
  total: about(
    'number of sessions on all pages, with `group` of rows; null with `count=none`',
    v.nullable(wholeCount),
  ),
  total_is_capped: about('whether there are more sessions than `total`', v.boolean()),
  has_next_page: about('whether there are further sessions', v.boolean()),
  looked_at: v.optional(
    v.pipe(
      v.strictObject({ sessions: wholeCount, is_complete: v.boolean() }),
      v.description(
        'with `text`, `sort` or `group`: `sessions`: number of sessions that were searched, sorted or grouped, at most 20,000: the newest ones that match the other filters, with `sort=took` the longest or shortest ones; `is_complete`: false if there are more',
      ),
    ),
  ),
  parameter_search: about(
    'what the option `parameter` has searched; missing without the option. `searched`: number of searched sessions, which are the newest ones of runbooks that match the other filters; `is_complete`: false if there are older ones, which were not searched; `shortened`: number of searched sessions that do not match, but have parameters of more than 1,024 characters, of which only the first 1,024 were searched',
    v.optional(v.strictObject({ searched: wholeCount, is_complete: v.boolean(), shortened: wholeCount })),
  ),
})

const MetadataShape = v.object({ metadata: anyMap }, 'must be a JSON object')

/** The bytes that a command wrote. */
const plainText = v.pipe(text, v.description('text/plain'))

const VIEW = { action: 'view', type: 'sessions' } as const

const FILTERS = {
  user: plainOption(
    'only sessions of this user, as an SQL LIKE pattern (`%` is any text, `_` is one character, `\\` escapes them)',
  ),
  connection: plainOption('only sessions on this connection, as a LIKE pattern'),
  type: plainOption('only sessions on connections of this type, as a LIKE pattern'),
  runbook: plainOption('only sessions of this runbook: its path, as a LIKE pattern'),
  status: plainOption(
    `only sessions in these states, separated by commas: ${OUTCOMES.join(', ')}; after the end also: ${END_STATES.join(', ')}; or in one of hoop's states: open, ready, done`,
  ),
  kind: plainOption(
    `only sessions of this kind: ${SESSION_KINDS.join(', ')} (default: all but list, which read the choices of a parameter)`,
  ),
  parameter: plainOption(
    'only sessions of runbooks with this text in a recorded parameter (ignoring case); searches the newest 20,000 sessions that match the other filters (an export: all), and 1,024 characters of the parameters of each session, the shortest values first',
  ),
  text: plainOption(
    'only sessions with each of these words (up to 8, separated by spaces; ignoring case) in the path or title of the runbook, the name of the user, the recorded value of a parameter or the reason; searches the newest 20,000 sessions that match the other filters (an export: all), and 1,024 characters of the parameters of each',
  ),
  schedule: plainOption('only runs of this schedule'),
  batch_id: plainOption('only sessions of this batch'),
  correlation_id: plainOption('only sessions with this correlation id; empty: all sessions'),
  'review.status': plainOption(
    'only sessions with a review in this state, as a LIKE pattern; empty: only sessions without a review',
  ),
  jira_issue_key: plainOption(
    'only sessions with one of these keys of Jira issues (ignoring case), separated by commas',
  ),
  'review.approver': plainOption('only sessions whose review asks a group of this user'),
  start_date: plainOption('only sessions that began at this time or later, RFC 3339'),
  end_date: plainOption('only sessions that began at this time or earlier, RFC 3339'),
}

const ORDER = {
  sort: plainOption(
    `order of the list: ${SESSION_ORDERS.join(', ')} (default: started); took lists only sessions whose command began and ended`,
  ),
  order: plainOption('asc or desc (default: desc for started and took, otherwise asc)'),
}

const TIME_ZONE = plainOption('time zone of the days, such as Europe/Berlin (default: UTC)')

const LIST = {
  tag: 'Sessions',
  method: 'GET',
  summary: 'Lists sessions, the newest first unless `sort` says otherwise',
  role: 'user',
  scope: 'seen',
  audit: { ...VIEW, verb: 'looked at sessions' },
  query: {
    ...FILTERS,
    ...ORDER,
    group: plainOption(
      'which sessions are one row, separated by commas: batches (those of a batch), schedules (the runs of a schedule on one day)',
    ),
    time_zone: TIME_ZONE,
    limit: plainOption('maximum number of sessions, up to 100 (default: 20)'),
    offset: plainOption('number of sessions to skip, up to 10,000 (default: 0)'),
    count: plainOption('how `total` is counted: capped (at 10,000), exact or none (default: capped)'),
  },
  answers: { 200: SessionListShape },
  errors: [['invalid-request', 422], 'too-much-at-once', 'history-failed'],
} as const

/** Hoop has two paths for the list. */
export const sessionListContract = {
  list: { ...LIST, path: '/api/sessions' },
  listByOldName: {
    ...LIST,
    path: '/api/plugins/audit/sessions',
    summary: 'Lists sessions; an older path of the endpoint',
  },
} as const satisfies Contract

const DaysShape = v.strictObject({
  days: about(
    'the days, the oldest first',
    v.array(
      v.strictObject({
        day: v.pipe(text, v.description('the day in `time_zone`, as YYYY-MM-DD')),
        open: v.pipe(
          wholeCount,
          v.description(
            'sessions that run, wait for a lock or for approval, or are approved and have not run yet',
          ),
        ),
        succeeded: about('sessions with exit code 0', wholeCount),
        failed: about('sessions that ended in another way', wholeCount),
        stopped: about(
          'sessions that a user stopped or withdrew, whose client disconnected, or whose request expired',
          wholeCount,
        ),
        rejected: about('sessions whose approval was rejected or revoked', wholeCount),
      }),
    ),
  ),
  is_capped: v.pipe(v.boolean(), v.description('whether a day has more sessions than were counted')),
})
/** The oldest day is the first. */
export type DaysAnswer = Frozen<v.InferOutput<typeof DaysShape>>

export const sessionContract = {
  byDay: {
    tag: 'Sessions',
    method: 'GET',
    path: '/api/sessions/by-day',
    summary: 'Counts sessions by the day on which they began, and by outcome',
    description:
      'The filters are the same as in the list, except `parameter` and `text`, which have no effect. At most 100,000 sessions of a day are counted.',
    role: 'user',
    scope: 'seen',
    audit: 'none',
    query: {
      ...FILTERS,
      parameter: plainOption('has no effect here'),
      text: plainOption('has no effect here'),
      days: numberOption('days', 'number of days up to today, from 1 to 92 (default: 30)', 92),
      time_zone: TIME_ZONE,
    },
    answers: { 200: DaysShape },
    errors: [['invalid-request', 422], 'history-failed'],
  },
  output: {
    tag: 'Sessions',
    method: 'GET',
    path: '/api/sessions/:id/output',
    summary: 'Returns a part of the output of a session, from a place in its stream',
    description:
      'The part consists of whole events: at least one event, if there is one after `from`. `over`: the session has no more output after `next`.',
    role: 'user',
    scope: 'read',
    audit: { ...VIEW, verb: 'read the output of a session' },
    query: {
      from: plainOption(
        'place after which the part begins: `next` or `place` of an earlier answer (default: the beginning)',
      ),
      bytes: plainOption('size of the part in bytes, up to 1048576 (default: 262144)'),
    },
    answers: { 200: OutputRangeShape },
    errors: ['not-permitted', 'session-not-found', ['invalid-request', 422], 'history-failed'],
  },
  statements: {
    tag: 'Sessions',
    method: 'GET',
    path: '/api/sessions/:id/statements',
    summary: 'Lists the statements of the native clients of a session, the oldest first',
    description: 'Only sessions with `port` on a PostgreSQL or MySQL connection have statements.',
    role: 'user',
    scope: 'read',
    audit: { ...VIEW, verb: 'read the statements of a session' },
    query: {
      offset: numberOption('offset', 'number of statements to skip (default: 0)', 10_000_000, 0),
      limit: numberOption('limit', 'maximum number of statements, up to 1000 (default: 200)', 1000),
      count: readOption(
        'true: also return the number of all statements, for which the gateway reads the whole record',
        (given) => (given === 'true' || given === 'false' ? given === 'true' : undefined),
        'count must be true or false',
      ),
    },
    answers: { 200: StatementsShape },
    errors: ['not-permitted', 'session-not-found', ['invalid-request', 422], 'history-failed'],
  },
  kill: {
    tag: 'Sessions',
    method: 'POST',
    path: '/api/sessions/:id/kill',
    summary: 'Stops a session and ends its command; a session that has ended is not changed',
    role: 'standard',
    scope: 'end',
    audit: { action: 'kill', type: 'sessions', verb: 'stopped a session', takesAway: true },
    answers: { 204: nothing },
    errors: ['session-not-found', 'history-failed'],
  },
} as const satisfies Contract

const DOWNLOAD = {
  tag: 'Sessions',
  method: 'GET',
  role: 'public',
  scope: 'link',
  query: { token: plainOption('token of the link, which also has other options') },
  answers: { 200: file },
  type: 'application/octet-stream',
  errors: ['session-not-found', 'download-expired', 'history-failed'],
} as const

/**
 * These routes are mounted by hand, because their answer is sent in pieces or their body is read as hoop
 * reads it.
 */
export const sessionStreamContract = {
  exportLines: {
    tag: 'Sessions',
    method: 'GET',
    path: '/api/sessions/export',
    summary: 'Exports sessions as lines of JSON or as CSV, the oldest first unless `sort` says otherwise',
    description:
      'Each line is a session as the list shows it, with a `cursor`. Sessions that begin during the export are left out. `after` continues an interrupted export. With `sort`, the export has the sessions of the list in its order, at most 10,000, without `cursor`; sessions that the list shows as one row have a line each.',
    role: 'user',
    scope: 'seen',
    audit: { action: 'download', type: 'sessions', verb: 'exported sessions' },
    query: {
      ...FILTERS,
      ...ORDER,
      after: plainOption('only sessions after the session with this `cursor`; not with `sort`'),
      format: plainOption('jsonl or csv (default: jsonl)'),
    },
    answers: { 200: plainText },
    type: 'application/x-ndjson',
    errors: [['invalid-request', 422], 'too-many-clients', 'history-failed'],
  },
  show: {
    tag: 'Sessions',
    method: 'GET',
    path: '/api/sessions/:id',
    summary: 'Shows a session, also while it runs, or creates a link for a download (`extension`)',
    role: 'user',
    scope: 'seen',
    audit: { ...VIEW, verb: 'looked at a session' },
    query: {
      expand: plainOption(
        'additional parts of the answer, separated by commas: event_stream, session_input, resize',
      ),
      event_stream: plainOption('form of the output: utf8 or base64 (default: a list of events)'),
      extension: plainOption(
        'returns a link to download the output as a file of this type: csv, json, txt or another type',
      ),
      'blob-type': plainOption('session_input: the link is for the script instead of the output'),
    },
    answers: { 200: v.union([SessionShape, DownloadLinkShape]) },
    errors: ['not-permitted', 'session-not-found', ['invalid-request', 422], 'history-failed'],
  },
  download: {
    ...DOWNLOAD,
    path: '/api/sessions/:id/download',
    audit: { action: 'download', type: 'sessions', verb: 'downloaded the output of a session' },
    summary: 'Returns the output as a file; a link can be used only once',
  },
  downloadInput: {
    ...DOWNLOAD,
    path: '/api/sessions/:id/download/input',
    audit: { action: 'download', type: 'sessions', verb: 'downloaded the script of a session' },
    summary: 'Returns the script as a file; a link can be used only once',
  },
  metadata: {
    tag: 'Sessions',
    method: 'PATCH',
    path: '/api/sessions/:id/metadata',
    summary: 'Replaces the metadata of a session',
    role: 'standard',
    scope: 'own',
    audit: { action: 'update', type: 'sessions', verb: 'changed the metadata of a session' },
    body: MetadataShape,
    answers: { 204: nothing },
    errors: ['session-not-found', ['invalid-request', 422], 'history-failed'],
  },
  result: {
    tag: 'Sessions',
    method: 'GET',
    path: '/api/sessions/:id/result/stream',
    summary: 'Returns the output of a session, byte for byte',
    role: 'user',
    scope: 'read',
    audit: { ...VIEW, verb: 'read the output of a session' },
    query: {
      events: plainOption('types of events: i, o, e, separated by commas (default: o,e)'),
      newline: plainOption('1: adds a line break after each event'),
      'event-time': plainOption('1: adds the time before each event, in whole seconds and UTC'),
    },
    answers: { 200: plainText },
    type: 'text/plain',
    errors: ['not-permitted', 'session-not-found', 'too-many-clients', 'history-failed'],
  },
  stream: {
    tag: 'Sessions',
    method: 'GET',
    path: '/api/sessions/:id/stream',
    summary: 'Streams the output of a session until it ends, as server-sent events',
    description: 'With the header `Last-Event-ID` the stream continues after that event.',
    role: 'user',
    scope: 'read',
    audit: { ...VIEW, verb: 'followed the output of a session' },
    query: { from: plainOption('start: from the beginning (default); now: only new output') },
    answers: { 200: plainText },
    type: 'text/event-stream',
    errors: [
      'not-permitted',
      'session-not-found',
      ['invalid-request', 422],
      'too-many-clients',
      'history-failed',
    ],
  },
} as const satisfies Contract
