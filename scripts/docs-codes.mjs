/**
 * The codes of the gateway in the order of the page, and what to do about each. Their texts are those of the table
 * of refusals; `also` has those of streams, of repositories and of the history (`...` is anything).
 */
export const CODES = {
  any: {
    unauthenticated: {
      also: '`invalid authentication`',
      advice: 'get a token from the owner of the gateway, then `runbook-agent login`',
    },
    'too-many-failed-sign-ins': {
      advice:
        'wait for the time in `Retry-After`, and find out which program sends wrong tokens: `audit list --action sign-in`',
    },
    'not-permitted': {
      advice: 'ask an admin, who can allow it in gateway.yaml (`access`, groups), or use another connection',
    },
    'invalid-request': {
      also: 'each names the field, the option or the packet',
      advice: 'correct the field, the option or the packet that the text names',
    },
    'too-large': { advice: 'send less, or raise `limits.body` in gateway.yaml' },
    'too-much-at-once': {
      advice:
        'wait until some of your sessions or requests have ended, or until the other backup is made; read the answers to your requests',
    },
    'gateway-stopped': { advice: 'try again when the gateway is back; what has run is in the history' },
    'gateway-draining': { advice: 'nothing has run: ask again after the time in `Retry-After`' },
    'history-no-room': {
      also: "`the session couldn't be created: session history ...`",
      advice: "free disk space on the gateway's machine: the text names the file",
    },
    'history-failed': { also: '`session history ...`', advice: 'do what the text says: it names the file' },
    'internal-error': { advice: "this is a bug: report it, with the gateway's log" },
  },
  sessions: {
    'connection-not-found': { advice: 'check the name: `GET /api/connections` lists what you may see' },
    'client-input-refused': {
      also: '`connect accepts no arguments or variables on this connection (access.client-input)`',
      advice: 'leave out arguments and variables, or set `access.client-input: true`',
    },
    'reason-missing': {
      advice: 'nothing has run: say why, with `reason` or `--reason`; see [reasons](gateway.md#reasons)',
    },
    'not-served': {
      also: '`this gateway serves no native connections ...`; `this gateway serves the verbs exec and connect`; `... is of type tcp and cannot run scripts: ...`; `this session runs a script or a terminal ...`',
      advice: 'use `exec` or `connect` as the text says, or a connection of another type',
    },
    'too-many-clients': {
      also: '`too many clients: this gateway serves at most ...`; `too many clients wait for approval: ...`; `a session serves ... native clients at once`',
      advice: 'end some of yours, or try again when others have ended',
    },
    'opening-timeout': {
      also: '`the session was not opened within 30 s`',
      advice: 'the client or its network is too slow: try again',
    },
    'client-not-reading': {
      also: '`the client does not read: ...`; `clients do not read: ...`',
      advice: 'read the output, or send it to a file; update an agent that does not pause',
    },
    'client-left': { also: '`the client has left...`', advice: 'do nothing: the code is for the record' },
    'agent-offline': { also: '`agent is offline`', advice: "nothing has run: start the connection's agent" },
    'agent-silent': {
      also: '`the agent did not open the session within 60 s`',
      advice: "read the agent's log",
    },
    'agent-lost': {
      also: '`agent has disconnected`; `EOF`',
      advice: "read in the agent's journal how the command ended",
    },
    'session-killed': {
      also: '`session killed by the user: ...`',
      advice: 'a user ended the session with `sessions kill`: ask that user',
    },
    'session-expired': {
      also: '`reached max timeout (48h0m0s) waiting for session to end`',
      advice: 'no session lasts longer than 48 hours: split the work',
    },
    'lock-busy': {
      also: '`nothing has run: the session waited too long for a lock; lock ...`',
      advice: 'wait for the session that has the lock, or end it; `GET /api/locks` shows who waits',
    },
    'schedule-not-found': {
      advice: 'check the name: `runbook-agent schedules` lists those that you may see',
    },
    'schedule-busy': { advice: 'wait for its session, or end it' },
    'webhook-not-found': {
      advice: 'check the name: `runbook-agent webhooks` lists them to admins and auditors',
    },
    'session-not-found': {
      advice:
        'check the id with `runbook-agent sessions list`, and [whose sessions you may see](who-may-do-what.md#who-may-see-whose-sessions)',
    },
    'download-expired': { advice: 'ask for another link' },
    'agent-not-found': {
      advice: 'check the name with `runbook-agent agents list`; only admins and auditors see all agents',
    },
    'plugin-not-found': {
      advice: "do nothing: this gateway has no plugins, the endpoint exists for hoop's command line",
    },
    'agent-certificate-refused': {
      also: '`this gateway requires a certificate from its agents ...`; `the certificate in tls.cert belongs to another agent: ...`',
      advice: 'only agents get this code: see [certificates of agents](gateway.md#certificates-of-agents)',
      isForAgents: true,
    },
    'agent-already-connected': {
      also: '`agent already connected`',
      advice: 'only agents get this code: give each agent a key of its own',
      isForAgents: true,
    },
    'gateway-superseded': {
      also: '`this gateway runs on an older copy of its state ...`',
      advice: 'only agents get this code: see [copies of a state](operating.md#copies-of-a-state)',
      isForAgents: true,
    },
  },
  runbooks: {
    'runbooks-not-configured': { advice: 'give the connection a repository in gateway.yaml' },
    'runbook-not-found': {
      also: '`runbook file ... not found on git repo`; `runbook file ... is not committed in ...`; `ref_hash ... not found in ...`',
      advice: 'check the name: `GET /api/runbooks` lists the runbooks; commit the file',
    },
    'invalid-runbook': {
      also: '`template: ...`; `runbook file ... is not valid UTF-8 text`; `max template size ...`',
      advice: 'correct the file; `runbook-agent runbooks lint` names the line',
    },
    'invalid-parameters': {
      also: '`the following inputs are missing [...]`; `parameter ... has to ...`; `template: ...`',
      advice: 'give the parameters that the runbook asks for',
    },
    'choice-gone': {
      advice: 'choose one of the values of the list; the text names near ones, `session_id` has the list',
    },
    'choices-failed': { advice: 'look at the session in `session_id`; without a list nothing runs' },
    'repository-not-found': { advice: 'leave out `repository`, or use one that `GET /api/runbooks` lists' },
    'repository-failed': {
      also: '`runbook repository ...`; `failed listing runbooks for repo ...`',
      advice: "read in the text and in the gateway's log what git could not do",
    },
    'rule-not-found': { advice: 'check the name: `GET /api/runbooks/rules` lists the rules' },
    'first-missing': {
      advice:
        'run the first runbook, look at its output, then request this one; see [pairs of runbooks](pairs-of-runbooks.md)',
    },
    'first-void': {
      advice:
        'run the first runbook again with the values of this request; see [what counts](pairs-of-runbooks.md#what-counts-and-what-does-not)',
    },
    'first-unfinished': { advice: 'nothing has run: wait for the end of the first run, or for its approval' },
    'first-failed': {
      advice:
        'look at the output of the first run, and run it again, or go on in spite of it: `despite_first`, `--despite-first`',
    },
  },
  reviews: {
    'review-not-found': { advice: 'check the id: `GET /api/reviews` lists those that concern you' },
    'review-wrong-state': { advice: "look at the review's status; ask again if it has ended" },
    'not-eligible': { advice: "ask a member of the review's groups" },
    'already-processing': { advice: 'do nothing: the session runs; `sessions follow` shows it' },
    'outside-time-window': { advice: 'wait until the window opens' },
    'access-ended': {
      also: '`session ended, reached connection duration`; `Access to connection has been denied...`',
      advice: 'connect again; ask for a new approval if the old one is over',
    },
  },
  batches: {
    'batch-refused': {
      advice:
        '`refusals` lists each connection with its code: correct the cause, or leave out the connection',
    },
    'batch-not-found': { advice: 'check the id: `GET /api/batches` lists those that concern you' },
    'batch-wrong-state': { advice: 'look at the batch: it runs, or it has ended' },
    'batch-retried': { advice: 'look at that batch (`retried_by`); its connections can be retried there' },
    'values-missing': { advice: 'send what `missing` names: secret parameters, variables, arguments' },
    'commit-gone': {
      advice:
        'the branch was rewritten: look at `present.diff`, and send `present.commit` as `commit` to run the present commit',
    },
  },
  jira: {
    'invalid-jira-fields': { advice: 'give the fields: `run --jira FIELD=VALUE`, or `jira_fields`' },
    'jira-failed': { advice: 'nothing has run: check Jira and `jira` in gateway.yaml, then try again' },
    'jira-template-not-found': { advice: 'check the name: `GET /api/integrations/jira/issuetemplates`' },
  },
  users: {
    'budget-spent': { advice: 'wait until then, or raise the budget' },
    'token-ended': {
      also: '`the token was revoked...`; `the token expired at ...`; `the user was deactivated...`',
      advice:
        'sign in again. The token ended while it was used: what a request began goes on, a terminal has ended',
    },
    'not-yourself': { advice: 'ask another admin' },
    'user-not-found': { advice: 'check the name: `GET /api/users` lists the users' },
    'group-not-found': { advice: 'check the name: `GET /api/users/groups` lists the groups' },
    'token-not-found': {
      advice: 'check the id: `GET /api/tokens` lists yours; only admins and auditors see all',
    },
    'name-taken': { advice: 'choose another name' },
    'declared-in-settings': { advice: 'change it in gateway.yaml' },
    'too-many-tokens': { advice: 'revoke tokens that nobody uses' },
    'not-rotatable': { advice: 'rotate the newer token, or create one' },
  },
  'sign-in': {
    'sign-in-refused': { advice: 'ask the owner of the gateway [who may sign in](gateway.md#signing-in)' },
    'sign-in-expired': { advice: 'start the sign-in again' },
    'sign-in-failed': { advice: "read the reason in the gateway's log" },
  },
  http: {
    'endpoint-not-found': { advice: 'see [which endpoints this gateway has](rest.md)' },
    'malformed-http': { advice: 'correct the client, or the proxy between the client and the gateway' },
    'settings-changed': { advice: 'read `GET /api/settings/changes` again, and send its `version`' },
    'invalid-settings': {
      also: 'the problems of gateway.yaml, a line each',
      advice: 'correct the file and reload again; until then the previous settings count',
    },
    'request-timeout': { advice: 'send the request faster' },
    'sign-in-again': { advice: 'sign in again where the page asks for it, or use a token' },
    'foreign-page': {
      advice:
        'open the page at the address of this gateway; behind a proxy, set `listen.public-url` to the address that people open',
    },
  },
}

