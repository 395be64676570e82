import type { GenericSchema } from 'valibot'
import { KILL_GRACE_MS } from '../basics/signals.ts'
import { choice, duration, size, truth, webAddress } from '../basics/settings/shapes.ts'
import {
  allowed,
  count,
  folder,
  gatewayUrl,
  keyFile,
  listen,
  label,
  nameRules,
  pem,
  programs,
  ruleFiles,
  secret,
  serverName,
  refinements,
  svidFile,
} from './kinds.ts'
import { sessionsOn, thisMachine } from './session-limit.ts'

export interface Setting<Kind extends GenericSchema = GenericSchema> {
  /** Name in the file, e.g. `output.cap`; flag and environment variable follow from it. */
  readonly name: string
  readonly kind: Kind
  readonly description: string
  /** The default, in the form of the file. */
  readonly default?: string
  /** Whether the default depends on the machine. */
  readonly isOfMachine?: true
  /** Variables of hoop's agent with the same meaning. The first variable that is set counts. */
  readonly aliases?: readonly string[]
  /**
   * Whether the setting is a secret. A secret has no flag, because every user of the machine can read the
   * arguments of a process.
   */
  readonly isSecret?: true
}

/**
 * Node's timers last at most 24.8 days. A longer timer fires immediately, so a drain of 30d would kill all
 * commands.
 */
const timer = duration('0s', '24d')
const bytes = size()

