import * as v from 'valibot'
import { parseAddress, proxyNetwork } from '../../basics/net/address.ts'
import { hasCredentials } from '../../basics/net/url-credentials.ts'
import {
  about,
  choice,
  list,
  map,
  matching,
  parsed,
  duration,
  size,
  entries,
  entryName,
  truth,
} from '../../basics/settings/shapes.ts'
import { RECORDED_BYTES } from '../../contract/executions.ts'
import { LockShape, RunbookPattern } from './locks.ts'
import { McpShape } from './mcp.ts'
import { MaskingShape } from './masking-shape.ts'
import { checkBranch, parseRemote } from './repositories.ts'
import { reasonNeed, ReviewShape, RunbookReviewShape } from './reviews.ts'
import { SchedulesShape } from './schedules.ts'
import { JiraShape } from './jira.ts'
import { SignInShape } from './oidc.ts'
import { TAG_KEY, TAG_VALUE } from './connections.ts'
import { UserShape } from './users.ts'
import { WebhooksShape } from './webhooks.ts'
import { Name, Count, SecretHash, TextLine } from './words.ts'

const HistoryShape = map({
  retain: about('how long sessions are kept after their end', v.nullish(duration('1m', '36500d'), '30d')),
  'audit-retain': about(
    'how long entries of the audit log are kept',
    v.nullish(duration('1d', '36500d'), '400d'),
  ),
  size: about(
    'maximum size of the history on the disk; above that size the gateway deletes old finished sessions',
    v.nullish(size('64MiB', '1048576GiB'), '10GiB'),
  ),
})

/** Limits for one connection, which replace the limits of `HistoryShape`. */
const KeptShape = map({
  retain: about(
    'how long sessions of this connection are kept after their end (default: history.retain)',
    v.nullish(duration('1m', '36500d')),
  ),
  size: about(
    'maximum size of the sessions of this connection; above that size the gateway deletes the oldest finished sessions of the connection (default: no limit except history.size)',
    v.nullish(size('1MiB', '1048576GiB')),
  ),
})

// The shape of gateway.yaml. Every scalar arrives as a text, and null is an empty value. Messages never quote
// a value: it may be a secret.

const Word = matching(/^[^\0]*$/, `a string ('' for an empty one) without NUL characters`)
const FilePath = matching(/^[^\0]+$/, 'a path')
const TagKey = entryName(TAG_KEY, 'a key of 1 to 64 letters, digits and _ . / -')
const TagValue = matching(TAG_VALUE, 'a value of 1 to 128 letters, digits, spaces and _ . / + @ : -')
const VARIABLE = '[A-Za-z_][A-Za-z0-9_]*'
const VariableName = entryName(new RegExp(`^${VARIABLE}$`), 'a name of letters, digits and underscores')
const SecretName = entryName(
  new RegExp(`^((envvar|filesystem):)?${VARIABLE}$`),
  'NAME, or in the form of hoop envvar:NAME or filesystem:NAME',
)

const ProxyNetwork = parsed(
  proxyNetwork,
  'an address or a network like 10.0.0.7 or 10.1.0.0/16, but not all addresses (/0),',
)

const ServerAddress = parsed(parseAddress, 'host:port, like 127.0.0.1:8009 or [::1]:8009,')

/** Returns false if `check` throws. The error is not shown, because it quotes the value. */
function passes(check: () => unknown): boolean {
  try {
    check()
    return true
  } catch {
    return false
  }
}

/** A local path must begin with `.` or `/`, because a plain word may be a misplaced secret. */
function isRepository(url: string): boolean {
  return (
    passes(() => parseRemote(url)) &&
    (parseRemote(url).kind !== 'local' || /^(\.{0,2}(\/|$)|file:)/i.test(url))
  )
}

const RepositoryUrl = parsed(
  (url) => (isRepository(url) ? url : undefined),
  'a path that begins with ./ or ../ or /, a url (https, ssh) or user@host:path',
)
const BranchName = parsed(
  (branch) => (passes(() => checkBranch(branch)) ? branch : undefined),
  'the name of a branch',
)
const RunbooksPath = parsed((path) => {
  const isInside = !path.startsWith('/') && !path.split('/').includes('..')
  return isInside && !/[\p{Cc}\\]/u.test(path) ? path.replace(/^(\.\/+)+|^\.$/, '') : undefined
}, 'a path inside the repository, without a leading slash or ..,')

