import type { Account } from '../../../client/account/account.ts'
import { fetchResource, fetchResources, type Resource } from '../../../client/rest/resources.ts'
import { exitCodes, Failure } from '../../failure.ts'
import { nameOf } from './differences.ts'

/** The present objects of hoop's gateway. They hold secrets: only names are printed. */
export interface HoopState {
  /** `oss` or `enterprise`. */
  readonly licence: string
  readonly agents: readonly Resource[]
  readonly guardrails: readonly Resource[]
  readonly masking: readonly Resource[]
  readonly jira: Resource | undefined
  readonly templates: readonly Resource[]
  readonly repositories: readonly Resource[]
  readonly reviewRules: readonly Resource[]
  readonly runbookRules: readonly Resource[]
  /** The plugin with the groups of each connection; undefined while it is off, and all users see every connection. */
  readonly accessControl: Resource | undefined
  /** Names of all connections. */
  readonly connectionNames: readonly string[]
  /** The wanted connections, with their secrets. */
  readonly connections: readonly Resource[]
}

/** @param wanted names of connections @throws ApiError, or Failure when the gateway is not hoop's */
export async function readHoopState(account: Account, wanted: readonly string[]): Promise<HoopState> {
  const licence = await licenceOf(account)
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

/** Reads connections one by one: the list has no secrets. */
async function connectionsNamed(account: Account, wanted: readonly string[]): Promise<readonly Resource[]> {
  const found: Resource[] = []
  for (const name of wanted) {
    const one = await fetchResource(account, `/api/connections/${encodeURIComponent(name)}`)
    if (one !== undefined) found.push(one)
  }
  return found
}

/** The licence. @throws Failure for an embedded gateway, which has none, and for a user who is no admin */
async function licenceOf(account: Account): Promise<string> {
  const info = await fetchResource(account, '/api/serverinfo')
  const licence = info?.['license_info']
  if (typeof licence !== 'object' || licence === null)
    throw new Failure(
      `${account.rest.url} is not a gateway of hoop's: --to, or the account, has to name one`,
      exitCodes.usage,
    )
  const user = await fetchResource(account, '/api/userinfo')
  if (user?.['is_admin'] !== true)
    throw new Failure(`${account.rest.url}: only an admin of hoop's can do this`, exitCodes.refused)
  return String((licence as Resource)['type'])
}
