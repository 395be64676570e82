import type { Kind } from './kinds.ts'
import { boolean, choice, count, duration, folder, keyFile, secret, size } from './kinds.ts'

export interface Setting<T> {
  /** In the file, e.g. `output.cap`; flag and environment variable follow from it. */
  readonly name: string
  readonly kind: Kind<T>
  readonly description: string
  readonly default?: T
  /** Variables of hoop's agent that mean the same, the first one set counts. */
  readonly aliases?: readonly string[]
  /** Has no flag: every user of the machine can read the arguments of a process. */
  readonly isSecret?: true
}

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
  allowPlaintext: {
    name: 'allow-plaintext',
    kind: boolean,
    default: false,
    description: 'send the key unencrypted to a gateway on another machine',
  },
  logLevel: {
    name: 'log.level',
    kind: choice({ debug: 'debug', trace: 'debug', info: 'info', warn: 'warn', error: 'error' }),
    default: 'info' as const,
    aliases: ['LOG_LEVEL'],
    description: 'least important lines to log (default info)',
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
  limitsSessions: {
    name: 'limits.sessions',
    kind: count,
    default: 100,
    description: 'sessions at the same time, more are refused (default 100)',
  },
  outputCap: {
    name: 'output.cap',
    kind: size,
    default: 10 * 1024 ** 2,
    description: 'longest captured output of an execution, 0 for no limit (default 10MiB)',
  },
  executionMaxDuration: {
    name: 'execution.max-duration',
    kind: duration,
    description: 'time an execution may take, then it is ended with code 124 (default: no limit)',
  },
  killGrace: {
    name: 'kill.grace',
    kind: duration,
    default: 10_000,
    description: 'time between SIGTERM and SIGKILL (default 10s)',
  },
  drain: {
    name: 'drain',
    kind: duration,
    default: 60_000,
    description: 'time the running sessions have to finish when the agent is told to stop (default 60s)',
  },
} satisfies Readonly<Record<string, Setting<unknown>>>

export const settings: readonly Setting<unknown>[] = Object.values(SETTINGS)

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
