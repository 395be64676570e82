import type { Key } from './config/key.ts'
import { findKey } from './config/key.ts'
import type { SettingsSource } from './config/lookup.ts'
import { Lookup } from './config/lookup.ts'
import { Problems } from './config/problems.ts'
import { locateFile, readSettingsFile } from './config/settings-file.ts'
import { flagOf, settings, SETTINGS } from './config/table.ts'

export { ConfigError } from './config/problems.ts'

export interface AgentSettings {
  /** Its form is not checked here. The value prints as `<set>`. */
  readonly key: Key
  readonly allowPlaintext: boolean
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
  readonly logEncoding: 'json' | 'human'
  readonly runtimeDir: string | undefined
  /** Sessions at the same time, 1 or more. */
  readonly limitsSessions: number
  /** 0 is without limit. */
  readonly outputCapBytes: number
  readonly killGraceMs: number
  /** undefined is without limit. */
  readonly maxDurationMs: number | undefined
  readonly drainMs: number
  /** What works and is unwise, a sentence each, to be logged. */
  readonly warnings: readonly string[]
}

/** The agent's flags for commander, made from the table of settings; no flag is required. */
export const agentFlags: readonly {
  readonly flag: string
  /** Without its angle brackets; a flag that has none takes no value. */
  readonly placeholder?: string
  readonly description: string
}[] = [
  { flag: '--config', placeholder: 'file', description: 'settings (default /etc/runbook-agent/agent.yaml)' },
  ...settings
    .filter(({ isSecret }) => isSecret !== true)
    .map(({ name, kind: { placeholder }, description }) => ({
      flag: flagOf(name),
      ...(placeholder === undefined ? {} : { placeholder }),
      description,
    })),
]

/**
 * Reads the agent's settings: a flag wins over `RUNBOOK_AGENT_*`, that over hoop's variables, those over the file,
 * the file over the default. An empty variable is not set.
 * @throws ConfigError with everything that is wrong
 */
export function loadAgentSettings(source: SettingsSource): AgentSettings {
  const { flags, env } = source
  const problems = new Problems()
  const config = typeof flags['config'] === 'string' ? flags['config'] : undefined
  const file = readSettingsFile(locateFile(config, env['RUNBOOK_AGENT_CONFIG']), problems)
  const lookup = new Lookup(source, file, problems)
  const warnings: string[] = []
  const credentials = env['CREDENTIALS_DIRECTORY']
  const key = findKey({ lookup, file, credentials, problems, warnings })
  const rest = readRest(lookup, source)
  if (key === undefined || problems.count > 0) throw problems.toError()
  return { key, ...rest, warnings }
}

function readRest(lookup: Lookup, source: SettingsSource): Omit<AgentSettings, 'key' | 'warnings'> {
  return {
    allowPlaintext: lookup.value(SETTINGS.allowPlaintext),
    logLevel: lookup.value(SETTINGS.logLevel),
    logEncoding: lookup.find(SETTINGS.logEncoding)?.value ?? defaultEncoding(source),
    runtimeDir: lookup.find(SETTINGS.runtimeDir)?.value,
    limitsSessions: lookup.value(SETTINGS.limitsSessions),
    outputCapBytes: lookup.value(SETTINGS.outputCap),
    killGraceMs: lookup.value(SETTINGS.killGrace),
    maxDurationMs: lookup.find(SETTINGS.executionMaxDuration)?.value,
    drainMs: lookup.value(SETTINGS.drain),
  }
}

function defaultEncoding({ stderrIsTty, env }: SettingsSource): 'json' | 'human' {
  return stderrIsTty && !env['NO_COLOR'] ? 'human' : 'json'
}
