import { SettingsError } from '../../basics/settings/problems.ts'
import { didYouMean } from '../../basics/text/nearest.ts'
import { openMessage } from '../../gateway/sessions/session-request.ts'
import { loadSettings } from '../../gateway/settings/load.ts'
import type { ConnectionSettings } from '../../gateway/settings/settings.ts'
import type { OpenMessage, SessionId } from '../../wire/messages/message.ts'
import { exitCodes, Failure } from '../exit-codes.ts'

interface Request {
  readonly user: string
  readonly envVars: ReadonlyMap<string, string>
  readonly clientArgs: readonly string[]
}

/**
 * Finds a connection for `--local`.
 * @param config path of the gateway.yaml
 * @returns a function that makes the message with which a gateway opens a session of this connection
 * @throws Failure with exit code 64 for an unknown connection, and with 78 for unusable settings
 */
export function configuredConnection(
  name: string,
  config: string,
): (sid: SessionId, request: Request) => OpenMessage {
  const connection = find(name, config)
  return (sid, request) => openMessage(sid, { ...request, connection, origin: 'client', verb: 'exec' })
}

function find(name: string, config: string): ConnectionSettings {
  const { connections } = checkedSettings(config)
  const found = connections.find((connection) => connection.name === name)
  if (found !== undefined) return found
  const meant = didYouMean(
    name,
    connections.map((connection) => connection.name),
  )
  const question = meant === undefined ? '' : `: ${meant}`
  throw new Failure(`${config} has no connection ${name}${question}`, exitCodes.usage)
}

/** @throws Failure */
export function checkedSettings(config: string): ReturnType<typeof loadSettings> {
  try {
    return loadSettings(config)
  } catch (error) {
    throw error instanceof SettingsError ? new Failure(error.message) : error
  }
}
