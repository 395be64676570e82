import * as v from 'valibot'
import { metadataBody, renderBody, runbookBody, runbookV2Body, sessionBody } from '../body/body.ts'
import { reviewBody } from '../reviews/review-body.ts'
import { signInBody } from '../sign-in.ts'
import * as answers from './answers.ts'

/** What a caller has to know of one route: the document and the tests are made from it. */
export interface Operation {
  readonly tag: 'Runbooks' | 'Sessions' | 'Reviews' | 'Connections' | 'Gateway'
  readonly summary: string
  /** What the reader of its summary would ask next. */
  readonly description?: string
  /** Whether it is answered without a token. */
  readonly isPublic?: true
  readonly body?: v.GenericSchema
  readonly query?: Readonly<Record<string, string>>
  /** By status. Errors are added by themselves: 401, and those in `errors`. */
  readonly answers: Readonly<Record<number, v.GenericSchema>>
  readonly errors?: readonly number[]
  /** Of an answer that is not JSON. */
  readonly type?: string
}

const DECISION: Operation = {
  tag: 'Reviews',
  summary: 'Approves, rejects or revokes what somebody has asked for',
  description: '`status` is APPROVED, REJECTED or REVOKED. The id is that of the review or of its session.',
  body: reviewBody,
  answers: { 200: answers.reviewAnswer },
  errors: [403, 404, 500],
}

const LIST_CONNECTIONS = 'true: with the connections that may run each'
const RUN = [403, 404, 422, 429, 500]
const ran = { 200: answers.execAnswer, 202: answers.execAnswer }

const LIST_SESSIONS: Operation = {
  tag: 'Sessions',
  summary: 'Lists sessions, the newest first',
  query: {
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
    limit: 'how many, 20 unless given, 100 at most',
    offset: 'how many are skipped, 10,000 at most',
    count: 'capped (unless given) at 10,000, exact, or none',
  },
  answers: { 200: answers.sessionListAnswer },
  errors: [422, 500],
}

const DOWNLOAD = {
  tag: 'Sessions',
  isPublic: true,
  query: { token: 'of the link; the other options are those of the link, too' },
  answers: { 200: answers.fileAnswer },
  type: 'application/octet-stream',
  errors: [404, 410, 500],
} as const

