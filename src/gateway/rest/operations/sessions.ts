import * as v from 'valibot'
import { metadataBody } from '../body/body.ts'
import * as answers from '../openapi/answers.ts'
import { outputRangeAnswer } from '../openapi/page-answers.ts'
import type { Operation, OperationTable } from '../../../contract/operation.ts'

const VIEW = { action: 'view', type: 'sessions' } as const

const FILTERS = {
  user: 'of this user, an SQL LIKE pattern',
  connection: 'on this connection, an SQL LIKE pattern',
  type: 'on connections of this type, an SQL LIKE pattern',
  batch_id: 'of this batch',
  correlation_id: 'with this correlation id',
  'review.status': 'with a review in this state; empty: without one',
  jira_issue_key: 'with one of these issues, separated by commas',
  'review.approver': 'with a review of one of the groups of this user',
  start_date: 'that began then or later, RFC 3339',
  end_date: 'that began then or before, RFC 3339',
} as const

const LIST_SESSIONS: Operation = {
  tag: 'Sessions',
  summary: 'Lists sessions, the newest first',
  role: 'user',
  scope: 'concerned',
  audit: VIEW,
  query: {
    ...FILTERS,
    limit: 'how many, 20 unless given, 100 at most',
    offset: 'how many are skipped, 10,000 at most',
    count: 'capped (unless given) at 10,000, exact, or none',
  },
  answers: { 200: answers.sessionListAnswer },
  errors: [422, 500],
}

const DOWNLOAD = {
  tag: 'Sessions',
  role: 'public',
  scope: 'link',
  audit: { action: 'download', type: 'sessions' },
  query: { token: 'of the link; the other options are those of the link, too' },
  answers: { 200: answers.fileAnswer },
  type: 'application/octet-stream',
  errors: [404, 410, 500],
} as const

export const sessionOperations: OperationTable = {
  'GET /api/sessions': LIST_SESSIONS,
  'GET /api/plugins/audit/sessions': { ...LIST_SESSIONS, summary: 'Lists sessions, by an older name' },
  'GET /api/sessions/export': {
    tag: 'Sessions',
    summary: 'Exports the sessions of the list as lines of JSON, the oldest first',
    description:
      'Each line is a session as the list shows it, and its `cursor`. What begins meanwhile is left out. An export that was cut off goes on with `after`.',
    role: 'user',
    scope: 'concerned',
    audit: { action: 'download', type: 'sessions' },
    query: { ...FILTERS, after: 'only what stands behind the session with this `cursor`' },
    answers: { 200: answers.plainText },
    type: 'application/x-ndjson',
    errors: [422, 429, 500],
  },
  'GET /api/sessions/:id': {
    tag: 'Sessions',
    summary: 'Shows a session, also while it runs',
    role: 'user',
    scope: 'concerned',
    audit: VIEW,
    query: {
      expand: 'event_stream, session_input, resize, separated by commas',
      event_stream: 'the form of the output: utf8 or base64; a list of events without it',
      extension: 'asks for a link to download the output as csv, json, txt or another file instead',
      'blob-type': 'session_input: for a link to the script',
    },
    answers: { 200: v.union([answers.sessionAnswer, answers.downloadLinkAnswer]) },
    errors: [403, 404, 422, 500],
  },
  'GET /api/sessions/:id/download': { ...DOWNLOAD, summary: 'The output as a file, once' },
  'GET /api/sessions/:id/download/input': { ...DOWNLOAD, summary: 'The script as a file, once' },
  'PATCH /api/sessions/:id/metadata': {
    tag: 'Sessions',
    summary: "Replaces the metadata of one's own session",
    role: 'standard',
    scope: 'own',
    audit: { action: 'update', type: 'sessions' },
    body: metadataBody,
    answers: { 204: answers.emptyAnswer },
    errors: [404, 422, 500],
  },
  'GET /api/sessions/:id/result/stream': {
    tag: 'Sessions',
    summary: 'The output of a session, byte for byte',
    role: 'user',
    scope: 'read',
    audit: VIEW,
    query: {
      events: 'i, o, e, separated by commas; o,e unless given',
      newline: '1: a line break behind each event',
      'event-time': '1: the time before each event',
    },
    answers: { 200: answers.plainText },
    type: 'text/plain',
    errors: [403, 404, 500],
  },
  'GET /api/sessions/:id/stream': {
    tag: 'Sessions',
    summary: 'What a session writes, as server-sent events, until it ends',
    description: 'With the header Last-Event-ID what follows that event.',
    role: 'user',
    scope: 'read',
    audit: VIEW,
    query: { from: 'now: what comes next; from the beginning unless given' },
    answers: { 200: answers.plainText },
    type: 'text/event-stream',
    errors: [403, 404, 422, 429, 500],
  },
  'GET /api/sessions/:id/output': {
    tag: 'Sessions',
    summary: 'A part of what a session has written, by the places that its stream tells',
    description: 'Whole events, one at least where there is one. `over`: nothing comes behind `next`.',
    role: 'user',
    scope: 'read',
    audit: VIEW,
    query: {
      from: 'the place behind which it begins; at the beginning unless given',
      bytes: 'how many to look for, 262144 unless given, 1048576 at most',
    },
    answers: { 200: outputRangeAnswer },
    errors: [403, 404, 422, 500],
  },
  'POST /api/sessions/:id/kill': {
    tag: 'Sessions',
    summary: 'Ends a session that runs',
    role: 'standard',
    scope: 'end',
    audit: { action: 'kill', type: 'sessions', takesAway: true },
    answers: { 204: answers.emptyAnswer },
    errors: [404, 500],
  },
}
