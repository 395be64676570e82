import type { HttpCode } from '../../contract/statuses.ts'
import type { STATUSES } from '../../wire/gateway-codes.ts'
import { hoopWords } from '../../wire/gateway-words.ts'

/** A sentence, with the status if it is not the code's usual status. A name in `<>` is a detail. */
type Row<C extends HttpCode> = string | readonly [status: (typeof STATUSES)[C]['http'][number], text: string]

const RUN_FIRST_AGAIN = 'run the first one again (first: "run", --first run)'
const BATCH_REFUSES = 'nothing has run, <count> of <total> connections refuse: <reasons>'
const TOO_LARGE_PACKET = 'are too large: one packet to the agent may have at most 17 MiB'

/**
 * The sentences with which REST requests are refused, by their codes. Programs compare them: a sentence changes
 * only if its meaning does. The tables of docs/endings-and-codes.md are made from this one.
 */
export const REFUSALS = {
  unauthenticated: {
    unknown: hoopWords.accessDenied,
    'ended-token': `${hoopWords.accessDenied}: <reason>`,
    'wrong-credentials': hoopWords.invalidCredentials,
    'two-cookies': `${hoopWords.accessDenied}: the browser sends two sign-in cookies, and another page of this host may have set one of them; remove the cookies of this host`,
    download: hoopWords.unauthorized,
  },
  'too-many-failed-sign-ins': 'too many failed sign-ins from this address: try again in <seconds> s',
  'not-permitted': {
    role: hoopWords.accessDenied,
    use: hoopWords.disabled('<use>'),
    runbook: hoopWords.runbookNotPermitted,
    stream: hoopWords.notToStream,
    download: hoopWords.notToDownload,
    execute: hoopWords.notToExecute,
    'cookie-only': 'this operation needs a token in a header; the sign-in of the page is not accepted here',
    auditor: '<name> is an auditor, and auditors decide nothing',
    'machine-approves': '<name> is a machine, and only people may approve',
    machine:
      'a machine may only rotate and revoke its own tokens: other changes to users, groups and tokens need the token of a person who is an admin',
    schema: '<reason>',
    'draft-as-another': 'only admins may draft a schedule that runs as another user',
    'schedule-of-another': 'only admins and the user <user> may change the schedule <name>',
    'user-gone': 'user <user> does not exist or was deactivated',
    'owner-cannot-run': '<name> <obstacle>',
    'name-of-another': 'nothing has run: the name <user> belongs to another user now',
    'connection-gone': 'nothing has run: connection <name> not found, or <owner> has no access to it now',
    'approval-now-needed': 'the connection now needs an approval; request the batch again',
    'no-provider': 'OIDC provider not configured',
    'mcp-token': 'this token is only for /mcp: nothing else accepts it',
    'no-mcp-token':
      '/mcp accepts only tokens that were made for it: runbook-agent token create --user MACHINE --name NAME --for mcp',
  },
  'invalid-request': {
    field: '<problem>',
    'field-422': [422, '<problem>'],
    body: 'request body: <problem>',
    'key-of-another':
      'nothing has run: this request_key belongs to another request (session <id>); choose a new one',
    'key-ended':
      'nothing has run: this request_key was used more than 24 hours ago (session <id>); choose a new one',
    'body-not-object': 'request body: must be a JSON object',
    'connection-tags': 'the connection does not have these tags',
    'no-connections': 'connections: is required if tags is missing',
    'no-retried-connection': 'connections: must have a name',
    'foreign-connection': 'connections: <name> is not in the batch',
    'succeeded-connection': 'connections: the run on <name> has succeeded',
    'several-repositories':
      'repository: is required, because the connections use several repositories: <names>',
    waves: 'waves: must be counts or percentages, like 1,10%,rest (rest only at the end)',
    'stop-after': 'stop_after: must be a count of failures or a percentage, like 3 or 10%',
    parallel: 'parallel: must be at most <most> (limits.batch-parallel)',
    tags: 'tags: must be an object of keys and values, like {"env": "prod"}',
    'tag-selector': 'tag_selector: must be like env=prod,region!=eu',
    'values-of-retry': 'a retry has the values of its batch; leave out <fields>, or request a new batch',
    'commit-there':
      'commit: the commit of the batch, <commit>, still exists; leave out commit, or request a new batch',
    'no-list': 'parameter: the runbook has no list of choices for parameter <parameter><hint>',
    required: '<option>: is required',
    'metadata-levels': [422, 'metadata: must not have more than <most> levels'],
    'metadata-fields': [422, hoopWords.tooManyMetadata],
    'metadata-length': [422, hoopWords.tooLongMetadata],
    'correlation-id-length': [422, hoopWords.tooLongCorrelationId],
    'correlation-id-characters': [422, hoopWords.unprintableCorrelationId],
    'list-option': [422, hoopWords.invalidListOption],
    'event-stream': [422, hoopWords.unknownEventStream],
    'time-zone': [422, 'time_zone: must be a name like Europe/Berlin'],
    from: [422, 'from: must be start or now'],
    'event-id': [
      422,
      '<name>: this session has no such event; leave <name> out to begin with the first event',
    ],
    number: [422, '<name>: must be a whole number, <most> at most'],
    'no-websocket': [422, 'this address is a WebSocket; open it with a WebSocket client'],
    redirect: [422, 'redirect: must be an address of the loopback, http://127.0.0.1:PORT'],
    challenge: [422, 'challenge: must be a SHA-256 in base64url'],
    budget: [422, 'budget: only a machine can have a budget'],
    password: [422, 'password: this gateway has no passwords; create a token with POST /api/tokens'],
    rename: [422, 'name: cannot be changed, because sessions are recorded under it'],
    'active-key': [422, 'cannot reactivate an active api key'],
    status: [422, 'wrong status value "<status>"'],
    'mcp-of-person': [
      422,
      'for: tokens for mcp belong to machines, and <user> is a person; create a machine first',
    ],
    'not-pausable': [
      422,
      'token <name> of <user> is not for mcp: only tokens for mcp can be paused; revoke it instead',
    ],
    'admin-group': [422, 'cannot delete admin group <name>'],
    'review-status': hoopWords.reviewNotUpdated('unknown status'),
    'second-window': hoopWords.reviewNotUpdated('time window can only be set once'),
    'window-of-terminal': hoopWords.reviewNotUpdated('time window is for scripts, not for terminals'),
    'half-window': hoopWords.halfTimeWindow,
    'window-time': hoopWords.invalidWindowTime,
  },
  'too-large': {
    script: `script, env_vars or client_args ${TOO_LARGE_PACKET}`,
    'script-of-batch': `script, arguments and variables of the connection ${TOO_LARGE_PACKET}`,
    'stored-request': 'the request is now too large, because the settings of the connection have changed',
    arguments: 'client_args that need an approval may have at most 64 KiB',
    connections: 'connections: must be at most <most> in a batch, got <count>',
    elements: 'request body: must not have more than <most> elements',
    body: [413, 'request body: too large'],
    headers: [431, 'the headers are too large'],
  },
  'too-much-at-once': {
    sessions: '<count> of your sessions are running; wait until some of them end',
    'session-bytes':
      'the scripts and variables of your running sessions have more than 128 MiB together; wait until some of the sessions end',
    history: '<reason>; wait until some of them end',
    reviews: '<count> of your requests wait for an approval or for their run; wait until some of them end',
    calls: '<count> calls of this token are running; wait until some of them end',
    'machine-reviews':
      'nothing has run: <count> requests of <name> wait for people already; tell the user, or withdraw one with stop',
    batches: '<count> of your batches are running or waiting for approval; wait until some of them end',
    work: '<whose> searches, comparisons and checks of scripts run or wait already; try again when they have ended',
    lists:
      'too many lists of choices are read at this moment: at most <most>, and <mostOfOneUser> per user; try again later',
    jira: 'Jira is slow, and too many executions wait for their Jira issues: try again later',
    backup: 'another backup is being made; try again later',
    changes: '<name> has made too many changes in ten minutes: try again later',
    answers: 'this user waits for the answers to <places> other reading requests: try again later',
    'unread-answers': 'this user has not read the answers to earlier requests: try again later',
    'sign-ins': 'too many sign-ins at once: try again in a minute',
    'waiting-sign-ins': 'too many sign-ins wait already: try again in some minutes',
    'sign-in-codes': 'too many wrong codes: try again in a minute',
    'sign-in-polls': 'too many requests: wait a few seconds between two requests',
  },
  'gateway-stopped': {
    shutdown: hoopWords.gatewayShutdown,
    schedule: 'the gateway is stopping: nothing has run',
  },
  'gateway-draining':
    'the gateway is stopping and accepts no new work; nothing has run; try again when the gateway is back',
  'internal-error': 'internal error',
  'connection-not-found': {
    any: hoopWords.connectionNotFound,
    'in-list': hoopWords.notFound,
    session: [400, hoopWords.namedConnectionNotFound],
    tags: 'no connection that you may use has these tags',
    batch: 'connection not found, or <owner> has no access to the connection',
  },
  'client-input-refused': {
    now: 'connection <name> accepts no client_args or env_vars (access.client-input)',
    'no-longer': 'connection <name> no longer accepts client_args or env_vars (access.client-input)',
    batch: 'the connection accepts neither client_args nor env_vars (access.client-input)',
  },
  'reason-missing':
    "a reason is missing: connection <name> runs nothing without one; send reason, or use --reason (hoop's command line cannot send a reason)",
  'too-many-clients': {
    streams:
      'too many streams: this gateway serves at most <most> streams of <what> at once; close some streams first',
    reserved:
      'too many streams: the last <count> streams of <what> are reserved for users with fewer than <few> streams; close some streams first',
    'streams-of-user':
      'too many streams: this gateway serves at most <most> streams of <what> per user at once; close some streams first',
  },
  'lock-busy': {
    all: 'too many sessions wait for the lock (limit <most>): <obstacle>',
    user: 'too many sessions of <user> wait for the lock (limit <most>): <obstacle>',
  },
  'runbooks-not-configured': {
    connection: hoopWords.runbooksNotEnabled,
    list: [404, hoopWords.runbooksNotHere],
    plugin: [404, hoopWords.noRunbooksPlugin],
    repositories: [404, hoopWords.noRunbookConfiguration],
  },
  'runbook-not-found': hoopWords.runbookNotFound,
  'invalid-runbook': {
    template: '<problem>',
    first: '<file> cannot run: its first runbook <first> names a first one itself, <second>',
  },
  'invalid-parameters': '<problem>',
  'choice-gone': {
    value:
      'nothing has run: the value of parameter <parameter> is not in the list <place>; <hint> (session <session>)',
    batch: BATCH_REFUSES,
  },
  'choices-failed': {
    list: 'cannot read the choices of <list>: <reason>',
    session: 'cannot read the choices of <list>: <reason> (session <session>)',
    batch: BATCH_REFUSES,
  },
  'repository-not-found': hoopWords.repositoryNotFound,
  'repository-failed': {
    unset: 'the runbook repository of this connection is not configured',
    all: [422, '<reasons>'],
  },
  'rule-not-found': hoopWords.ruleNotFound,
  'first-missing': {
    alone:
      '<by> cannot run <file>: a person has to look at the output of <first> first; request <file> for one connection',
    once: 'nothing has run: <file> runs only after <first>; send first: "run" (--first run) to run that one, look at its output, then send first: "ID" (--first ID) with the id of its session',
  },
  'first-void': {
    none: 'nothing has run: <file> names no first runbook at this commit; leave out first (--first)',
    moved:
      'nothing has run: the settings of connection <name> have changed since the request, so a dry run no longer shows what the second run would do; request the first run again (first: "run", --first run)',
    other: `nothing has run: the first run <id> does not count for this request: <reason>; ${RUN_FIRST_AGAIN}`,
  },
  'first-unfinished': 'the first run <id> has not ended: <state>',
  'first-failed': {
    'never-began': `the first run <id> did not begin: <state>; ${RUN_FIRST_AGAIN}`,
    failed: `the first run <id> did not succeed: <state>; look at its output, and ${RUN_FIRST_AGAIN}, or request <file> in spite of it with despite_first: true (--despite-first)`,
  },
  'review-not-found': {
    review: hoopWords.reviewNotFound,
    session: hoopWords.reviewedSessionNotFound,
    resource: hoopWords.resourceNotFound,
  },
  'review-wrong-state': {
    decided: hoopWords.reviewInWrongState,
    undecided: 'nobody has decided in time: the request has expired',
    incomplete:
      'a part of this review was lost in a repair of the history, so approvers cannot see the whole request; reject it, and ask for it again',
    'not-approved': [403, hoopWords.notApproved],
    expired: [403, 'nothing has run: the request was approved, but not run in time; request the run again'],
    'approver-gone': [
      403,
      'nothing has run: the approval of <names> no longer counts, because approvers must still be active users; the request waits for approval again',
    ],
    batch: [
      403,
      'this approval is for batch <id>; run the batch with runbook-agent batches exec <id> (POST /api/batches/<id>/exec)',
    ],
    'other-connections': [
      403,
      'nothing has run: the connections of the batch differ from the approved connections; request the batch again',
    ],
    unreadable: [
      403,
      'nothing has run: cannot read the stored request of session <session>: <reason>; request the run again',
    ],
  },
  'not-eligible': { other: hoopWords.notEligible, own: hoopWords.selfApproval },
  'already-processing': hoopWords.alreadyProcessed,
  'outside-time-window': hoopWords.outsideWindow,
  'batch-refused': BATCH_REFUSES,
  'batch-not-found': 'batch not found',
  'batch-wrong-state': {
    'not-waiting': 'batch <id> does not wait for its run: its status is <status>',
    'before-end': 'batch <id> cannot be retried before its end: its status is <status>',
    unsaved: 'batch <id> cannot be retried before its end is recorded; try again later',
    old: 'batch <id> was requested from an older version, which did not record whether it had variables; request a new batch',
    'nothing-to-retry':
      'batch <id> has no run that failed or never began; name connections whose runs may have had an effect',
  },
  'batch-retried':
    'batch <id> was retried already, as batch <retriedBy>; to run connections of that batch again, retry that batch',
  'values-missing': 'nothing has run: these values are not recorded, send them again: <names>',
  'commit-gone':
    'nothing has run: commit <commit> of the batch is gone from the branch; to run the present commit instead, look at the difference and name commit <present>',
  'invalid-jira-fields': hoopWords.jiraFieldsMissing('<fields>'),
  'jira-failed': hoopWords.jiraFailed('<reason>'),
  'jira-template-not-found': hoopWords.resourceNotFound,
  'schedule-not-found': 'schedule <name> not found',
  'schedule-busy': 'schedule <name> cannot run twice at the same time: <obstacle>',
  'sign-in-refused': {
    'user-of-another': 'user <name> exists already and belongs to another account: ask an admin',
    deactivated: '<name> was deactivated: ask an admin',
    full: 'this gateway has the maximum number of users: ask an admin',
    'earlier-user': 'sessions of an earlier user are recorded under <name>: ask an admin',
    'no-name': 'the provider sends no <claim>: ask an admin',
    'unusable-name': "the provider's <claim> cannot be the name of a user in this gateway: ask an admin",
    account: 'the provider sends no usable account (sub): ask an admin',
    'not-allowed': '<name> may not sign in here: ask an admin',
    'unverified-email':
      'the provider has not verified your email address: verify it there, then sign in again',
    'in-browser': 'the sign-in was refused in the browser',
  },
  'sign-in-expired': {
    code: 'the code is wrong or has expired after ten minutes: start again',
    'decided-code': 'the code has expired after ten minutes, or was used already: start again',
    ended: 'the sign-in has ended: start again',
    'one-time-code': 'the sign-in has ended or belongs to another command line: start again',
    link: 'this link was used, or is older than two minutes: press Enter where `npm start` runs to get a new link, or sign in with the token (`npm start` shows its file)',
    unknown: 'the sign-in is unknown, expired or used already: start again',
    'other-browser': 'this sign-in was started in another browser: start again in this browser',
  },
  'sign-in-failed': {
    answer:
      'no usable answer from the sign-in provider: ask an admin; the reason is in the log of the gateway',
    'no-id-token': 'the provider has sent no id token',
  },
  'sign-in-again':
    'this browser signed in more than <minutes> minutes ago: sign in again to change users and tokens',
  'webhook-not-found': 'webhook <name> not found',
  'session-not-found': {
    session: hoopWords.sessionNotFound,
    resource: hoopWords.notFound,
    machine: 'session_id: no run of this machine has this id; runs lists them',
  },
  'download-expired': hoopWords.downloadExpired,
  'endpoint-not-found': {
    any: 'no such endpoint: <endpoint>',
    none: 'no such endpoint',
    'long-name': 'no such endpoint: a name in the path is too long',
    connect: 'no such endpoint: CONNECT (this gateway is not a proxy)',
    examples: 'this gateway has no examples',
    mcp: 'no such endpoint: /mcp (gateway.yaml has no mcp)',
  },
  'malformed-http': {
    request: 'malformed HTTP request',
    'request-with-reason': 'malformed HTTP request: <reason>',
    host: 'Host: is required',
    path: 'path: is not valid URL encoding',
    'content-type': [415, 'Content-Type: is malformed'],
    'not-json': [415, 'Content-Type: must be application/json'],
    'content-length': 'Content-Length: is not the length of the body',
    expect: [417, 'Expect: only 100-continue is supported'],
    http2: 'this address speaks HTTP/1.1, not HTTP/2: gRPC is served on listen.grpc',
  },
  'request-timeout': 'the request was not received in time',
  'foreign-page': {
    host: 'access denied: Host: is no name of this gateway; set listen.public-url, or add the name to listen.hosts',
    site: 'access denied: the request comes from a page of another address',
    header: 'access denied: a request that changes something needs the header <header>: 1',
    origin:
      'access denied: Origin: is not the address of this gateway (behind a proxy, set listen.public-url)',
  },
  'budget-spent': '<name> has used up its budget of <what> in <span>: try again after <time>',
  'token-ended': {
    answer: '<reason> before this request was answered; the work that the request started continues',
    tool: 'nothing has run: <reason>',
    run: 'nothing has run: <withdrawal> after the request; <user> has to start the run',
  },
  'not-yourself': {
    deactivate: 'cannot deactivate yourself',
    budget: 'a machine does not change its own budget',
    delete: 'cannot delete yourself',
  },
  'user-not-found': { named: 'user <name> not found', resource: hoopWords.resourceNotFound },
  'group-not-found': 'group <name> not found',
  'token-not-found': 'token not found',
  'name-taken': {
    token: '<user> has a token named <name> already',
    user: 'user already exists with email <name>',
    group: 'group <name> already exists',
    account:
      'the name <user> belongs to an account of the sign-in provider, too: delete user <user> first; user <user> of gateway.yaml stays',
    'earlier-user':
      'sessions of an earlier user are recorded under <name>: use another name, or take the sessions over (take_over)',
  },
  'declared-in-settings': {
    user: 'user <name> is set in gateway.yaml: change it there',
    group: 'group <name> is set in gateway.yaml for <user>: change it there',
    token: 'token <name> of <user> is set in gateway.yaml: change it there',
  },
  'too-many-tokens': {
    user: '<user> has <most> tokens already: revoke a token first',
    users: 'this gateway has the maximum of <most> users: delete some users first',
  },
  'not-rotatable': {
    'sign-in': 'token <name> was created by a sign-in: sign in again instead',
    rotated: 'token <name> of <user> was rotated already: rotate the new token (<replacedBy>)',
    ended: '<reason>: create a new token for <user>',
  },
  'invalid-settings': '<problems>',
  'settings-changed':
    'nothing was reloaded: the settings or the file have changed since the preview; look at the changes again',
  'agent-not-found': hoopWords.agentNotFound,
  'plugin-not-found': hoopWords.pluginNotFound,
} as const satisfies {
  readonly [C in HttpCode]?: Row<C> | Readonly<Record<string, Row<C>>>
}
