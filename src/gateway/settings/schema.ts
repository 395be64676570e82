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
  webAddress,
  duration,
  size,
  entries,
  entryName,
  truth,
} from '../../basics/settings/shapes.ts'
import { RECORDED_BYTES } from '../../contract/executions.ts'
import { LockShape, RunbookPattern } from './locks.ts'
import { checkBranch, parseRemote } from './repositories.ts'
import { ReviewShape, RunbookReviewShape } from './reviews.ts'
import { SchedulesShape } from './schedules.ts'
import { JiraShape } from './jira.ts'
import { SignInShape } from './oidc.ts'
import { TAG_KEY, TAG_VALUE } from './connections.ts'
import { UserShape } from './users.ts'
import { WebhooksShape } from './webhooks.ts'
import { Name, Count, SecretHash, TextLine } from './words.ts'

// The shape of `masking` in gateway.yaml.

const EntityName = matching(/^[A-Z][A-Z0-9_]{0,99}$/, 'a name of capital letters, digits and underscores')
const Score = parsed(
  (written) => (/^(?:0(?:\.\d+)?|1(?:\.0+)?)$/.test(written) ? Number(written) : undefined),
  'a number from 0 to 1',
  {
    type: ['number', 'string'],
    pattern: '^(?:0(?:\\.\\d+)?|1(?:\\.0+)?)$',
    minimum: 0,
    maximum: 1,
  },
)
const Text = matching(/^[^\0]+$/, 'a text')

const CustomTypeShape = map({
  name: about('name of the type, which replaces a finding', EntityName),
  regex: about('regular expression of RE2, or of Python for Presidio', v.nullish(Text)),
  deny: about('texts that are always masked, as whole words', v.nullish(list(Text, 'texts'), [])),
  score: about('score of a finding by regex', v.nullish(Score, '0.9')),
})

/** Rules with which connections mask their output. */
export const MaskingShape = map({
  name: about('name of the rule, for masking of connections', Name),
  provider: about(
    'local: the agent masks by itself; presidio: the agent asks the services of Presidio',
    v.nullish(choice({ local: 'local', presidio: 'presidio' }), 'local'),
  ),
  analyzer: about("address of Presidio's analyzer, as the agent reaches it", v.nullish(webAddress)),
  anonymizer: about(
    "address of Presidio's anonymizer; without it the agent replaces what the analyzer found",
    v.nullish(webAddress),
  ),
  mode: about(
    'what happens when masking fails: strict ends the session, best-effort shows the output',
    v.nullish(choice({ strict: 'strict', 'best-effort': 'best-effort' }), 'strict'),
  ),
  entities: about(
    'types that are masked, such as EMAIL_ADDRESS',
    v.nullish(list(EntityName, 'names of types'), []),
  ),
  custom: about('types of your own', v.nullish(list(CustomTypeShape, 'types'), [])),
  threshold: about('score below which a finding is not masked', v.nullish(Score, '0.5')),
})

export type MaskingShape = v.InferOutput<typeof MaskingShape>

const HistoryShape = map({
  retain: about('how long sessions are kept after their end', v.nullish(duration('1m', '36500d'), '30d')),
  'audit-retain': about(
    'how long entries of the audit log are kept',
    v.nullish(duration('1d', '36500d'), '400d'),
  ),
  size: about(
    'maximum size of the history on the disk; the oldest sessions are deleted when it is reached',
    v.nullish(size('64MiB', '1048576GiB'), '10GiB'),
  ),
})

/** Limits for one connection that replace the limits of `HistoryShape`. */
const KeptShape = map({
  retain: about(
    'how long sessions of this connection are kept after their end; by default history.retain',
    v.nullish(duration('1m', '36500d')),
  ),
  size: about(
    'maximum size of the sessions of this connection; the oldest ones are deleted when it is reached; by default the room that history.size leaves',
    v.nullish(size('1MiB', '1048576GiB')),
  ),
})

// The shape of gateway.yaml: the purpose of each setting, its accepted values and its default. Every scalar
// arrives as a text, and null means an empty value. Messages describe the accepted values and never quote the
// value in the file, because it may be a secret.

const Word = matching(/^[^\0]*$/, `a text ('' for an empty one) without NUL characters`)
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
  'an address or a network, like 10.0.0.7 or 10.1.0.0/16, and not everybody (/0),',
)

const ServerAddress = parsed(parseAddress, 'host:port, like 127.0.0.1:8009 or [::1]:8009,')

/** Tells whether `check` accepts the value. The error of `check` is dropped, because it quotes the value. */
function passes(check: () => unknown): boolean {
  try {
    check()
    return true
  } catch {
    return false
  }
}