const PublicUrl = parsed((written) => {
  const url = URL.canParse(written) ? new URL(written) : undefined
  const isWeb = url?.protocol === 'https:' || url?.protocol === 'http:'
  const isPlain = url !== undefined && !hasCredentials(url) && url.search === '' && url.hash === ''
  return isWeb && isPlain ? url.href.replace(/\/+$/, '') : undefined
}, 'a url that begins with http:// or https://, without a password,')

const HostName = matching(
  /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$/,
  'a host name without a port',
)

const ListenShape = map({
  http: about(
    'address of the REST interface; port 0 means any free port',
    v.nullish(ServerAddress, '127.0.0.1:8009'),
  ),
  grpc: about(
    'address of the gRPC interface for agents and command lines; port 0 means any free port',
    v.nullish(ServerAddress, '127.0.0.1:8010'),
  ),
  'public-url': about(
    'address at which people reach the REST interface; used in links (default: listen.http)',
    v.nullish(PublicUrl),
  ),
  hosts: about(
    'further names by which the REST interface is reached; by other names, except IP addresses, names of private networks, the public-url and the names of the certificate, requests are refused',
    v.nullish(list(HostName, 'names'), []),
  ),
  tls: about(
    'TLS for listen.http and listen.grpc; the gateway reads the files again when they change',
    v.nullish(
      map({
        certificate: about('path of a PEM file with the certificate and its chain', FilePath),
        key: about(
          'path of a PEM file with the private key of the certificate, without a passphrase',
          FilePath,
        ),
        'agent-ca': about(
          'path of a PEM file with the authorities that sign certificates of agents (default: agents need no certificate)',
          v.nullish(FilePath),
        ),
      }),
    ),
  ),
  metrics: about(
    'address of /metrics, /healthz and /readyz, which need neither a token nor TLS (default: no such address)',
    v.nullish(ServerAddress),
  ),
  'trusted-proxies': about(
    'addresses and networks of the proxies whose `X-Forwarded-For` is trusted to name the caller (default: no proxy is trusted)',
    v.nullish(list(ProxyNetwork, 'addresses or networks'), []),
  ),
  'allow-remote': about(
    'whether the gateway may listen on addresses other than the loopback without TLS',
    v.nullish(truth, 'false'),
  ),
})

const AgentShape = map({
  name: about('name of the agent, as in its key grpc://NAME:KEY@HOST:PORT?mode=standard', Name),
  key: about(
    "secret part of the agent's key, or the hash of this secret; a reference such as file://agent.key is safer than the secret itself",
    SecretHash,
  ),
})

const RepositoryShape = map({
  name: about('name of the repository, which connections[].runbooks.repository refers to', Name),
  url: about('address from which git fetches the repository', RepositoryUrl),
  branch: about("branch that contains the runbooks (default: the remote's HEAD)", v.nullish(BranchName)),
  refresh: about(
    'how long the gateway uses its copy of a remote repository before it fetches again (default: 10s)',
    v.nullish(duration('0s', '20d')),
  ),
})

/** As in hoop's gateway, an empty member counts as missing. */
export const RuleShape = map({
  type: about(
    'kind of the rule: deny_words_list forbids words, pattern_match forbids a pattern',
    choice({ deny_words_list: 'deny_words_list', pattern_match: 'pattern_match' }),
  ),
  words: about(
    'for deny_words_list: texts that must not occur, compared byte by byte',
    v.nullish(list(matching(/^[^]+$/, 'a string that is not empty'), 'strings'), []),
  ),
  pattern_regex: about(
    'for pattern_match: a regular expression of RE2 that must not match',
    v.nullish(Word, ''),
  ),
  message: about('text that is shown to a user who breaks the rule', v.nullish(TextLine, '')),
})

