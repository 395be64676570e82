import { isDeepStrictEqual } from 'node:util'
import * as v from 'valibot'
import type { Account } from '../../client/account/account.ts'
import { ApiError } from '../../client/rest/api-error.ts'
import { askJson } from '../../client/rest/json.ts'
import { parseRemote, repositoryKey, type Remote } from '../../gateway/settings/repositories.ts'
import type {
  GatewaySettings,
  ConnectionSettings,
  RepositorySettings,
} from '../../gateway/settings/settings.ts'
import { exitCodes, Failure } from '../exit-codes.ts'

export type Kind =
  | 'agent'
  | 'guardrail'
  | 'jira site'
  | 'jira template'
  | 'repository'
  | 'review rule'
  | 'runbook rule'
  | 'access control'
  | 'connection'
  | 'groups'
  | 'masking rule'

export interface MigrationStep {
  readonly kind: Kind
  readonly name: string
  readonly action: 'create' | 'change' | 'same'
  /** Names of the differing members. Their values may be secret, so they are left out. */
  readonly parts: readonly string[]
  /** @throws ApiError if hoop refuses the object */
  readonly write: () => Promise<void>
}

export interface MigrationOptions {
  /** The folder for the keys of new agents, one file per key. Without it, no agent can be created. */
  readonly keyFolder: string | undefined
  readonly accessControl: boolean
  /** Hidden secrets are written again. */
  readonly secrets: boolean
}

export interface Migration {
  readonly settings: GatewaySettings
  readonly carried: Carried
  readonly present: HoopState
  readonly ids: Ids
  readonly account: Account
  readonly options: MigrationOptions
}

/** Keeps hoop's ids by kind and name. A new object gets its id when it is created. */
export class Ids {
  readonly #ids = new Map<string, string>()

  set(kind: Kind, name: string, id: unknown): void {
    if (typeof id === 'string' && id !== '') this.#ids.set(`${kind} ${name}`, id)
  }

  /** Returns undefined before the object exists. */
  get(kind: Kind, name: string): string | undefined {
    return this.#ids.get(`${kind} ${name}`)
  }

  /** Returns the id of an object that an earlier step has created. */
  made(kind: Kind, name: string): string {
    const id = this.get(kind, name)
    if (id === undefined) throw new Error(`hoop has given no id for the ${kind} ${name}`)
    return id
  }
}

export function sameStep(kind: Kind, name: string): MigrationStep {
  return { kind, name, action: 'same', parts: [], write: () => Promise.resolve() }
}

/** The state contains secrets. Only names may be printed. */
interface HoopState {
  /** The licence is `oss` or `enterprise`. */
  readonly licence: string
  readonly agents: readonly Resource[]
  readonly guardrails: readonly Resource[]
  readonly masking: readonly Resource[]
  readonly jira: Resource | undefined
  readonly templates: readonly Resource[]
  readonly repositories: readonly Resource[]
  readonly reviewRules: readonly Resource[]
  readonly runbookRules: readonly Resource[]
  /**
   * The plugin, which has the groups of each connection. Undefined means that the plugin is off: then all
   * users see every connection.
   */
  readonly accessControl: Resource | undefined
  readonly connectionNames: readonly string[]
  /** Only the connections that the caller wants, with their secrets. */
  readonly connections: readonly Resource[]
}

/**
 * @param wanted names of connections
 * @throws ApiError, or Failure if the gateway is not hoop's
 */
export async function readHoopState(account: Account, wanted: readonly string[]): Promise<HoopState> {
  const licence = await fetchLicence(account)
  const many = (path: string) => fetchResources(account, path)
  const listed = (await many('/api/connections')).map(nameOf)
  const configuration = await fetchResource(account, '/api/runbooks/configurations')
  const repositories = configuration?.['repositories']
  return {
    licence,
    agents: await many('/api/agents'),
    guardrails: await many('/api/guardrails'),
    masking: await many('/api/datamasking-rules'),
    jira: await fetchResource(account, '/api/integrations/jira'),
    templates: await many('/api/integrations/jira/issuetemplates'),
    repositories: Array.isArray(repositories) ? (repositories as Resource[]) : [],
    reviewRules: await many('/api/access-requests/rules'),
    runbookRules: await many('/api/runbooks/rules'),
    accessControl: await fetchResource(account, '/api/plugins/access_control'),
    connectionNames: listed,
    connections: await connectionsNamed(
      account,
      wanted.filter((name) => listed.includes(name)),
    ),
  }
}

/** Asks for each connection, because hoop's list has no secrets. */
async function connectionsNamed(account: Account, wanted: readonly string[]): Promise<readonly Resource[]> {
  const found: Resource[] = []
  for (const name of wanted) {
    const one = await fetchResource(account, `/api/connections/${encodeURIComponent(name)}`)
    if (one !== undefined) found.push(one)
  }
  return found
}

/** @throws Failure for an embedded gateway, which has no licence, and for a user who is not an admin */
async function fetchLicence(account: Account): Promise<string> {
  const info = await fetchResource(account, '/api/serverinfo')
  const licence = info?.['license_info']
  if (typeof licence !== 'object' || licence === null)
    throw new Failure(
      `${account.rest.url} is not a hoop gateway: name a hoop gateway with --to or --profile`,
      exitCodes.usage,
    )
  const user = await fetchResource(account, '/api/userinfo')
  if (user?.['is_admin'] !== true)
    throw new Failure(
      `${account.rest.url}: only an admin of hoop can migrate. Sign in as an admin`,
      exitCodes.refused,
    )
  return String((licence as Resource)['type'])
}

