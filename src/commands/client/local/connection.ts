import { loadSettings } from '../../../gateway/settings/load.ts'
import { SettingsError } from '../../../basics/settings/problems.ts'
import type { ConnectionSettings } from '../../../gateway/settings/settings.ts'
import { didYouMean } from '../../../basics/text/nearest.ts'
import { exitCodes, Failure } from '../../failure.ts'

/** A connection to run in this process, and the arguments after its command. */
export interface LocalConnection {
  readonly connection: ConnectionSettings
  readonly clientArgs: readonly string[]
}

/**
 * The connection from a gateway's settings. Without settings the words are the whole command, and the name is only a
 * label.
 * @throws Failure, exit code 64 for an unknown connection, 78 for settings that cannot be used
 */
export function localConnection(
  name: string,
  words: readonly string[],
  config: string | undefined,
): LocalConnection {
  if (config !== undefined) return { connection: configured(name, config), clientArgs: words }
  if (words.length === 0)
    throw new Failure(
      `--local: the command is missing. Name it (--local ${name} -- bash), or the gateway's settings that have it (--config gateway.yaml)`,
      exitCodes.usage,
    )
  const access = {
    runbooks: true,
    exec: true,
    connect: true,
    clientInput: true,
    clientEscapes: 'allow',
  } as const
  return {
    connection: {
      name,
      agent: '',
      type: 'custom',
      tags: {},
      command: words,
      secrets: new Map(),
      plain: [],
      guardrails: [],
      access,
    },
    clientArgs: [],
  }
}

function configured(name: string, config: string): ConnectionSettings {
  const { connections } = load(config)
  const found = connections.find((connection) => connection.name === name)
  if (found !== undefined) return found
  const meant = didYouMean(
    name,
    connections.map((connection) => connection.name),
  )
  const question = meant === undefined ? '' : `: ${meant}`
  throw new Failure(`${config} has no connection ${name}${question}`, exitCodes.usage)
}

function load(config: string): ReturnType<typeof loadSettings> {
  try {
    return loadSettings(config)
  } catch (error) {
    throw error instanceof SettingsError ? new Failure(error.message) : error
  }
}