const GuardrailShape = map({
  name: about('name of the guardrail, which connections[].guardrails refers to', Name),
  input: about('rules for scripts and arguments', v.nullish(list(RuleShape, 'rules'), [])),
  'input-file': about(
    'path of a YAML or JSON file with further rules for scripts and arguments',
    v.nullish(FilePath),
  ),
  output: about('rules for the output of a command', v.nullish(list(RuleShape, 'rules'), [])),
  'output-file': about(
    'path of a YAML or JSON file with further rules for the output of commands',
    v.nullish(FilePath),
  ),
})

const AccessShape = map({
  runbooks: about('whether users may run runbooks', v.nullish(truth, 'true')),
  exec: about(
    'whether users may run their own scripts (default: true; required if only runbooks need approval)',
    v.nullish(truth),
  ),
  connect: about(
    'whether users may open terminals and ports (default: the value of exec; required if only runbooks need approval and exec is true)',
    v.nullish(truth),
  ),
  schema: about(
    'whether the page shows the tables of a PostgreSQL or MySQL database to users who may run scripts without approval',
    v.nullish(truth, 'true'),
  ),
  'client-input': about(
    'whether callers may add arguments and variables of their own (default: the value of exec)',
    v.nullish(truth),
  ),
  'client-escapes': about(
    "whether scripts may use commands of the database's client that start a shell or read files of the agent's machine (default: block for databases where neither exec nor connect is allowed, otherwise allow)",
    v.nullish(choice({ block: 'block', allow: 'allow' })),
  ),
  groups: about(
    'groups whose members may see and use the connection (default: all users)',
    v.nullish(v.pipe(list(Name, 'group names'), v.minLength(1, 'at least one group is expected'))),
  ),
})

const ConnectionShape = map({
  name: about('name of the connection', Name),
  agent: about('name of the agent that runs the commands of the connection', Name),
  type: about(
    'type of the connection; the agent gets one type made from type and subtype, for example postgres from the type database and the subtype postgres',
    v.nullish(Name, 'custom'),
  ),
  subtype: about('second part of the type, for example postgres for the type database', v.nullish(Name)),
  tags: about(
    'tags of the connection by which it can be selected in searches and batches, such as env: prod',
    entries(TagKey, TagValue, 'shown'),
  ),
  command: about(
    'program and arguments, without a shell; the agent replaces $NAME in arguments (required, except for type tcp)',
    v.nullish(
      v.pipe(
        list(Word, 'texts, the program and its arguments,'),
        v.check(([program]) => program !== undefined && program !== '', 'a program is expected first'),
      ),
    ),
  ),
  env: about(
    'map of variables, NAME to value; if `secrets` is not set, all of these values are secret',
    entries(VariableName, Word),
  ),
  files: about(
    'map of secret files, NAME to the path of a file; the variable NAME of the command has the path of a copy',
    entries(VariableName, FilePath),
  ),
  secrets: about(
    "map of secret variables, NAME to value; {} means that no variable is secret. hoop's form is accepted, too: envvar:NAME or filesystem:NAME, with the value in base64",
    v.nullish(entries(SecretName, Word).wrapped),
  ),
  runbooks: about(
    'runbooks of the connection (default: the connection has no runbooks)',
    v.nullish(
      map({
        repository: about('name of the repository with the runbooks', Name),
        path: about(
          'folder in the repository whose runbooks may run (default: the whole repository)',
          v.nullish(RunbooksPath, ''),
        ),
        confirm: about(
          'paths of runbooks that run only after users have typed the name of the connection, such as prod/**',
          v.nullish(list(RunbookPattern, 'paths'), []),
        ),
        review: about(
          "rules that say who approves which runbooks, by path; the first rule that matches replaces the connection's review",
          v.nullish(list(RunbookReviewShape, 'rules'), []),
        ),
      }),
    ),
  ),
  masking: about(
    'names of the masking rules for the output of the connection',
    v.nullish(list(Name, 'names'), []),
  ),
  guardrails: about(
    'names of the guardrails that the agent enforces on the connection',
    v.nullish(list(Name, 'names of guardrails'), []),
  ),
  jira: about(
    'name of the Jira template of the issue that the gateway creates for each session (default: no issue is created)',
    v.nullish(Name),
  ),
  review: about(
    'who has to approve before a script, runbook or terminal runs (default: no approval is needed)',
    v.nullish(ReviewShape),
  ),
  reason: about(
    'whether requests need a reason: required refuses scripts, runbooks, terminals and ports without one; optional asks people for one (default: nobody is asked)',
    reasonNeed,
  ),
  access: about('what users may do with the connection', v.nullish(AccessShape, {})),
  confirm: about(
    'whether users have to type the name of the connection before a runbook, or a script of the page, runs on it',
    v.nullish(truth, 'false'),
  ),
  sessions: about(
    'sessions of the connection that its users may see: own is their own sessions, groups also the sessions of users in one of their groups, all is every session',
    v.nullish(choice({ own: 'own', groups: 'groups', all: 'all' }), 'own'),
  ),
  history: v.nullish(KeptShape),
})