/** A repository that hoop can fetch. */
export interface CarriedRepository {
  readonly name: string
  /** The key that hoop gives to the repository. */
  readonly key: string
  readonly remote: Exclude<Remote, { kind: 'local' }>
}

/** The objects that hoop can take over. */
interface Carried {
  readonly agents: readonly string[]
  readonly repositories: readonly CarriedRepository[]
  readonly connections: readonly ConnectionSettings[]
}

export const MIN_NAME_CHARACTERS = 3

export function carriedOf({ agents, repositories, connections }: GatewaySettings): Carried {
  const names = agents.map(({ name }) => name).filter(isLongEnough)
  return {
    agents: names,
    repositories: repositories.flatMap(carriedRepository),
    connections: connections.filter(({ name, agent }) => isLongEnough(name) && names.includes(agent)),
  }
}

export function isLongEnough(name: string): boolean {
  return name.length >= MIN_NAME_CHARACTERS
}

function carriedRepository({ name, url }: RepositorySettings): CarriedRepository[] {
  const remote = parseRemote(url)
  return remote.kind === 'local' ? [] : [{ name, key: repositoryKey(url), remote }]
}

/** Returns undefined if the runbooks cannot run in hoop. */
export function runbooksOf(
  connection: ConnectionSettings,
  carried: Carried,
): (CarriedRepository & { readonly path: string }) | undefined {
  const { access, runbooks } = connection
  const repository = carried.repositories.find(({ name }) => name === runbooks?.repository)
  if (!access.runbooks || runbooks === undefined || repository === undefined) return undefined
  return needsOtherReviews(connection) ? undefined : { ...repository, path: runbooks.path }
}

/**
 * Returns whether some runbooks have other approvers than their connection. hoop has no rules for such
 * runbooks.
 */
export function needsOtherReviews({ runbooks, review }: ConnectionSettings): boolean {
  const others = runbooks?.reviews?.filter((one) => !isDeepStrictEqual(one.review, review)) ?? []
  return others.some((one) => one.review !== undefined)
}

interface Modes {
  readonly runbooks: boolean
  readonly exec: boolean
  readonly connect: boolean
}

/**
 * Opens never more modes than the settings. A connection with groups stays closed until hoop's access control
 * is on.
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

/** An object as hoop's REST interface sends it. The object may contain secrets. */
export type Resource = Readonly<Record<string, unknown>>

const One = v.looseObject({})
/** hoop sends some empty lists as null, and some lists in pages. */
const Many = v.union([
  v.pipe(
    v.null(),
    v.transform((): Resource[] => []),
  ),
  v.array(One),
  v.pipe(
    v.object({ data: v.nullable(v.array(One)) }),
    v.transform(({ data }) => data ?? []),
  ),
])

/** @throws ApiError */
async function fetchResources(account: Account, path: string): Promise<readonly Resource[]> {
  return (await askJson(account, { method: 'GET', path }, Many)).value
}

/**
 * Returns undefined if the object does not exist.
 * @throws ApiError
 */
export async function fetchResource(account: Account, path: string): Promise<Resource | undefined> {
  try {
    return (await askJson(account, { method: 'GET', path }, v.nullable(One))).value ?? undefined
  } catch (error) {
    if (error instanceof ApiError && error.status === 404 && error.kind === 'not-found') return undefined
    throw error
  }
}

/**
 * @returns the stored object
 * @throws ApiError
 */
export async function writeResource(
  account: Account,
  method: 'POST' | 'PUT',
  path: string,
  body: object,
): Promise<Resource> {
  return (await askJson(account, { method, path, body }, One)).value
}

/**
 * Returns the names of `wanted`'s members that differ. Not every difference counts: hoop adds members, writes
 * missing values as null, '' or [], and sends lists of names in any order.
 */
export function differences(present: Resource, wanted: Resource): string[] {
  return Object.keys(wanted).filter((name) => !isSame(present[name], wanted[name]))
}

function isSame(present: unknown, wanted: unknown): boolean {
  if (isNothing(present) || isNothing(wanted)) return isNothing(present) && isNothing(wanted)
  if (Array.isArray(wanted)) return Array.isArray(present) && isSameList(present, wanted)
  if (typeof wanted !== 'object' || wanted === null) return present === wanted
  return typeof present === 'object' && differences(present as Resource, wanted as Resource).length === 0
}

function isSameList(present: readonly unknown[], wanted: readonly unknown[]): boolean {
  return present.length === wanted.length && wanted.every((one, at) => isSame(present[at], one))
}

function isNothing(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === false) return true
  if (typeof value !== 'object') return false
  return Object.values(value).every(isNothing)
}

/** Sorts the names, so that lists can be compared. */
export function inNameOrder(value: unknown): string[] {
  const list = Array.isArray(value) ? value : []
  return list.filter((one): one is string => typeof one === 'string').toSorted()
}

/** Adds the wanted names. Present names are never removed. */
export function joinedNames(present: unknown, wanted: readonly string[]): string[] {
  return [...new Set([...inNameOrder(present), ...wanted])].toSorted()
}

/** Returns the id for the path of a request. */
export function idOf(resource: Resource | undefined): string | undefined {
  const id = resource?.['id']
  return typeof id === 'string' ? id : undefined
}

function nameOf(resource: Resource): string {
  return typeof resource['name'] === 'string' ? resource['name'] : ''
}

export function resourceNamed(resources: readonly Resource[], name: string): Resource | undefined {
  return resources.find((one) => nameOf(one) === name)
}