/** By method and path, in fastify's form. */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  'POST /api/plugins/runbooks/connections/:name/exec': {
    tag: 'Runbooks',
    summary: 'Runs a runbook on a connection',
    description: '200 when it has ended, whatever its exit code; 202 when it goes on after `limits.wait`.',
    body: runbookBody,
    answers: ran,
    errors: RUN,
  },
  'POST /api/runbooks/exec': {
    tag: 'Runbooks',
    summary: 'Runs a runbook of a repository on a connection',
    body: runbookV2Body,
    answers: ran,
    errors: RUN,
  },
  'POST /api/runbooks/render': {
    tag: 'Runbooks',
    summary: 'Shows the script that an execution would send, and runs nothing',
    body: renderBody,
    answers: { 200: answers.renderAnswer },
    errors: [403, 404, 422, 500],
  },
  'GET /api/runbooks': {
    tag: 'Runbooks',
    summary: 'Lists runbooks and their parameters, by repository',
    query: {
      connection_name: 'only those of this connection',
      connection: 'the same, by its old name',
      list_connections: LIST_CONNECTIONS,
      remove_empty_connections: 'false: for admins, also those that no connection runs',
    },
    answers: { 200: answers.runbookListAnswer },
    errors: [404],
  },
  'GET /api/runbooks/rules': {
    tag: 'Runbooks',
    summary: 'Lists who may run what: a rule for each connection that runs runbooks',
    answers: { 200: v.array(answers.runbookRuleAnswer) },
  },
  'GET /api/runbooks/rules/:id': {
    tag: 'Runbooks',
    summary: 'Shows a rule',
    answers: { 200: answers.runbookRuleAnswer },
    errors: [404],
  },
  'GET /api/runbooks/configurations': {
    tag: 'Runbooks',
    summary: 'Shows the repositories to admins, without their secrets',
    answers: { 200: answers.runbookConfigurationAnswer },
    errors: [403, 404],
  },
  'GET /api/plugins/runbooks/templates': {
    tag: 'Runbooks',
    summary: 'Lists the runbooks of all connections, in the first form',
    answers: { 200: answers.runbookTemplatesAnswer },
    errors: [404, 422],
  },
  'GET /api/plugins/runbooks/connections/:name/templates': {
    tag: 'Runbooks',
    summary: 'Lists the runbooks of a connection, in the first form',
    answers: { 200: answers.runbookTemplatesAnswer },
    errors: [404, 422],
  },
  'POST /api/sessions': {
    tag: 'Sessions',
    summary: 'Runs a script on a connection',
    body: sessionBody,
    answers: ran,
    errors: RUN,
  },
  'GET /api/sessions': LIST_SESSIONS,
  'GET /api/plugins/audit/sessions': { ...LIST_SESSIONS, summary: 'Lists sessions, by an older name' },
  'GET /api/sessions/:id': {
    tag: 'Sessions',
    summary: 'Shows a session, also while it runs',
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
    body: metadataBody,
    answers: { 204: answers.emptyAnswer },
    errors: [404, 422, 500],
  },
  'GET /api/sessions/:id/result/stream': {
    tag: 'Sessions',
    summary: 'The output of a session, byte for byte',
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
    query: { from: 'now: what comes next; from the beginning unless given' },
    answers: { 200: answers.plainText },
    type: 'text/event-stream',
    errors: [403, 404, 422, 429, 500],
  },
  'POST /api/sessions/:id/exec': {
    tag: 'Reviews',
    summary: 'Runs what was approved, once',
    answers: ran,
    errors: [403, 404, 409, 422, 429, 500],
  },
  'GET /api/reviews': {
    tag: 'Reviews',
    summary: "Lists one's own reviews and those of one's groups, the newest first",
    answers: { 200: v.array(answers.reviewAnswer) },
    errors: [500],
  },
  'GET /api/reviews/:id': {
    tag: 'Reviews',
    summary: 'Shows a review, by its id or that of its session',
    answers: { 200: answers.reviewAnswer },
    errors: [404, 500],
  },
  'PUT /api/reviews/:id': DECISION,
  'PUT /api/sessions/:id/review': DECISION,
  'POST /api/sessions/:id/kill': {
    tag: 'Sessions',
    summary: 'Ends a session that runs',
    answers: { 204: answers.emptyAnswer },
    errors: [404, 500],
  },
  'GET /api/connections': {
    tag: 'Connections',
    summary: 'Lists the connections that the caller may see',
    query: { tag_selector: 'with these tags: env=prod,region!=eu' },
    answers: { 200: v.array(answers.connectionAnswer) },
  },
  'GET /api/connections/:name': {
    tag: 'Connections',
    summary: 'Shows a connection',
    answers: { 200: answers.connectionAnswer },
    errors: [404],
  },
  'GET /api/locks': {
    tag: 'Sessions',
    summary: 'Lists the locks of gateway.yaml: who has them, and who waits',
    answers: { 200: v.array(answers.lockAnswer) },
  },
  'GET /api/integrations/jira': {
    tag: 'Connections',
    summary: 'Shows the site of Jira where sessions get their issues, without its token',
    answers: { 200: answers.jiraAnswer },
  },
  'GET /api/integrations/jira/issuetemplates': {
    tag: 'Connections',
    summary: 'Lists the kinds of issues of these connections, and what callers are asked for',
    answers: { 200: v.array(answers.jiraTemplateAnswer) },
  },
  'GET /api/integrations/jira/issuetemplates/:id': {
    tag: 'Connections',
    summary: 'Shows one kind of issues',
    answers: { 200: answers.jiraTemplateAnswer },
    errors: [404],
  },
  'GET /api/agents': {
    tag: 'Connections',
    summary: 'Lists the agents of these connections, for admins all, and whether they are connected',
    query: { status: 'CONNECTED or DISCONNECTED' },
    answers: { 200: v.array(answers.agentAnswer) },
  },
  'GET /api/agents/:name': {
    tag: 'Connections',
    summary: 'Shows an agent',
    answers: { 200: answers.agentAnswer },
    errors: [404],
  },
  'GET /api/plugins': {
    tag: 'Connections',
    summary: 'Always empty: there are no plugins here',
    answers: { 200: answers.noPlugins },
  },
  'GET /api/serverinfo': {
    tag: 'Gateway',
    summary: 'Version and addresses of the gateway',
    answers: { 200: answers.serverAnswer },
  },
  'GET /api/userinfo': {
    tag: 'Gateway',
    summary: 'Who asks',
    answers: { 200: answers.userAnswer },
  },
  'GET /api/publicserverinfo': {
    tag: 'Gateway',
    summary: 'How one signs in',
    isPublic: true,
    answers: { 200: answers.publicServerAnswer },
  },
  'POST /api/localauth/login': {
    tag: 'Gateway',
    summary: 'Signs in: the name and the token of a user',
    description: 'The token comes back in the header `Token`.',
    isPublic: true,
    body: signInBody,
    answers: { 200: answers.signedInAnswer },
  },
  'GET /api/healthz': {
    tag: 'Gateway',
    summary: 'Whether the gateway lives',
    isPublic: true,
    answers: { 200: answers.livenessAnswer },
  },
  'GET /readyz': {
    tag: 'Gateway',
    summary: 'Whether sessions can begin',
    isPublic: true,
    answers: { 200: answers.readinessAnswer, 503: answers.readinessAnswer },
  },
}

/**
 * Of every route: what is wrong before a route is found. Without a known token that is 401, also where the route needs
 * none.
 */
const ALWAYS = [400, 401, 408, 415, 417, 431, 503]

/** The statuses of its errors. */
export function errorStatuses({ body, errors = [], answers: own }: Operation): readonly number[] {
  const ofBodies = body === undefined ? [] : [413]
  const all = [...ofBodies, ...errors, ...ALWAYS]
  return [...new Set(all)].filter((status) => own[status] === undefined).sort((a, b) => a - b)
}