/** No answer is longer, because answers contain only recorded output. */
const MAX_ANSWER_SIZE = `${RECORDED_BYTES / 1024 ** 2}MiB`

const LimitsShape = map({
  wait: about(
    'how long a request waits for the end of its execution before the gateway answers with 202',
    v.nullish(duration('100ms', '1h'), '50s'),
  ),
  'agent-wait': about(
    'how long an execution waits for an agent that is not connected before the execution fails',
    v.nullish(duration('0s', '1h'), '15s'),
  ),
  'lock-wait': about(
    'how long a session waits for a lock that another session holds before the session ends',
    v.nullish(duration('1s', '24h'), '15m'),
  ),
  body: about(
    'maximum size of the body of a request; a larger body is refused with 413',
    v.nullish(size('1KiB', '16MiB'), '16MiB'),
  ),
  output: about(
    'maximum size of the output in an answer; longer output is cut off',
    v.nullish(size('1KiB', MAX_ANSWER_SIZE), MAX_ANSWER_SIZE),
  ),
  'failed-sign-ins': about(
    'maximum number of failed sign-ins from one address in a minute; further attempts from this address are refused',
    v.nullish(Count, '20'),
  ),
  'batch-parallel': about('maximum number of parallel runs of a batch', v.nullish(Count, '50')),
})

export const SettingsShape = map({
  listen: v.nullish(ListenShape, {}),
  state: about('folder for the history and the copies of the repositories', v.nullish(FilePath, './state')),
  users: about('users of the gateway and their tokens', v.nullish(list(UserShape, 'users'), [])),
  'sign-in': about('sign-in with accounts of an OpenID Connect provider', v.nullish(SignInShape)),
  agents: about('agents that may connect, each with its own key', v.nullish(list(AgentShape, 'agents'), [])),
  repositories: about('git repositories with runbooks', v.nullish(list(RepositoryShape, 'repositories'), [])),
  masking: about('rules that mask personal data in output', v.nullish(list(MaskingShape, 'rules'), [])),
  guardrails: about(
    'rules for scripts and output, by name, which agents enforce',
    v.nullish(list(GuardrailShape, 'guardrails'), []),
  ),
  jira: about('Jira site where sessions get issues', v.nullish(JiraShape)),
  connections: about(
    'databases and servers to run commands on, each with its command, variables and secrets',
    v.nullish(list(ConnectionShape, 'connections'), []),
  ),
  locks: about('runbooks that run one at a time, by name', v.nullish(list(LockShape, 'locks'), [])),
  webhooks: about('addresses that receive messages about events', v.nullish(WebhooksShape, [])),
  schedules: about('runbooks that the gateway runs at set times', v.nullish(SchedulesShape, [])),
  mcp: about(
    'runbooks that AI agents may run as tools of /mcp, for groups of machines (default: there is no /mcp)',
    v.nullish(list(McpShape, 'offers'), []),
  ),
  limits: v.nullish(LimitsShape, {}),
  'stop-timeout': about(
    'how long running sessions may continue when the gateway is told to stop; after that time the gateway ends them',
    v.nullish(duration('0s', '24h'), '60s'),
  ),
  history: v.nullish(HistoryShape, {}),
})

export type SettingsShape = v.InferOutput<typeof SettingsShape>
export type RuleShape = v.InferOutput<typeof RuleShape>
export type GuardrailShape = SettingsShape['guardrails'][number]
export type ConnectionShape = SettingsShape['connections'][number]
