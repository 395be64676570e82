import type { GenericSchema } from 'valibot'
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
  /** In the file, e.g. `output.cap`; flag and environment variable follow from it. */
  readonly name: string
  readonly kind: Kind
  readonly description: string
  /** The default as it would be written in the file. */
  readonly default?: string
  /** The default depends on the machine. */
  readonly isOfMachine?: true
  /** Variables of hoop's agent that mean the same, the first one set counts. */
  readonly aliases?: readonly string[]
  /** Has no flag: every user of the machine can read the arguments of a process. */
  readonly isSecret?: true
}

/** Node's timers take 24.8 days at most. A longer one fires at once: a drain of 30d would kill everything. */
const timer = duration('0s', '24d')
const bytes = size()

/** Every setting of the agent. Add one here when something reads it. */
export const SETTINGS = {
  key: {
    name: 'key',
    kind: secret,
    aliases: ['HOOP_KEY', 'HOOP_DSN'],
    isSecret: true,
    description: 'credential of the agent, scheme://name:secret@host:port?mode=standard',
  },
  keyFile: {
    name: 'key-file',
    kind: keyFile,
    description:
      'file that holds the key; $CREDENTIALS_DIRECTORY/hoop-key when there is one and no key is given',
  },
  spiffeKeyFile: {
    name: 'spiffe.key-file',
    kind: svidFile,
    aliases: ['HOOP_SPIFFE_KEY_FILE'],
    description: 'file that holds a JWT-SVID, read anew before each attempt; used when there is no key',
  },
  spiffeName: {
    name: 'spiffe.name',
    kind: label,
    aliases: ['HOOP_SPIFFE_NAME'],
    description: "the agent's name in its log, with a JWT-SVID",
  },
  spiffeInsecure: {
    name: 'spiffe.insecure',
    kind: truth,
    default: 'false',
    aliases: ['HOOP_GRPC_INSECURE'],
    description: 'with a JWT-SVID: no TLS',
  },
  grpcUrl: {
    name: 'grpc-url',
    kind: gatewayUrl,
    aliases: ['HOOP_GRPCURL'],
    description: "the gateway's address, host:port, for a JWT-SVID or a token",
  },
  token: {
    name: 'token',
    kind: secret,
    aliases: ['TOKEN', 'HOOP_TOKEN'],
    isSecret: true,
    description: 'credential of the old kind, used when there is neither key nor JWT-SVID',
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
    description: "authorities that may sign the gateway's certificate, instead of the system's",
  },
  tlsServerName: {
    name: 'tls.server-name',
    kind: serverName,
    aliases: ['HOOP_TLSSERVERNAME'],
    description: "the name in the gateway's certificate, when it is not the host",
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
    description: "the agent's own certificate, for a gateway that demands one",
  },
  tlsKey: {
    name: 'tls.key',
    kind: pem,
    isSecret: true,
    description: 'the key of tls.cert',
  },
  logLevel: {
    name: 'log.level',
    kind: choice({ debug: 'debug', trace: 'debug', info: 'info', warn: 'warn', error: 'error' }),
    default: 'info',
    aliases: ['LOG_LEVEL'],
    description: 'least important lines to log',
  },
  logEncoding: {
    name: 'log.encoding',
    kind: choice({ json: 'json', human: 'human', console: 'human', verbose: 'human' }),
    aliases: ['LOG_ENCODING'],
    description: 'form of the log lines (default human on a terminal unless NO_COLOR is set, json elsewhere)',
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
      'folder for the journal (default $STATE_DIRECTORY, else $XDG_STATE_HOME/runbook-agent, else ~/.local/state/runbook-agent, for root /var/lib/runbook-agent)',
  },
  journalSize: {
    name: 'journal.size',
    kind: bytes,
    default: '16MiB',
    description: 'largest journal of executions, two files together, 0 for none',
  },
  limitsSessions: {
    name: 'limits.sessions',
    kind: count,
    default: String(sessionsOn(thisMachine())),
    isOfMachine: true,
    description: 'sessions at the same time; more are refused. The default depends on memory and open files',
  },
  outputCap: {
    name: 'output.cap',
    kind: bytes,
    default: '10MiB',
    description: 'longest captured output of an execution, 0 for no limit',
  },
  limitsMemory: {
    name: 'limits.memory',
    kind: bytes,
    description: 'memory of one execution, needs a delegated cgroup v2 (default: no limit)',
  },
  limitsProcesses: {
    name: 'limits.processes',
    kind: count,
    description: 'processes and threads of one execution, needs a delegated cgroup v2 (default: no limit)',
  },
  outputOnCap: {
    name: 'output.on-cap',
    kind: choice({ continue: 'continue', kill: 'kill' }),
    default: 'continue',
    description: 'what happens to an execution whose output is longer',
  },
  outputTailMemory: {
    name: 'output.tail-memory',
    kind: bytes,
    default: '64MiB',
    description:
      'memory for the tails of capped outputs, all executions together; beyond it they are shorter',
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
      'exceptions to the rule by which variables hold secrets: names of secrets, or with ! of variables that are none, such as CUSTOMER_*,!APP_*',
  },
  maskingAnalyzer: {
    name: 'masking.analyzer',
    kind: webAddress,
    aliases: ['MSPRESIDIO_ANALYZER_URL'],
    description: "address of Presidio's analyzer; with masking.anonymizer it replaces the gateway's",
  },
  maskingAnonymizer: {
    name: 'masking.anonymizer',
    kind: webAddress,
    aliases: ['MSPRESIDIO_ANONYMIZER_URL'],
    description: "address of Presidio's anonymizer; with masking.analyzer it replaces the gateway's",
  },
  maskingMode: {
    name: 'masking.mode',
    kind: label,
    aliases: ['DLP_MODE'],
    description:
      "strict or best-effort (as is anything else); it counts when both addresses are set, else the gateway's mode does",
  },
  maskingForm: {
    name: 'masking.form',
    kind: choice({ tag: 'tag', mask: 'mask' }),
    default: 'tag',
    description: 'how the local engine replaces a finding: by <TYPE>, or by # for each character',
  },
  maskingRefine: {
    name: 'masking.refine',
    kind: refinements,
    description:
      "findings in which the local engine differs from hoop's: ipv6 finds addresses with ::, ssn wants a word beside nine digits",
  },
  policyInputRules: {
    name: 'policy.input-rules',
    kind: ruleFiles,
    description: "files with guardrail rules for every command and script, beside the gateway's",
  },
  policyOutputRules: {
    name: 'policy.output-rules',
    kind: ruleFiles,
    description: "files with guardrail rules for every output, beside the gateway's",
  },
  policyPrograms: {
    name: 'policy.programs',
    kind: programs,
    description: 'programs that may be started, no others (default: all)',
  },
  policyVariables: {
    name: 'policy.variables',
    kind: allowed,
    description:
      'variables that callers may set, beside HOOP_*, LANG, LC_*, TZ and those of the terminal (default: all, but with policy.programs none)',
  },
  policyConnections: {
    name: 'policy.connections',
    kind: allowed,
    description: 'connections that may be used here, no others (default: all)',
  },
  policyOrigins: {
    name: 'policy.origins',
    kind: allowed,
    description:
      'where sessions may come from: client, client-api, client-api-runbooks, and hook and bare-exec for what a gateway runs by itself (default: all)',
  },
  executionMaxDuration: {
    name: 'execution.max-duration',
    kind: timer,
    description: 'time an execution may take, then it is ended with code 124 (default: no limit)',
  },
  killGrace: {
    name: 'kill.grace',
    kind: timer,
    default: '10s',
    description: 'time between SIGTERM and SIGKILL',
  },
  http: {
    name: 'http',
    kind: listen,
    description:
      'address for /healthz, /readyz and /metrics, a port alone is one of the loopback (default: none)',
  },
  background: {
    name: 'background',
    kind: choice({ kill: 'kill', leave: 'leave' }),
    default: 'kill',
    description: 'what happens to processes that a finished command left behind',
  },
  onDisconnect: {
    name: 'on-disconnect',
    kind: choice({ terminate: 'terminate', finish: 'finish' }),
    default: 'terminate',
    description: 'what happens to running commands when the gateway is lost',
  },
  drain: {
    name: 'drain',
    kind: timer,
    default: '60s',
    description: 'time the running sessions have to finish when the agent is told to stop',
  },
} satisfies Readonly<Record<string, Setting>>

export const settings: readonly Setting[] = Object.values(SETTINGS)

/** `output.cap` is `--output-cap`. */
export function flagOf(name: string): string {
  return `--${name.replaceAll('.', '-')}`
}

/** `output.cap` is `outputCap` among the options that commander has read. */
export function optionOf(name: string): string {
  return name.replaceAll(/[.-](.)/g, (_, letter: string) => letter.toUpperCase())
}

/** `output.cap` is `RUNBOOK_AGENT_OUTPUT_CAP`. */
export function variableOf(name: string): string {
  return `RUNBOOK_AGENT_${name.replaceAll(/[.-]/g, '_').toUpperCase()}`
}
