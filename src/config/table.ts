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
  /**
   * The name in the file, for example `output.cap`. The names of flag and environment variable are made from
   * it.
   */
  readonly name: string
  readonly kind: Kind
  readonly description: string
  /** The default, written as in the file. */
  readonly default?: string
  /** Whether the default depends on the machine. */
  readonly isOfMachine?: true
  /** Variables of hoop's agent with the same meaning. The first one that is set counts. */
  readonly aliases?: readonly string[]
  /** A secret has no flag, because every user of the machine can read the arguments of a process. */
  readonly isSecret?: true
}

/**
 * Node's timers last at most 24.8 days, and longer timers fire immediately. A drain of 30d would then end all
 * commands at once.
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
      'file that contains the key (default: $CREDENTIALS_DIRECTORY/hoop-key, if that file exists and no key is given)',
  },
  spiffeKeyFile: {
    name: 'spiffe.key-file',
    kind: svidFile,
    aliases: ['HOOP_SPIFFE_KEY_FILE'],
    description:
      'file that contains a JWT-SVID, used when no key is given; the agent reads the file each time it connects',
  },
  spiffeName: {
    name: 'spiffe.name',
    kind: label,
    aliases: ['HOOP_SPIFFE_NAME'],
    description: 'name of the agent in its own log, if the agent uses a JWT-SVID',
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
    description: "credential in hoop's older form, used when neither a key nor a JWT-SVID is given",
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
      "certificate authorities that may sign the gateway's certificate (default: the authorities of the system)",
  },
  tlsServerName: {
    name: 'tls.server-name',
    kind: serverName,
    aliases: ['HOOP_TLSSERVERNAME'],
    description:
      "host name that the gateway's certificate must have (default: the host in the gateway's address)",
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
    description:
      'certificate of the agent, for a gateway that requires certificates of agents; the setting tls.key is also needed',
  },
  tlsKey: {
    name: 'tls.key',
    kind: pem,
    isSecret: true,
    description: 'private key of the certificate in tls.cert',
  },
  logLevel: {
    name: 'log.level',
    kind: choice({ debug: 'debug', trace: 'debug', info: 'info', warn: 'warn', error: 'error' }),
    default: 'info',
    aliases: ['LOG_LEVEL'],
    description: 'lowest level of the log lines that are written',
  },
  logEncoding: {
    name: 'log.encoding',
    kind: choice({ json: 'json', human: 'human', console: 'human', verbose: 'human' }),
    aliases: ['LOG_ENCODING'],
    description:
      'form of the log lines (default: human on a terminal if NO_COLOR is not set, otherwise json)',
  },
  runtimeDir: {
    name: 'runtime-dir',
    kind: folder,
    description:
      'folder for the secret files of running commands (default: $RUNTIME_DIRECTORY; if that is not set, /dev/shm or the temporary folder)',
  },
  stateDir: {
    name: 'state-dir',
    kind: folder,
    description:
      'folder for the journal (default: $STATE_DIRECTORY; if that is not set, /var/lib/runbook-agent for root, $XDG_STATE_HOME/runbook-agent or ~/.local/state/runbook-agent for other users)',
  },
  journalSize: {
    name: 'journal.size',
    kind: bytes,
    default: '16MiB',
    description:
      "maximum size of the journal's two files together; at half of this size, the newer file replaces the older one; 0 turns the journal off",
  },
  limitsSessions: {
    name: 'limits.sessions',
    kind: count,
    default: String(sessionsOn(thisMachine())),
    isOfMachine: true,
    description:
      'maximum number of sessions at the same time; the agent refuses further sessions. The default depends on the memory of the machine and the limit of open files',
  },
  outputCap: {
    name: 'output.cap',
    kind: bytes,
    default: '10MiB',
    description: 'maximum size of the captured output of one execution; 0 means no limit',
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
    description:
      'what happens to an execution whose output is longer than output.cap: continue keeps the beginning and the end of the output, kill ends the command',
  },
  outputTailMemory: {
    name: 'output.tail-memory',
    kind: bytes,
    default: '64MiB',
    description:
      'memory in which the agent keeps the last part of outputs that are longer than output.cap, for all executions together; when this memory is full, the agent keeps shorter parts',
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
      'further names of variables whose values are secrets; a name after ! is not a secret, for example CUSTOMER_*,!APP_*',
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
      'what happens when masking fails: strict ends the session, any other word shows the output unmasked; needs masking.analyzer and masking.anonymizer (default: the gateway decides)',
  },
  maskingForm: {
    name: 'masking.form',
    kind: choice({ tag: 'tag', mask: 'mask' }),
    default: 'tag',
    description:
      'text that replaces a finding of the local engine: tag writes <TYPE>, mask writes # for each character',
  },
  maskingRefine: {
    name: 'masking.refine',
    kind: refinements,
    description:
      'use better patterns than hoop for these types: ipv6 (also finds addresses with ::), ssn (finds nine digits only near a word such as SSN) (default: the patterns of hoop)',
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
    description: 'programs that the agent may start (default: all)',
  },
  policyVariables: {
    name: 'policy.variables',
    kind: allowed,
    description:
      'variables that callers may set. HOOP_*, LANG, LC_*, TZ and the variables of the terminal are always allowed (default: all variables; if policy.programs is set, only those that are always allowed)',
  },
  policyConnections: {
    name: 'policy.connections',
    kind: allowed,
    description: 'names of the connections that this agent serves (default: all)',
  },
  policyOrigins: {
    name: 'policy.origins',
    kind: allowed,
    description:
      'origins of sessions that the agent serves: client, client-api, client-api-runbooks, and for commands that a gateway runs by itself hook and bare-exec (default: all)',
  },
  executionMaxDuration: {
    name: 'execution.max-duration',
    kind: timer,
    description:
      'maximum duration of an execution; the agent ends a longer execution with exit code 124 (default: no limit)',
  },
  killGrace: {
    name: 'kill.grace',
    kind: timer,
    default: `${KILL_GRACE_MS / 1000}s`,
    description: 'time between SIGTERM and SIGKILL when the agent ends a command',
  },
  http: {
    name: 'http',
    kind: listen,
    description:
      'address for /healthz, /readyz and /metrics: host:port, or only a port, for the loopback (default: the agent does not listen)',
  },
  background: {
    name: 'background',
    kind: choice({ kill: 'kill', leave: 'leave' }),
    default: 'kill',
    description:
      'what happens to processes that still run after their command has ended: kill ends the processes, leave lets them run',
  },
  onDisconnect: {
    name: 'on-disconnect',
    kind: choice({ terminate: 'terminate', finish: 'finish' }),
    default: 'terminate',
    description:
      'what happens to running commands when the connection to the gateway is lost: terminate ends the commands, finish lets them run to their end',
  },
  drain: {
    name: 'drain',
    kind: timer,
    default: '60s',
    description:
      'how long running sessions may continue when the agent is told to stop; after that time the agent ends them',
  },
} satisfies Readonly<Record<string, Setting>>

export const settings: readonly Setting[] = Object.values(SETTINGS)

/** Makes `--output-cap` from `output.cap`. */
export function flagOf(name: string): string {
  return `--${name.replaceAll('.', '-')}`
}

/** Makes `outputCap`, the name among commander's options, from `output.cap`. */
export function optionOf(name: string): string {
  return name.replaceAll(/[.-](.)/g, (_, letter: string) => letter.toUpperCase())
}

/** Makes `RUNBOOK_AGENT_OUTPUT_CAP` from `output.cap`. */
export function variableOf(name: string): string {
  return `RUNBOOK_AGENT_${name.replaceAll(/[.-]/g, '_').toUpperCase()}`
}
