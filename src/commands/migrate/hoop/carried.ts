import { isDeepStrictEqual } from 'node:util'
import { parseRemote, repositoryKey, type Remote } from '../../../gateway/settings/repository-url.ts'
import type {
  ConnectionSettings,
  GatewaySettings,
  RepositorySettings,
} from '../../../gateway/settings/settings.ts'

/** A repository that hoop can fetch. */
export interface CarriedRepository {
  readonly name: string
  /** hoop's key for it. */
  readonly key: string
  readonly remote: Exclude<Remote, { kind: 'local' }>
}

/** The part of the settings that hoop can have. */
export interface Carried {
  readonly agents: readonly string[]
  readonly repositories: readonly CarriedRepository[]
  readonly connections: readonly ConnectionSettings[]
}

export const SHORTEST_NAME = 3

export function carriedOf({ agents, repositories, connections }: GatewaySettings): Carried {
  const names = agents.map(({ name }) => name).filter(isLongEnough)
  return {
    agents: names,
    repositories: repositories.flatMap(carriedRepository),
    connections: connections.filter(({ name, agent }) => isLongEnough(name) && names.includes(agent)),
  }
}

export function isLongEnough(name: string): boolean {
  return name.length >= SHORTEST_NAME
}

function carriedRepository({ name, url }: RepositorySettings): CarriedRepository[] {
  const remote = parseRemote(url)
  return remote.kind === 'local' ? [] : [{ name, key: repositoryKey(url), remote }]
}

/** The repository of a connection's runbooks, where they can run in hoop. */
export function runbooksOf(
  connection: ConnectionSettings,
  carried: Carried,
): (CarriedRepository & { readonly path: string }) | undefined {
  const { access, runbooks } = connection
  const repository = carried.repositories.find(({ name }) => name === runbooks?.repository)
  if (!access.runbooks || runbooks === undefined || repository === undefined) return undefined
  return needsOtherReviews(connection) ? undefined : { ...repository, path: runbooks.path }
}

/** Whether some runbooks have other approvers than their connection, for which hoop has no rule. */
export function needsOtherReviews({ runbooks, review }: ConnectionSettings): boolean {
  const others = runbooks?.reviews?.filter((one) => !isDeepStrictEqual(one.review, review)) ?? []
  return others.some((one) => one.review !== undefined)
}

export interface Modes {
  readonly runbooks: boolean
  readonly exec: boolean
  readonly connect: boolean
}

/**
 * The modes of a connection in hoop, never more than here. A connection for some groups stays closed until hoop's
 * access control is on.
 */
export function modesOf(connection: ConnectionSettings, carried: Carried, hasAccessControl: boolean): Modes {
  const { access } = connection
  if (access.groups !== undefined && !hasAccessControl)
    return { runbooks: false, exec: false, connect: false }
  return {
    runbooks: runbooksOf(connection, carried) !== undefined,
    exec: access.exec,
    connect: access.connect,
  }
}