/** Codes with more texts than this have a list of them below the table. */
const MAX_TEXTS_IN_CELL = 10

/** @param built loads a module of `dist` */
export function codeRows(codes, built) {
  const { STATUSES } = built('./wire/gateway-codes.js')
  return Object.entries(codes).map(([code, { also, advice, isForAgents = false }]) => {
    const { grpc, http } = STATUSES[code] ?? {}
    const texts = textsOf(code, built)
    const own = hasLongList(code, built) ? [`[${texts.length} texts](#texts-of-${code})`] : texts
    return [
      code,
      grpc ?? '-',
      grpc === undefined || isForAgents ? '-' : exitOfSession(code, built),
      http?.join(', ') ?? '-',
      http === undefined ? '-' : exitOfRequest(code, built),
      [...own, also].filter((text) => text !== undefined).join('; '),
      advice,
    ]
  })
}

export function hasLongList(code, built) {
  return textsOf(code, built).length > MAX_TEXTS_IN_CELL
}

export function textsList(code, built) {
  return textsOf(code, built)
    .map((text) => `- ${text}`)
    .join('\n')
}

/** Leaves out rows that only pass a text on. */
function textsOf(code, built) {
  const { ROWS } = built('./gateway/refusals/request-refused.js')
  const texts = [...ROWS.values()]
    .filter((row) => row.code === code)
    .map(({ text }) => text.replaceAll(/(<\w+>)+/g, '...'))
    .filter((text) => /\w/.test(text))
  return [...new Set(texts)].map((text) => (text.includes('`') ? `\`\` ${text} \`\`` : `\`${text}\``))
}

function exitOfSession(code, built) {
  const { explanation } = built('./commands/client/report/ending.js')
  const { reasonOfCode } = built('./client/running/session-end.js')
  const subject = { verb: 'exec', connection: 'bash', address: 'gateway', sessionId: undefined }
  return String(explanation({ kind: reasonOfCode(code), message: '' }, subject).exitCode)
}

function exitOfRequest(code, built) {
  const { ApiError } = built('./client/rest/api-error.js')
  const { kindOfCode } = built('./client/rest/json.js')
  const { clientFailure } = built('./commands/client/report/failures.js')
  return String(clientFailure(new ApiError(kindOfCode(code), ''), '').exitCode)
}