export const SETTINGS = {
  key: {
    name: 'key',
    kind: secret,
    aliases: ['HOOP_KEY', 'HOOP_DSN'],
    isSecret: true,
    description: 'key of the agent, scheme://name:secret@host:port?mode=standard',
  },
  keyFile: {
    name: 'key-file',
    kind: keyFile,
    description:
      'file that holds the key (default: $CREDENTIALS_DIRECTORY/hoop-key, if that file exists and no key is given)',
  },
  spiffeKeyFile: {
    name: 'spiffe.key-file',
    kind: svidFile,
    aliases: ['HOOP_SPIFFE_KEY_FILE'],
    description:
      'file that holds a JWT-SVID, used when there is no key; the agent reads the file before each connect',
  },
  spiffeName: {
    name: 'spiffe.name',
    kind: label,
    aliases: ['HOOP_SPIFFE_NAME'],
    description: 'name of the agent in its log, if the agent uses a JWT-SVID',
  },
  spiffeInsecure: {
    name: 'spiffe.insecure',
    kind: truth,
    default: 'false',
    aliases: ['HOOP_GRPC_INSECURE'],
    description: 'connect without TLS, if the agent uses a JWT-SVID',
  },
  grpcUrl: {
    name: 'grpc-url',
    kind: gatewayUrl,
    aliases: ['HOOP_GRPCURL'],
    description: 'address of the gateway, host:port, if the agent uses a JWT-SVID or a token',
  },
  token: {
    name: 'token',
    kind: secret,
    aliases: ['TOKEN', 'HOOP_TOKEN'],
    isSecret: true,
    description: "credential in hoop's older form, used when there is neither key nor JWT-SVID",
  },
  allowPlaintext: {
    name: 'allow-plaintext',
    kind: truth,
    default: 'false',
    description: 'send the credential unencrypted to a gateway on another machine',
  },
  tlsCa: {
    name: 'tls.ca',
    kind: pem,
    aliases: ['HOOP_TLSCA'],
    description:
      "authorities that may sign the gateway's certificate (default: the authorities of the system)",
  },
  tlsServerName: {
    name: 'tls.server-name',
    kind: serverName,
    aliases: ['HOOP_TLSSERVERNAME'],
    description: "name to expect in the gateway's certificate (default: the host in the gateway's address)",
  },
  tlsSkipVerify: {
    name: 'tls.skip-verify',
    kind: truth,
    default: 'false',
    aliases: ['HOOP_TLS_SKIP_VERIFY'],
    description: "do not check the gateway's certificate",
  },
  tlsCert: {
    name: 'tls.cert',
    kind: pem,
    description: 'certificate of the agent, for a gateway that demands one',
  },
  tlsKey: {
    name: 'tls.key',
    kind: pem,
    isSecret: true,
    description: 'private key of tls.cert',
  },
  logLevel: {
    name: 'log.level',
    kind: choice({ debug: 'debug', trace: 'debug', info: 'info', warn: 'warn', error: 'error' }),
    default: 'info',
    aliases: ['LOG_LEVEL'],
    description: 'lowest level of the lines to log',
  },
  logEncoding: {
    name: 'log.encoding',
    kind: choice({ json: 'json', human: 'human', console: 'human', verbose: 'human' }),
    aliases: ['LOG_ENCODING'],
    description: 'form of the log lines (default: human on a terminal unless NO_COLOR is set, else json)',
  },
  runtimeDir: {
    name: 'runtime-dir',
    kind: folder,
    description: 'folder for the secret files of running commands',
  },
  stateDir: {
    name: 'state-dir',
    kind: folder,
    description:
      'folder for the journal (default: $STATE_DIRECTORY, else $XDG_STATE_HOME/runbook-agent, else ~/.local/state/runbook-agent, for root /var/lib/runbook-agent)',
  },
  journalSize: {
    name: 'journal.size',
    kind: bytes,
    default: '16MiB',
    description: 'maximum size of the journal, which has two files; 0 for no journal',
  },
  limitsSessions: {
    name: 'limits.sessions',
    kind: count,
    default: String(sessionsOn(thisMachine())),
    isOfMachine: true,
    description:
      'maximum number of sessions at the same time; the agent refuses more; the default depends on memory and open files of the machine',
  },
  outputCap: {
    name: 'output.cap',
    kind: bytes,
    default: '10MiB',
    description: 'maximum size of the captured output of an execution; 0 for no limit',
  },
  limitsMemory: {
    name: 'limits.memory',
    kind: bytes,
    description: 'maximum memory of one execution; needs a delegated cgroup v2 (default: no limit)',
  },
  limitsProcesses: {
    name: 'limits.processes',
    kind: count,
    description:
      'maximum number of processes and threads of one execution; needs a delegated cgroup v2 (default: no limit)',
  },
  outputOnCap: {
    name: 'output.on-cap',
    kind: choice({ continue: 'continue', kill: 'kill' }),
    default: 'continue',
    description: 'what happens to an execution whose output is longer than output.cap',
  },
  outputTailMemory: {
    name: 'output.tail-memory',
    kind: bytes,
    default: '64MiB',
    description:
      'memory for the last parts of outputs longer than output.cap, for all executions together; when this memory is full, the agent keeps shorter parts',
  },
  redact: {
    name: 'redact',
    kind: choice({ on: 'on', true: 'on', off: 'off', false: 'off' }),
    default: 'on',
    description: 'replace the values of secrets in captured output',
  },
  redactNames: {
    name: 'redact.names',
    kind: nameRules,
    description:
      'more names of variables that hold secrets; a ! before a name means no secret: CUSTOMER_*,!APP_*',
  },
  maskingAnalyzer: {
    name: 'masking.analyzer',
    kind: webAddress,
    aliases: ['MSPRESIDIO_ANALYZER_URL'],
    description:
      "address of Presidio's analyzer; needs masking.anonymizer (default: the address that the gateway sends)",
  },
  maskingAnonymizer: {
    name: 'masking.anonymizer',
    kind: webAddress,
    aliases: ['MSPRESIDIO_ANONYMIZER_URL'],
    description:
      "address of Presidio's anonymizer; needs masking.analyzer (default: the address that the gateway sends)",
  },
  maskingMode: {
    name: 'masking.mode',
    kind: label,
    aliases: ['DLP_MODE'],
    description:
      'what happens when masking fails: strict ends the session, any other word shows the output; needs masking.analyzer and masking.anonymizer (default: decided by the gateway)',
  },
  maskingForm: {
    name: 'masking.form',
    kind: choice({ tag: 'tag', mask: 'mask' }),
    default: 'tag',
    description:
      'replacement that the local engine writes for a finding: tag is <TYPE>, mask is # for each character',
  },
  maskingRefine: {
    name: 'masking.refine',
    kind: refinements,
    description:
      'types that the local engine finds in another way than hoop: ipv6 (also addresses with ::), ssn (nine digits only near a word such as SSN)',
  },
  policyInputRules: {
    name: 'policy.input-rules',
    kind: ruleFiles,
    description:
      'files with guardrail rules for every command and script, in addition to the rules of the gateway',
  },
  policyOutputRules: {
    name: 'policy.output-rules',
    kind: ruleFiles,
    description: 'files with guardrail rules for every output, in addition to the rules of the gateway',
  },
  policyPrograms: {
    name: 'policy.programs',
    kind: programs,
    description: 'programs that may be started (default: all)',
  },
  policyVariables: {
    name: 'policy.variables',
    kind: allowed,
    description:
      'variables that callers may set, in addition to HOOP_*, LANG, LC_*, TZ and the variables of the terminal (default: all; if policy.programs is set, no others)',
  },
  policyConnections: {
    name: 'policy.connections',
    kind: allowed,
    description: 'connections that may be used on this agent (default: all)',
  },
  policyOrigins: {
    name: 'policy.origins',
    kind: allowed,
    description:
      'origins that sessions may have: client, client-api, client-api-runbooks; for commands that a gateway runs by itself: hook, bare-exec (default: all)',
  },
  executionMaxDuration: {
    name: 'execution.max-duration',
    kind: timer,
    description:
      'maximum duration of an execution; a longer execution is ended, with exit code 124 (default: no limit)',
  },
  killGrace: {
    name: 'kill.grace',
    kind: timer,
    default: `${KILL_GRACE_MS / 1000}s`,
    description: 'time between SIGTERM and SIGKILL when a command is ended',
  },
  http: {
    name: 'http',
    kind: listen,
    description:
      'address for /healthz, /readyz and /metrics: host:port, or a port on the loopback (default: the agent does not listen)',
  },
  background: {
    name: 'background',
    kind: choice({ kill: 'kill', leave: 'leave' }),
    default: 'kill',
    description: 'what happens to processes that a finished command has left running',
  },
  onDisconnect: {
    name: 'on-disconnect',
    kind: choice({ terminate: 'terminate', finish: 'finish' }),
    default: 'terminate',
    description: 'what happens to running commands when the connection to the gateway is lost',
  },
  drain: {
    name: 'drain',
    kind: timer,
    default: '60s',
    description: 'time for running sessions to finish when the agent is told to stop',
  },
} satisfies Readonly<Record<string, Setting>>

export const settings: readonly Setting[] = Object.values(SETTINGS)

/** `output.cap` is `--output-cap`. */
export function flagOf(name: string): string {
  return `--${name.replaceAll('.', '-')}`
}

/** `output.cap` is `outputCap` among commander's options. */
export function optionOf(name: string): string {
  return name.replaceAll(/[.-](.)/g, (_, letter: string) => letter.toUpperCase())
}

/** `output.cap` is `RUNBOOK_AGENT_OUTPUT_CAP`. */
export function variableOf(name: string): string {
  return `RUNBOOK_AGENT_${name.replaceAll(/[.-]/g, '_').toUpperCase()}`
}
