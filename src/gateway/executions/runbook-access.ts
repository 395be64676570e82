import { hoopWords } from '../../wire/gateway-words.ts'
import { isInFolder } from '../runbooks/catalog.ts'
import type { ConnectionSettings } from '../settings/settings.ts'
import type { RunbookBody } from '../../contract/executions.ts'
import { RequestRefused } from '../refusals/request-refused.ts'
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
  if (repository === undefined)
    throw new RequestRefused('runbooks-not-configured', hoopWords.runbooksNotEnabled)
  if (!isInFolder(file, connection.runbooks?.path ?? ''))
    throw new RequestRefused('runbook-not-found', hoopWords.runbookNotFound(file))
}

/**
 * Refuses arguments and variables if the connection accepts none, because they could change what the script
 * does.
 * @throws RequestRefused 403
 */
export function checkClientInput(connection: ConnectionSettings, body: RunbookBody): void {
  if (connection.access.clientInput) return
  if (body.client_args.length === 0 && Object.keys(body.env_vars).length === 0) return
  throw new RequestRefused(
    'client-input-refused',
    `connection ${connection.name} accepts no client_args or env_vars (access.client-input)`,
  )
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
  if (known === undefined)
    throw new RequestRefused('repository-not-found', hoopWords.repositoryNotFound(asked))
  if (connection.runbooks?.repository !== known.name) {
    throw new RequestRefused('not-permitted', hoopWords.runbookNotPermitted)
  }
  return known.name
}

/** @throws RequestRefused 500 when the settings have no repository of this name */
export function repositoryNamed(services: RunbookServices, name: string | undefined): NamedRepository {
  const known = services.repositories.named(name)
  if (known === undefined)
    throw new RequestRefused(
      'repository-failed',
      'the runbook repository of this connection is not configured',
    )
  return known
}

/** Tells whether people have to type the connection's name before they run this file. */
export function needsConfirmation({ confirm, runbooks }: ConnectionSettings, file: string): boolean {
  return confirm === true || (runbooks?.confirm ?? []).some((pattern) => pattern.isFor(file))
}
