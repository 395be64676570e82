import type {
  RepositoryAnswer,
  RuleAnswer,
  RunbookAnswer,
  runbookContract,
  RunbookListAnswer,
  TemplatesAnswer,
} from '../../contract/runbooks.ts'
import type { Input } from '../../template/runbook.ts'
import { hoopWords } from '../../wire/gateway-words.ts'
import { needsConfirmation } from '../executions/runbook-access.ts'
import type { Handlers } from '../handlers.ts'
import { ORGANIZATION } from '../../contract/words.ts'
import { reviewRules, ruleFor } from '../reviews/rules.ts'
import type { Users } from '../people/identities/users.ts'
import { refused } from '../refusals/request-refused.ts'
import type { ConnectionSettings } from '../settings/settings.ts'
import { isInFolder, type ListedRunbook, type Listing } from './catalog.ts'
import { RunbookError } from '../refusals/runbook-errors.ts'
import { oldCopyText, type OldCopy } from './old-copy.ts'
import type { NamedRepository, Repositories } from './repositories.ts'

interface RunbookRouting {
  readonly users: Users
  readonly repositories: Repositories
}

/** Rules and configurations are parts of gateway.yaml, so they have no times. */
const TIMES = { created_at: null, updated_at: null }

/** hoop stores this configuration. Here it is in gateway.yaml, so the routes only show it. */
export function runbookRoutes(services: RunbookRouting): Handlers<typeof runbookContract> {
  const { users, repositories } = services
  return {
    list: async ({ user, query }) => {
      checkConfigured(services, 'runbooks-not-configured/repositories')
      // `connection` is hoop's old name of `connection_name`.
      const named = [query.connection_name, query.connection].find(
        (name) => name !== undefined && name !== '',
      )
      const connection = named === undefined ? undefined : users.visibleConnection(user, named)
      const lists = await listAll(services, connection ? [connection] : users.connections(user), {
        connection,
        withConnections: query.list_connections === 'true',
        ...(query.list_connections === 'true' && { groups: user.groups }),
        withUnused: query.remove_empty_connections === 'false' && users.isAdmin(user),
      })
      return { ...lists, ...deprecatedCopy(lists) }
    },
    templates: async ({ user }) => {
      checkConfigured(services, 'runbooks-not-configured/plugin')
      return firstVersion(await listAll(services, users.connections(user), { withConnections: true }))
    },
    connectionTemplates: async ({ user, params }) => {
      const connection = users.visibleConnection(user, params.name)
      if (connection.runbooks === undefined) throw refused('runbooks-not-configured/list')
      return firstVersion(await listAll(services, [connection], { withConnections: false }))
    },
    rules: ({ user }) => rulesOf(services, users.connections(user)),
    rule: ({ user, params }) => {
      const [rule] = rulesOf(services, [users.connection(user, params.id)])
      if (rule === undefined) throw refused('rule-not-found')
      return rule
    },
    configurations: () => {
      checkConfigured(services, 'runbooks-not-configured/repositories')
      return {
        id: ORGANIZATION,
        org_id: ORGANIZATION,
        repositories: repositories.all.map(configurationOf),
        ...TIMES,
      }
    },
  }
}

/** @throws RequestRefused */
function checkConfigured(
  { repositories }: RunbookRouting,
  missing: 'runbooks-not-configured/plugin' | 'runbooks-not-configured/repositories',
): void {
  if (repositories.all.length === 0) throw refused(missing)
}

interface ListOptions {
  /** The connection of the request. If set, each runbook has `confirm` for it. */
  readonly connection?: ConnectionSettings | undefined
  readonly withConnections: boolean
  /** Groups of the caller. If set, each runbook has the groups that have to approve a run by the caller. */
  readonly groups?: readonly string[]
  /** If true, the list also has runbooks that cannot run on any of the connections. */
  readonly withUnused?: boolean
}

type RunbookLists = Pick<RunbookListAnswer, 'errors' | 'repositories'>

async function listAll(
  services: RunbookRouting,
  connections: readonly ConnectionSettings[],
  options: ListOptions,
): Promise<RunbookLists> {
  const errors: string[] = []
  const repositories: RunbookLists['repositories'][number][] = []
  for (const { name } of services.repositories.all) {
    // Each repository is looked up by its name, because it may have been replaced while the previous one was
    // read.
    const named = services.repositories.named(name)
    if (named === undefined) continue
    const users = connections.filter(
      ({ access, runbooks }) => access.runbooks && runbooks?.repository === named.name,
    )
    if (users.length === 0 && options.withUnused !== true) continue
    const folders = options.withUnused === true ? [''] : users.map(({ runbooks }) => runbooks?.path ?? '')
    const listing = await readListing(named, folders)
    if (typeof listing === 'string') errors.push(hoopWords.runbooksNotListed(named.key, listing))
    else {
      repositories.push(viewOf(named, listing, { ...options, users }))
      if (listing.oldCopy !== undefined) errors.push(`repo ${named.key}: ${oldCopyText(listing.oldCopy)}`)
      if (listing.isCut) errors.push(`repo ${named.key} has more runbooks or folders than are listed`)
    }
  }
  return { errors, repositories }
}