/**
 * Tells whether the text is the address of a repository. A local path must begin like a path, because a bare
 * word may be a misplaced secret.
 */
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

const ListenShape = map({
  http: about(
    'address of the REST interface; port 0 is any free port',
    v.nullish(ServerAddress, '127.0.0.1:8009'),
  ),
  grpc: about('address for agents and command lines', v.nullish(ServerAddress, '127.0.0.1:8010')),
  'public-url': about(
    'address at which people reach the REST interface, for links; by default listen.http',
    v.nullish(PublicUrl),
  ),
  tls: about(
    'TLS for both addresses; the files are read again when they change',
    v.nullish(
      map({
        certificate: about('file with the certificate and its chain, in PEM', FilePath),
        key: about('file with the key of the certificate, in PEM', FilePath),
        'agent-ca': about(
          'file with the authorities that sign certificates of agents, in PEM; by default agents need no certificate',
          v.nullish(FilePath),
        ),
      }),
    ),
  ),
  metrics: about(
    'address of /metrics, /healthz and /readyz, without tokens and TLS; by default there is none',
    v.nullish(ServerAddress),
  ),
  'trusted-proxies': about(
    'addresses and networks of proxies whose `X-Forwarded-For` names the caller; by default none',
    v.nullish(list(ProxyNetwork, 'addresses or networks'), []),
  ),
  'allow-remote': about(
    'whether addresses other than the loopback are allowed without TLS',
    v.nullish(truth, 'false'),
  ),
})

const AgentShape = map({
  name: about('name of the agent, as in its key grpc://NAME:KEY@HOST:PORT?mode=standard', Name),
  key: about("secret part of the agent's key; a reference to the secret or its hash is safer", SecretHash),
})

const RepositoryShape = map({
  name: about('name of the repository, for runbooks.repository of connections', Name),
  url: about('address from which git fetches the repository', RepositoryUrl),
  branch: about("the branch of the runbooks; by default the remote's HEAD", v.nullish(BranchName)),
  refresh: about(
    'how long a copy of a remote repository counts as fresh; by default 10s',
    v.nullish(duration('0s', '20d')),
  ),
})

/** Shape of a rule. As in hoop's gateway, an empty member counts as missing. */
export const RuleShape = map({
  type: about(
    'kind of the rule: forbidden words, or a forbidden pattern',
    choice({ deny_words_list: 'deny_words_list', pattern_match: 'pattern_match' }),
  ),
  words: about(
    'for deny_words_list: texts that must not occur, compared byte by byte',
    v.nullish(list(matching(/^[^]+$/, 'a text that is not empty'), 'texts'), []),
  ),
  pattern_regex: about(
    'for pattern_match: a regular expression of RE2 that must not match',
    v.nullish(Word, ''),
  ),
  message: about('text that is shown to a user who breaks the rule', v.nullish(TextLine, '')),
})

const GuardrailShape = map({
  name: about('name of the guardrail, for guardrails of connections', Name),
  input: about('rules for scripts and arguments', v.nullish(list(RuleShape, 'rules'), [])),
  'input-file': about('file with more rules for scripts and arguments, YAML or JSON', v.nullish(FilePath)),
  output: about('rules for the output of a command', v.nullish(list(RuleShape, 'rules'), [])),
  'output-file': about('file with more rules for the output of a command, YAML or JSON', v.nullish(FilePath)),
})

const AccessShape = map({
  runbooks: about('whether runbooks may run', v.nullish(truth, 'true')),
  exec: about('whether scripts of users may run', v.nullish(truth, 'true')),
  connect: about('whether terminals may be opened; by default where exec is allowed', v.nullish(truth)),
  'client-input': about(
    'whether callers may add arguments and variables; by default where exec is allowed',
    v.nullish(truth),
  ),
  'client-escapes': about(
    "whether scripts may start a shell from the database's client",
    v.nullish(choice({ block: 'block', allow: 'allow' })),
  ),
  groups: about(
    'groups whose users may see and use the connection; by default everybody',
    v.nullish(v.pipe(list(Name, 'group names'), v.minLength(1, 'at least one group is expected'))),
  ),
})

