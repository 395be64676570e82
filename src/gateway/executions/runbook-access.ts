import { isInFolder } from '../runbooks/catalog.ts'
import type { ConnectionSettings } from '../settings/settings.ts'
import type { RunbookBody } from '../../contract/executions.ts'
import { refused } from '../refusals/request-refused.ts'
import type { NamedRepository, Repositories } from '../runbooks/repositories.ts'

export interface RunbookServices {
  readonly repositories: Repositories
}

/** @throws RequestRefused 422 for a connection without a repository, 404 for a file outside its path */
export function checkRunbookAccess(
  connection: ConnectionSettings,
  repository: string | undefined,
  file: string,
): void {
  if (repository === undefined) throw refused('runbooks-not-configured/connection')
  if (!isInFolder(file, connection.runbooks?.path ?? '')) throw refused('runbook-not-found', { file })
}

/**
 * Refuses arguments and variables if the connection accepts none, because they could change what the script
 * does.
 * @throws RequestRefused 403
 */
export function checkClientInput(connection: ConnectionSettings, body: RunbookBody): void {
  if (connection.access.clientInput) return
  if (body.client_args.length === 0 && Object.keys(body.env_vars).length === 0) return
  throw refused('client-input-refused/now', { name: connection.name })
}

/**
 * Accepts the name in gateway.yaml or hoop's `host/path` key. A connection runs only runbooks of its
 * repository.
 * @throws RequestRefused 400 for an unknown repository, 403 for the repository of another connection
 */
export function allowedRepository(
  services: RunbookServices,
  connection: ConnectionSettings,
  asked: string,
): string {
  const known = services.repositories.called(asked)
  if (known === undefined) throw refused('repository-not-found', { name: asked })
  if (connection.runbooks?.repository !== known.name) {
    throw refused('not-permitted/runbook')
  }
  return known.name
}

/** @throws RequestRefused 500 when the settings have no repository of this name */
export function repositoryNamed(services: RunbookServices, name: string | undefined): NamedRepository {
  const known = services.repositories.named(name)
  if (known === undefined) throw refused('repository-failed/unset')
  return known
}

/** Tells whether people have to type the connection's name before they run this file. */
export function needsConfirmation({ confirm, runbooks }: ConnectionSettings, file: string): boolean {
  return confirm === true || (runbooks?.confirm ?? []).some((pattern) => pattern.isFor(file))
}