async function readListing(
  { repository }: NamedRepository,
  folders: readonly string[],
): Promise<(Listing & { readonly oldCopy?: OldCopy }) | string> {
  try {
    return await repository.list(folders)
  } catch (error) {
    if (error instanceof RunbookError) return error.message
    throw error
  }
}

/** Returns hoop's `openapi.RunbookRepositoryList`. */
function viewOf(
  { key }: NamedRepository,
  { commit, author, message, runbooks }: Listing,
  options: ListOptions & { readonly users: readonly ConnectionSettings[] },
): RunbookLists['repositories'][number] {
  const { users, connection, withConnections, groups } = options
  const asked = new Map(groups && users.map((one) => [one, reviewRules(one, groups)]))
  const items = runbooks.map((runbook) => {
    const runs = ({ runbooks }: ConnectionSettings) => isInFolder(runbook.path, runbooks?.path ?? '')
    const running = users.filter(runs)
    const asks = new Set(
      running.flatMap((one) => ruleFor(asked.get(one) ?? [], runbook.path)?.review.groups ?? []),
    )
    return {
      ...itemOf(runbook),
      ...(withConnections && { connections: running.map(({ name }) => name) }),
      // This field is not hoop's. The list of the page shows it.
      ...(asks.size > 0 && { asks: [...asks].sort() }),
      // This field is not hoop's. It saves clients a request before a run.
      ...(connection && { confirm: needsConfirmation(connection, runbook.path) }),
    }
  })
  return { repository: key, commit, commit_author: author, commit_message: message, items }
}

function itemOf({ path, inputs, inBlocks, error, title, description, first }: ListedRunbook): RunbookAnswer {
  return {
    name: path,
    metadata: Object.fromEntries(inputs.map((input) => [input.name, metadataOf(input)])),
    error: error ?? null,
    // This field is not hoop's. hoop does not name the parameters that only a block uses.
    ...(inBlocks && {
      block_metadata: Object.fromEntries(inBlocks.map((input) => [input.name, metadataOf(input)])),
    }),
    // These fields are not hoop's. They come from the leading comment of the file.
    ...(title !== undefined && { title }),
    ...(description !== undefined && { description }),
    // This field is not hoop's.
    ...(first !== undefined && { first }),
  }
}

/**
 * The field `required` is true if the template calls the function `required` for the parameter. This is the
 * same in hoop. The field does not say whether a user may leave the parameter out.
 */
function metadataOf(input: Input): RunbookAnswer['metadata'][string] {
  return {
    description: input.description ?? '',
    required: input.required !== undefined,
    // This field is not hoop's.
    required_text: input.required === '' ? undefined : input.required,
    type: input.type,
    default: input.default,
    placeholder: input.placeholder,
    options: input.options,
    pattern: input.pattern,
    minlength: input.minlength,
    maxlength: input.maxlength,
    order: input.order,
    asenv: input.asenv,
    // This field is not hoop's, which ignores the comment that names the list.
    options_from: input.optionsFrom,
  }
}

/** Returns hoop's deprecated fields. They merge all repositories into one. */
function deprecatedCopy({ repositories }: RunbookLists): Partial<TemplatesAnswer> {
  const [first] = repositories
  if (first === undefined) return {}
  const { commit, commit_author, commit_message } = first
  return { items: repositories.flatMap(({ items }) => items), commit, commit_author, commit_message }
}

/**
 * Returns hoop's first form of the answer, which was made for one repository. With several repositories, the
 * answer has the items of all, and the commit of the first.
 * @throws RequestRefused when no repository can be read
 */
function firstVersion({ repositories, errors }: RunbookLists): TemplatesAnswer {
  const [first] = repositories
  if (first === undefined && errors.length > 0)
    throw refused('repository-failed/all', { reasons: errors.join('; ') })
  const { commit = '', commit_author = '', commit_message = '' } = first ?? {}
  return { items: repositories.flatMap(({ items }) => items), commit, commit_author, commit_message }
}

/** Each connection has one rule: its users may run the files in its path. */
function rulesOf(
  { repositories }: RunbookRouting,
  connections: readonly (ConnectionSettings | undefined)[],
): RuleAnswer[] {
  return connections.flatMap((connection) => {
    const own = repositories.named(connection?.runbooks?.repository)
    if (connection?.access.runbooks !== true || own === undefined) return []
    return [ruleOf(connection, own)]
  })
}

function ruleOf({ name, runbooks, access }: ConnectionSettings, { key }: NamedRepository): RuleAnswer {
  return {
    id: name,
    org_id: ORGANIZATION,
    name,
    description: '',
    runbooks: [{ repository: key, name: runbooks?.path ?? '' }],
    connections: [name],
    user_groups: access.groups ?? [],
    ...TIMES,
  }
}

/** Returns the configuration without the secrets that hoop shows. */
function configurationOf({ key, gitUrl, refreshMs }: NamedRepository): RepositoryAnswer {
  return {
    repository: key,
    git_url: gitUrl,
    git_user: '',
    git_password: '',
    ssh_key: '',
    ssh_user: '',
    ssh_keypass: '',
    ssh_known_hosts: '',
    git_hook_ttl: Math.round(refreshMs / 1000),
  }
}