const ConnectionShape = map({
  name: about('name of the connection', Name),
  agent: about('name of the agent that runs the commands of the connection', Name),
  type: about(
    'type of the connection; the agent gets it together with subtype: database with postgres is postgres',
    v.nullish(Name, 'custom'),
  ),
  subtype: about('second part of the type, see type', v.nullish(Name)),
  tags: about(
    'labels of the connection, for searches and batches, such as env: prod',
    entries(TagKey, TagValue, 'shown'),
  ),
  command: about(
    'program and arguments, without a shell; the agent replaces $NAME in arguments',
    v.pipe(
      list(Word, 'texts, the program and its arguments,'),
      v.check(([program]) => program !== undefined && program !== '', 'a program is expected first'),
    ),
  ),
  env: about('variables, NAME to value; secret unless `secrets` is set', entries(VariableName, Word)),
  files: about(
    'secret files, NAME to the path of a file; in NAME the command gets the path of a copy',
    entries(VariableName, FilePath),
  ),
  secrets: about(
    "secret variables, NAME to value ({} for none); or hoop's form: envvar:NAME or filesystem:NAME to base64",
    v.nullish(entries(SecretName, Word).wrapped),
  ),
  runbooks: about(
    'runbooks of the connection; without this setting it has none',
    v.nullish(
      map({
        repository: about('name of the repository', Name),
        path: about(
          'folder of the files that may be run; by default the whole repository',
          v.nullish(RunbooksPath, ''),
        ),
        confirm: about(
          'runbooks that run only after people type the name of the connection, by path, like prod/**',
          v.nullish(list(RunbookPattern, 'paths'), []),
        ),
        review: about(
          "rules for who approves some of the runbooks, by path; the first rule that matches replaces the connection's review",
          v.nullish(list(RunbookReviewShape, 'rules'), []),
        ),
      }),
    ),
  ),
  masking: about(
    'names of masking rules for the output of the connection',
    v.nullish(list(Name, 'names'), []),
  ),
  guardrails: about(
    'names of guardrails that the agent enforces on the connection',
    v.nullish(list(Name, 'names of guardrails'), []),
  ),
  jira: about(
    'name of the Jira template by which each session of the connection gets an issue',
    v.nullish(Name),
  ),
  review: about('who has to approve before something runs', v.nullish(ReviewShape)),
  access: about('what users may do with the connection', v.nullish(AccessShape, {})),
  confirm: about(
    'whether people type the name of the connection before a runbook runs on it',
    v.nullish(truth, 'false'),
  ),
  sessions: about(
    'sessions of the connection that its users may see: their own, those of users in one of their groups, or all',
    v.nullish(choice({ own: 'own', groups: 'groups', all: 'all' }), 'own'),
  ),
  history: v.nullish(KeptShape),
})

/** Maximum output in an answer, because answers contain only recorded output. */
const LONGEST_ANSWER = `${RECORDED_BYTES / 1024 ** 2}MiB`

const LimitsShape = map({
  wait: about(
    'how long a request waits for the end of its execution before it is answered with 202',
    v.nullish(duration('100ms', '1h'), '50s'),
  ),
  'agent-wait': about(
    'how long an execution waits for an agent that is not connected',
    v.nullish(duration('0s', '1h'), '15s'),
  ),
  'lock-wait': about(
    'how long a session waits for a lock that another session holds',
    v.nullish(duration('1s', '24h'), '15m'),
  ),
  body: about('maximum size of the body of a request', v.nullish(size('1KiB', '16MiB'), '16MiB')),
  output: about(
    'maximum size of the output in an answer',
    v.nullish(size('1KiB', LONGEST_ANSWER), LONGEST_ANSWER),
  ),
  'failed-sign-ins': about(
    'number of sign-ins from one address that may fail in a minute before further attempts from there are refused',
    v.nullish(Count, '20'),
  ),
  'batch-parallel': about('maximum number of parallel runs of a batch', v.nullish(Count, '50')),
})

export const SettingsShape = map({
  listen: v.nullish(ListenShape, {}),
  state: about('folder of history and repositories', v.nullish(FilePath, './state')),
  users: about('users of the gateway and their tokens', v.nullish(list(UserShape, 'users'), [])),
  'sign-in': about('sign-in with accounts of an OpenID Connect provider', v.nullish(SignInShape)),
  agents: about('agents that may connect, each with a key', v.nullish(list(AgentShape, 'agents'), [])),
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
  webhooks: about('addresses that receive events', v.nullish(WebhooksShape, [])),
  schedules: about('runbooks that run by themselves', v.nullish(SchedulesShape, [])),
  limits: v.nullish(LimitsShape, {}),
  'stop-timeout': about(
    'how long running sessions may go on when the gateway is told to stop',
    v.nullish(duration('0s', '24h'), '60s'),
  ),
  history: v.nullish(HistoryShape, {}),
})

export type SettingsShape = v.InferOutput<typeof SettingsShape>
export type RuleShape = v.InferOutput<typeof RuleShape>
export type GuardrailShape = SettingsShape['guardrails'][number]
export type ConnectionShape = SettingsShape['connections'][number]
