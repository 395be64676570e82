/** The codes of the gateway in the order of the page: what people read with each (`...` is anything), and what to do. */
export const CODES = {
  any: {
    unauthenticated: {
      text: '`invalid authentication`; `access denied`; `invalid credentials`',
      advice: 'get a token from the owner of the gateway, then `runbook-agent login`',
    },
    'too-many-failed-sign-ins': {
      text: '`too many failed sign-ins from this address: try again in ... s`',
      advice:
        'wait for the time in `Retry-After`, and find out which program sends wrong tokens: `audit list --action sign-in`',
    },
    'not-permitted': {
      text: '`access denied`; `... is disabled for this connection`; `user is not allowed to run this runbook on this connection`',
      advice: 'ask an admin, who can allow it in gateway.yaml (`access`, groups), or use another connection',
    },
    'invalid-request': {
      text: 'names the field, the option or the packet',
      advice: 'correct the field, the option or the packet that the text names',
    },
    'too-large': {
      text: '`... are too large: one packet to the agent may have at most 17 MiB`; `request body: ...`; `the headers are too large`',
      advice: 'send less, or raise `limits.body` in gateway.yaml',
    },
    'too-much-at-once': {
      text: '`...; wait until some of them end`; `...: try again later`; `another backup is being made; ...`',
      advice:
        'wait until some of your sessions or requests have ended, or until the other backup is made; read the answers to your requests',
    },
    'gateway-stopped': {
      text: '`gateway shutdown`; `the gateway is stopping: nothing has run`',
      advice: 'try again when the gateway is back; what has run is in the history',
    },
    'gateway-draining': {
      text: '`the gateway is stopping and accepts no new work; nothing has run; try again when the gateway is back`',
      advice: 'nothing has run: ask again after the time in `Retry-After`',
    },
    'history-no-room': {
      text: "`the session couldn't be created: session history ...`",
      advice: "free disk space on the gateway's machine: the text names the file",
    },
    'history-failed': { text: '`session history ...`', advice: 'do what the text says: it names the file' },
    'internal-error': {
      text: '`internal error`',
      advice: "this is a bug: report it, with the gateway's log",
    },
  },
  sessions: {
    'connection-not-found': {
      text: '`connection not found`; `connection ... not found`',
      advice: 'check the name: `GET /api/connections` lists what you may see',
    },
    'client-input-refused': {
      text: '`... accepts no client_args or env_vars (access.client-input)`; `connect accepts no arguments or variables on this connection (access.client-input)`',
      advice: 'leave out arguments and variables, or set `access.client-input: true`',
    },
    'reason-missing': {
      text: '`a reason is missing: connection ... runs nothing without one; ...`',
      advice: 'nothing has run: say why, with `reason` or `--reason`; see [reasons](gateway.md#reasons)',
    },
    'not-served': {
      text: '`this gateway serves no native connections ...`; `this gateway serves the verbs exec and connect`; `... is of type tcp and cannot run scripts: ...`; `this session runs a script or a terminal ...`',
      advice: 'use `exec` or `connect` as the text says, or a connection of another type',
    },
    'too-many-clients': {
      text: '`too many clients: this gateway serves at most ...`; `too many clients wait for approval: ...`; `too many streams: ...`; `a session serves ... native clients at once`',
      advice: 'end some of yours, or try again when others have ended',
    },
    'opening-timeout': {
      text: '`the session was not opened within 30 s`',
      advice: 'the client or its network is too slow: try again',
    },
    'client-not-reading': {
      text: '`the client does not read: ...`; `clients do not read: ...`',
      advice: 'read the output, or send it to a file; update an agent that does not pause',
    },
    'client-left': { text: '`the client has left...`', advice: 'do nothing: the code is for the record' },
    'agent-offline': { text: '`agent is offline`', advice: "nothing has run: start the connection's agent" },
    'agent-silent': {
      text: '`the agent did not open the session within 60 s`',
      advice: "read the agent's log",
    },
    'agent-lost': {
      text: '`agent has disconnected`; `EOF`',
      advice: "read in the agent's journal how the command ended",
    },
    'session-killed': {
      text: '`session killed by the user: ...`',
      advice: 'a user ended the session with `sessions kill`: ask that user',
    },
    'session-expired': {
      text: '`reached max timeout (48h0m0s) waiting for session to end`',
      advice: 'no session lasts longer than 48 hours: split the work',
    },
    'lock-busy': {
      text: '`too many sessions wait for the lock (limit 100): lock ... is held by session ... of ... since ...`; `nothing has run: the session waited too long for a lock; lock ...`',
      advice: 'wait for the session that has the lock, or end it; `GET /api/locks` shows who waits',
    },
    'schedule-not-found': {
      text: '`schedule ... not found`',
      advice: 'check the name: `runbook-agent schedules` lists those that you may see',
    },
    'schedule-busy': {
      text: '`schedule ... cannot run twice at the same time: ...`',
      advice: 'wait for its session, or end it',
    },
    'webhook-not-found': {
      text: '`webhook ... not found`',
      advice: 'check the name: `runbook-agent webhooks` lists them to admins and auditors',
    },
    'session-not-found': {
      text: '`session not found`; `not found`',
      advice:
        'check the id with `runbook-agent sessions list`, and [whose sessions you may see](who-may-do-what.md#who-may-see-whose-sessions)',
    },
    'download-expired': { text: '`session download link expired`', advice: 'ask for another link' },
    'agent-not-found': {
      text: '`agent not found`',
      advice: 'check the name with `runbook-agent agents list`; only admins and auditors see all agents',
    },
    'plugin-not-found': {
      text: '`plugin not found`',
      advice: "do nothing: this gateway has no plugins, the endpoint exists for hoop's command line",
    },
    'agent-certificate-refused': {
      text: '`this gateway requires a certificate from its agents ...`; `the certificate in tls.cert belongs to another agent: ...`',
      advice: 'only agents get this code: see [certificates of agents](gateway.md#certificates-of-agents)',
      isForAgents: true,
    },
    'agent-already-connected': {
      text: '`agent already connected`',
      advice: 'only agents get this code: give each agent a key of its own',
      isForAgents: true,
    },
    'gateway-superseded': {
      text: '`this gateway runs on an older copy of its state ...`',
      advice: 'only agents get this code: see [copies of a state](operating.md#copies-of-a-state)',
      isForAgents: true,
    },
  },
  runbooks: {
    'runbooks-not-configured': {
      text: '`plugin is not enabled for this connection`; `runbooks plugin does not have this connection`; `runbook configuration not found`; `plugin runbooks not found`',
      advice: 'give the connection a repository in gateway.yaml',
    },
    'runbook-not-found': {
      text: '`runbook file ... not found`; `runbook file ... not found on git repo`; `runbook file ... is not committed in ...`; `ref_hash ... not found in ...`',
      advice: 'check the name: `GET /api/runbooks` lists the runbooks; commit the file',
    },
    'invalid-runbook': {
      text: '`template: ...`; `runbook file ... is not valid UTF-8 text`; `max template size ...`',
      advice: 'correct the file; `runbook-agent runbooks lint` names the line',
    },
    'invalid-parameters': {
      text: '`the following inputs are missing [...]`; `parameter ... has to ...`; `template: ...`',
      advice: 'give the parameters that the runbook asks for',
    },
    'choice-gone': {
      text: '`nothing has run: the value of parameter ... is not in the list ...`',
      advice: 'choose one of the values of the list; the text names near ones, `session_id` has the list',
    },
    'choices-failed': {
      text: '`cannot read the choices of ...: ...`',
      advice: 'look at the session in `session_id`; without a list nothing runs',
    },
    'repository-not-found': {
      text: '`runbook repository config ... not found`',
      advice: 'leave out `repository`, or use one that `GET /api/runbooks` lists',
    },
    'repository-failed': {
      text: '`runbook repository ...`; `the runbook repository of this connection is not configured`; `failed listing runbooks for repo ...`',
      advice: "read in the text and in the gateway's log what git could not do",
    },
    'rule-not-found': {
      text: '`runbook rule not found`',
      advice: 'check the name: `GET /api/runbooks/rules` lists the rules',
    },
    'first-missing': {
      text: '`nothing has run: ... runs only after ...; ...`; `a batch cannot run ...: a person has to look at the output of ... first; ...`',
      advice:
        'run the first runbook, look at its output, then request this one; see [pairs of runbooks](pairs-of-runbooks.md)',
    },
    'first-void': {
      text: '`nothing has run: the first run ... does not count for this request: ...`; `nothing has run: ... names no first runbook at this commit; ...`',
      advice:
        'run the first runbook again with the values of this request; see [what counts](pairs-of-runbooks.md#what-counts-and-what-does-not)',
    },
    'first-unfinished': {
      text: '`the first run ... has not ended: ...`',
      advice: 'nothing has run: wait for the end of the first run, or for its approval',
    },
    'first-failed': {
      text: '`the first run ... did not succeed: ...`; `the first run ... did not begin: ...`',
      advice:
        'look at the output of the first run, and run it again, or go on in spite of it: `despite_first`, `--despite-first`',
    },
  },
  reviews: {
    'review-not-found': {
      text: '`review not found`; `resource not found`; `reviewed session not found`',
      advice: 'check the id: `GET /api/reviews` lists those that concern you',
    },
    'review-wrong-state': {
      text: '`review is in wrong state`; `review not approved or already executed`; `nothing has run: cannot read the stored request of session ...: ...`',
      advice: "look at the review's status; ask again if it has ended",
    },
    'not-eligible': {
      text: '`not eligible for review`; `unable to self approve review`',
      advice: "ask a member of the review's groups",
    },
    'already-processing': {
      text: '`the session ... is already being processed`',
      advice: 'do nothing: the session runs; `sessions follow` shows it',
    },
    'outside-time-window': {
      text: '`execution not allowed outside the time window ... to ... UTC`',
      advice: 'wait until the window opens',
    },
    'access-ended': {
      text: '`session ended, reached connection duration`; `Access to connection has been denied...`',
      advice: 'connect again; ask for a new approval if the old one is over',
    },
  },
  batches: {
    'batch-refused': {
      text: '`nothing has run, ... of ... connections refuse: ...`',
      advice:
        '`refusals` lists each connection with its code: correct the cause, or leave out the connection',
    },
    'batch-not-found': {
      text: '`batch not found`',
      advice: 'check the id: `GET /api/batches` lists those that concern you',
    },
    'batch-wrong-state': {
      text: '`batch ... does not wait for its run: ...`, `batch ... cannot be retried before its end: ...`',
      advice: 'look at the batch: it runs, or it has ended',
    },
    'batch-retried': {
      text: '`batch ... was retried already, as batch ...`',
      advice: 'look at that batch (`retried_by`); its connections can be retried there',
    },
    'values-missing': {
      text: '`nothing has run: these values are not recorded, send them again: ...`',
      advice: 'send what `missing` names: secret parameters, variables, arguments',
    },
    'commit-gone': {
      text: '`nothing has run: commit ... of the batch is gone from the branch; ...`',
      advice:
        'the branch was rewritten: look at `present.diff`, and send `present.commit` as `commit` to run the present commit',
    },
  },
  jira: {
    'invalid-jira-fields': {
      text: '`unable to parse fields, missing required fields: ["..."]`',
      advice: 'give the fields: `run --jira FIELD=VALUE`, or `jira_fields`',
    },
    'jira-failed': {
      text: '`failed creating jira customer request: ...`',
      advice: 'nothing has run: check Jira and `jira` in gateway.yaml, then try again',
    },
    'jira-template-not-found': {
      text: '`resource not found`',
      advice: 'check the name: `GET /api/integrations/jira/issuetemplates`',
    },
  },
  users: {
    'budget-spent': {
      text: '`... has used up its budget of ... in ...: try again after ...`',
      advice: 'wait until then, or raise the budget',
    },
    'token-ended': {
      text: '`the token was revoked...`; `the token expired at ...`; `the user was deactivated...`',
      advice:
        'sign in again. The token ended while it was used: what a request began goes on, a terminal has ended',
    },
    'not-yourself': {
      text: '`cannot deactivate yourself`; `cannot delete yourself`',
      advice: 'ask another admin',
    },
    'user-not-found': {
      text: '`user ... not found`',
      advice: 'check the name: `GET /api/users` lists the users',
    },
    'group-not-found': {
      text: '`group ... not found`',
      advice: 'check the name: `GET /api/users/groups` lists the groups',
    },
    'token-not-found': {
      text: '`token not found`',
      advice: 'check the id: `GET /api/tokens` lists yours; only admins and auditors see all',
    },
    'name-taken': {
      text: '`... has a token named ... already`; `user already exists with email ...`; `group ... already exists`',
      advice: 'choose another name',
    },
    'declared-in-settings': {
      text: '`... is set in gateway.yaml: change it there`',
      advice: 'change it in gateway.yaml',
    },
    'too-many-tokens': {
      text: '`... has 100 tokens already: revoke a token first`',
      advice: 'revoke tokens that nobody uses',
    },
    'not-rotatable': {
      text: '`token ... was rotated already: ...`; `token ... was created by a sign-in: ...`; `the token expired at ...`',
      advice: 'rotate the newer token, or create one',
    },
  },
  'sign-in': {
    'sign-in-refused': {
      text: '`... may not sign in here...`; `user ... exists already ...`; `the provider ...`; `... was deactivated...`',
      advice: 'ask the owner of the gateway [who may sign in](gateway.md#signing-in)',
    },
    'sign-in-expired': { text: '`... begin again`', advice: 'start the sign-in again' },
    'sign-in-failed': {
      text: '`no usable answer from the sign-in provider...`',
      advice: "read the reason in the gateway's log",
    },
  },
  http: {
    'endpoint-not-found': {
      text: '`no such endpoint: ...`; also for a name of more than 512 characters in the path',
      advice: 'see [which endpoints this gateway has](rest.md)',
    },
    'malformed-http': {
      text: '`malformed HTTP request...`; `Host: is required`; `path: ...`; `Content-Type: ...`; `Content-Length: ...`; `Expect: ...`; `this address speaks HTTP/1.1, not HTTP/2: ...`',
      advice: 'correct the client, or the proxy between the client and the gateway',
    },
    'settings-changed': {
      text: '`nothing was reloaded: the settings or the file have changed since the preview; ...`',
      advice: 'read `GET /api/settings/changes` again, and send its `version`',
    },
    'invalid-settings': {
      text: 'the problems of gateway.yaml, a line each',
      advice: 'correct the file and reload again; until then the previous settings count',
    },
    'request-timeout': { text: '`the request was not received in time`', advice: 'send the request faster' },
    'sign-in-again': {
      text: '`this browser signed in more than 10 minutes ago: ...`',
      advice: 'sign in again where the page asks for it, or use a token',
    },
    'foreign-page': {
      text: '`access denied: the request comes from a page of another address`; `access denied: a request that changes something needs the header ...`; `access denied: Origin: ...`',
      advice:
        'open the page at the address of this gateway; behind a proxy, set `listen.public-url` to the address that people open',
    },
  },
}
